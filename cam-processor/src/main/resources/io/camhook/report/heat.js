// Numbers to colours. The rules are those of the PNG overlays: ReLU, (x - min) / (1e-7 + max),
// bilinear with half-pixel centres, mean over layers, (x - min) / (1e-7 + max) again.

const colormaps = new Map(index.colormaps.map(([name, data]) => [name, base64(data)]));

/** Blue, white, red: for maps that keep their sign. Level 128 is zero. */
const diverging = (() => {
  const table = new Uint8Array(768);
  const ends = [[33, 72, 181], [247, 247, 247], [190, 24, 40]];
  for (let i = 0; i < 256; i++) {
    const t = Math.max(-1, (i - 128) / 127);
    const end = t < 0 ? ends[0] : ends[2];
    for (let c = 0; c < 3; c++) table[3 * i + c] = Math.round(ends[1][c] + (end[c] - ends[1][c]) * Math.abs(t) ** .8);
  }
  return table;
})();

function scaled(values) {
  let min = Infinity, max = -Infinity;
  for (const v of values) { if (v < min) min = v; if (v > max) max = v; }
  const divisor = 1e-7 + (max - min);
  return values.map(v => (v - min) / divisor);
}

function resized(values, w, h, width, height) {
  if (w === width && h === height) return values;
  const out = new Float32Array(width * height);
  const xs = positions(w, width), ys = positions(h, height);
  for (let y = 0; y < height; y++) {
    const [y0, y1, fy] = ys[y];
    for (let x = 0; x < width; x++) {
      const [x0, x1, fx] = xs[x];
      const top = values[y0 * w + x0] * (1 - fx) + values[y0 * w + x1] * fx;
      const bottom = values[y1 * w + x0] * (1 - fx) + values[y1 * w + x1] * fx;
      out[y * width + x] = top * (1 - fy) + bottom * fy;
    }
  }
  return out;
}

function positions(from, to) {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.max(0, (i + .5) * from / to - .5);
    const low = Math.min(from - 1, Math.floor(at));
    return [low, Math.min(from - 1, low + 1), Math.min(1, at - low)];
  });
}

function nearest(values, w, h, width, height) {
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y * h / height) * w;
    for (let x = 0; x < width; x++) out[y * width + x] = values[row + Math.floor(x * w / width)];
  }
  return out;
}

/**
 * What to paint for a target, a method and a layer ('' = all layers): values 0..1, or -1..1 when the
 * sign is kept, at `width` x `height`; null when the report has no such map.
 */
function heatmap(c, t, method, layer, options, width, height) {
  const grow = options.cells ? nearest : resized;
  const maps = c.maps.filter(m => m.t === t && m.m === method);
  const final = maps.find(m => m.l === undefined);
  let parts = maps.filter(m => m.l !== undefined && (layer === '' || m.l === layer));
  if (!parts.length || (layer === '' && final && !options.signed)) {
    if (!final) return null;
    return { values: grow(final.values(), final.w, final.h, width, height), maps: [final], signed: false };
  }
  const signed = options.signed;
  const sum = new Float32Array(width * height);
  for (const part of parts) {
    const raw = part.values();
    let small;
    if (signed) {
      const top = Math.max(Math.abs(part.min), Math.abs(part.max)) || 1;
      small = raw.map(v => v / top);
    } else {
      small = scaled(raw.map(v => Math.max(0, v)));
    }
    const large = grow(small, part.w, part.h, width, height);
    for (let i = 0; i < sum.length; i++) sum[i] += large[i] / parts.length;
  }
  return { values: signed || parts.length === 1 ? sum : scaled(sum), maps: parts, signed };
}

/** Coloured pixels of a heatmap; `fade` makes cold areas transparent. */
function coloured(heat, width, height, table, fade) {
  const pixels = new ImageData(width, height);
  const data = pixels.data;
  const lut = heat.signed ? diverging : table;
  for (let i = 0; i < heat.values.length; i++) {
    const v = heat.values[i];
    const level = heat.signed
      ? Math.round(128 + 127 * Math.max(-1, Math.min(1, v)))
      : Math.floor(255 * Math.max(0, Math.min(1, v)));
    data[4 * i] = lut[3 * level];
    data[4 * i + 1] = lut[3 * level + 1];
    data[4 * i + 2] = lut[3 * level + 2];
    data[4 * i + 3] = fade ? Math.round(255 * Math.min(1, Math.abs(v) * 1.25)) : 255;
  }
  return canvasOf(pixels);
}

function canvasOf(pixels) {
  const canvas = document.createElement('canvas');
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  canvas.getContext('2d').putImageData(pixels, 0, 0);
  return canvas;
}

/** Size of a drawing whose longer side is `side`, in the picture's or else the map's proportions. */
function drawingSize(c, side) {
  let w = 1, h = 1;
  if (c.picture) { w = c.picture.w; h = c.picture.h; }
  else if (c.maps.length) { w = c.maps[0].w; h = c.maps[0].h; }
  else if (c.channels.length) { w = c.channels[0].w; h = c.channels[0].h; }
  const k = side / Math.max(w, h);
  return [Math.max(1, Math.round(w * k)), Math.max(24, Math.round(h * k))];
}

/** The picture with the heatmap over it. */
function compose(canvas, image, heat, opacity) {
  const g = canvas.getContext('2d');
  const { width, height } = canvas;
  g.clearRect(0, 0, width, height);
  g.imageSmoothingQuality = 'high';
  if (image) g.drawImage(image, 0, 0, width, height);
  if (heat) {
    g.globalAlpha = image ? opacity : 1;
    g.drawImage(heat, 0, 0, width, height);
    g.globalAlpha = 1;
  }
}

/** Draws the border of a ground-truth mask. */
function outline(canvas, mask) {
  const g = canvas.getContext('2d');
  const bits = mask.bytes();
  const inside = (x, y) => x >= 0 && y >= 0 && x < mask.w && y < mask.h
    && (bits[(y * mask.w + x) >> 3] >> ((y * mask.w + x) & 7) & 1);
  const sx = canvas.width / mask.w, sy = canvas.height / mask.h;
  const path = new Path2D();
  for (let y = 0; y < mask.h; y++) {
    for (let x = 0; x < mask.w; x++) {
      if (!inside(x, y)) continue;
      if (!inside(x - 1, y)) { path.moveTo(x * sx, y * sy); path.lineTo(x * sx, (y + 1) * sy); }
      if (!inside(x + 1, y)) { path.moveTo((x + 1) * sx, y * sy); path.lineTo((x + 1) * sx, (y + 1) * sy); }
      if (!inside(x, y - 1)) { path.moveTo(x * sx, y * sy); path.lineTo((x + 1) * sx, y * sy); }
      if (!inside(x, y + 1)) { path.moveTo(x * sx, (y + 1) * sy); path.lineTo((x + 1) * sx, (y + 1) * sy); }
    }
  }
  g.lineCap = 'round';
  g.lineWidth = 4;
  g.strokeStyle = 'rgba(0,0,0,.55)';
  g.stroke(path);
  g.lineWidth = 2;
  g.strokeStyle = '#fff';
  g.stroke(path);
}
