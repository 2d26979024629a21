// Numbers to heat. The rules are those of the PNG overlays: ReLU, (x - min) / (1e-7 + max), linear with half-pixel
// centres, mean over layers, (x - min) / (1e-7 + max) again.

/** @typedef {import('./types').Capture} Capture @typedef {import('./types').CamMap} CamMap @typedef {import('./types').Heat} Heat */

/** @param {Float32Array} values */
function scaled(values) {
  let min = Infinity, max = -Infinity;
  for (const v of values) { if (v < min) min = v; if (v > max) max = v; }
  const divisor = 1e-7 + (max - min);
  return values.map(v => (v - min) / divisor);
}

/** Rows are stretched first, so that a pixel costs one step between two rows. @param {Float32Array} values */
export function resized(values, w, h, width, height) {
  if (w === width && h === height) return values;
  const out = new Float32Array(width * height), rows = new Float32Array(h * width);
  const xs = positions(w, width), ys = positions(h, height);
  for (let x = 0; x < width; x++) {
    const x0 = xs.low[x], x1 = xs.high[x], f = xs.part[x];
    for (let y = 0; y < h; y++) rows[y * width + x] = values[y * w + x0] * (1 - f) + values[y * w + x1] * f;
  }
  for (let y = 0; y < height; y++) {
    const top = ys.low[y] * width, bottom = ys.high[y] * width, f = ys.part[y], to = y * width;
    for (let x = 0; x < width; x++) out[to + x] = rows[top + x] * (1 - f) + rows[bottom + x] * f;
  }
  return out;
}

/** The two neighbours of each place, and how far it is from the lower one. */
function positions(from, to) {
  const low = new Int32Array(to), high = new Int32Array(to), part = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.max(0, (i + .5) * from / to - .5);
    low[i] = Math.min(from - 1, Math.floor(at));
    high[i] = Math.min(from - 1, low[i] + 1);
    part[i] = Math.min(1, at - low[i]);
  }
  return { low, high, part };
}

function nearest(values, w, h, width, height) {
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y * h / height) * w;
    for (let x = 0; x < width; x++) out[y * width + x] = values[row + Math.floor(x * w / width)];
  }
  return out;
}

/** Columns and rows of a map, and its slices. @param {CamMap} map */
export const sizes = map => ({ w: map.s[map.s.length - 1], h: map.s.length > 1 ? map.s[map.s.length - 2] : 1, d: map.s.length > 2 ? map.s[0] : 1 });

/** The plane at `depth` (0..1) of a volume, linear between slices; a map of one slice as it is. */
function plane(values, { w, h, d }, depth, cells) {
  if (d === 1) return values;
  const at = Math.max(0, Math.min(d - 1, depth * d - .5));
  const low = cells ? Math.min(d - 1, Math.floor(depth * d)) : Math.floor(at), high = cells ? low : Math.min(d - 1, low + 1), f = at - low, n = w * h;
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) out[i] = low === high ? values[low * n + i] : values[low * n + i] * (1 - f) + values[high * n + i] * f;
  return out;
}

/** The maps of a choice: of one layer, or of all where `layer` is ''. @param {Capture} c */
export function mapsOf(c, t, method, layer, signed) {
  const maps = c.maps.filter(m => m.t === t && m.m === method);
  const final = maps.find(m => m.l === undefined);
  const parts = maps.filter(m => m.l !== undefined && (layer === '' || m.l === layer));
  return !parts.length || (layer === '' && final && !signed) ? (final ? [final] : []) : parts;
}

/** Largest value after ReLU, or the largest size where the sign is kept: what a shared scale ends at. */
export function peak(c, sel, signed) {
  return Math.max(0, ...mapsOf(c, sel.t, sel.method, sel.layer, signed).map(m => signed ? Math.max(Math.abs(m.min), Math.abs(m.max)) : m.max));
}

/**
 * What to paint for a choice at `width` x `height`; null when the report has no such map.
 * @param {Capture} c @param {{ t: number, method: string, layer: string }} sel
 * @param {{ cells?: boolean, signed?: boolean, top?: number, depth?: number }} options `top`: end of a scale shared with others
 * @returns {Heat | null}
 */
export function heatmap(c, sel, options, width, height) {
  const parts = mapsOf(c, sel.t, sel.method, sel.layer, options.signed);
  if (!parts.length) return null;
  const grow = options.cells ? nearest : resized;
  const depth = options.depth ?? .5;
  if (parts.length === 1 && parts[0].l === undefined) {
    const size = sizes(parts[0]);
    return { values: grow(plane(parts[0].values(), size, depth, options.cells), size.w, size.h, width, height), w: width, h: height, maps: parts, signed: false, low: 0, high: 1, raw: false };
  }
  const sum = new Float32Array(width * height);
  for (const part of parts) {
    const raw = part.values(), size = sizes(part);
    const top = options.top || (options.signed ? Math.max(Math.abs(part.min), Math.abs(part.max)) : 0) || 1;
    const small = options.signed ? raw.map(v => v / top) : options.top ? raw.map(v => Math.max(0, v) / top) : scaled(raw.map(v => Math.max(0, v)));
    const large = grow(plane(small, size, depth, options.cells), size.w, size.h, width, height);
    for (let i = 0; i < sum.length; i++) sum[i] += large[i] / parts.length;
  }
  const one = parts.length === 1;
  const high = options.top || (options.signed ? Math.max(Math.abs(parts[0].min), Math.abs(parts[0].max)) : Math.max(0, parts[0].max));
  const low = options.signed ? -high : options.top ? 0 : Math.max(0, parts[0].min);
  const again = one || options.signed || options.top || parts.some(p => p.s.length > 2);
  return { values: again ? sum : scaled(sum), w: width, h: height, maps: parts, signed: !!options.signed, low: one ? low : options.signed ? -1 : 0, high: one ? high : 1, raw: one };
}

/** The slice (0..1) where a choice is hottest. @param {Capture} c */
export function hottestSlice(c, sel) {
  const map = mapsOf(c, sel.t, sel.method, sel.layer, false)[0];
  if (!map || map.s.length < 3) return .5;
  const { w, h, d } = sizes(map), values = map.values();
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return (Math.floor(best / (w * h)) + .5) / d;
}
