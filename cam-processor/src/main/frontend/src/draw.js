// Draws a choice of a capture: a heatmap over a picture, behind a signal, over a slice of a volume, or on words.

import { heatmap, hottestSlice, mapsOf, peak, resized, sizes } from './heat.js';
import { canvasOf, coloured, css, isLight, lineColours, signedNow } from './colour.js';
import { state } from './store.js';
import { el, short, themed } from './dom.js';

/** @typedef {import('./types').Capture} Capture @typedef {import('./types').Heat} Heat */
/** @typedef {{ t: number, method: string, layer: string }} Choice */
/** @typedef {{ heat?: Heat | null, opacity: number, look?: string, split?: number, depth?: number, plain?: boolean, zoom?: { k: number, x: number, y: number } }} Look */

/** What a capture is: the view follows it. @param {Capture} c @returns {'picture' | 'signal' | 'volume' | 'words'} */
export function kindOf(c) {
  const map = c.maps[0], rank = map ? map.s.length : 2;
  if (c.tokens && c.tokens.length && (rank === 1 || !map)) return 'words';
  if (c.picture) return 'picture';
  if (c.volume || rank === 3) return 'volume';
  if (c.signal || rank === 1) return 'signal';
  return 'picture';
}

/** Size of a drawing whose longer side is `side`. @param {Capture} c @returns {[number, number]} */
export function drawingSize(c, side) {
  const kind = kindOf(c);
  if (kind === 'signal') return [side, Math.round(side * .45)];
  if (kind === 'words') return [side, wordsHeight(c, side)];
  let w = 1, h = 1;
  if (c.picture) ({ w, h } = c.picture);
  else if (c.volume) ({ w, h } = c.volume);
  else if (c.maps.length) ({ w, h } = sizes(c.maps[0]));
  else if (c.channels.length) ({ w, h } = c.channels[0]);
  const k = side / Math.max(w, h);
  return [Math.max(1, Math.round(w * k)), Math.max(24, Math.round(h * k))];
}

/** Where a volume is cut, 0..1. @param {Capture} c @param {Choice} sel */
export function depthOf(c, sel) {
  if (kindOf(c) !== 'volume') return .5;
  const slices = slicesOf(c);
  return state.slice >= 0 ? (Math.min(slices - 1, state.slice) + .5) / slices : (Math.floor(hottestSlice(c, sel) * slices) + .5) / slices;
}

/** @param {Capture} c */
export const slicesOf = c => c.volume ? c.volume.d : c.maps.length ? sizes(c.maps[0]).d : 1;

/** Resolution at which heat is computed for a drawing. @param {Capture} c @returns {[number, number]} */
function heatSize(c, sel, width, height) {
  switch (kindOf(c)) {
    case 'signal': { const map = mapsOf(c, sel.t, sel.method, sel.layer, false)[0]; return [c.signal ? c.signal.n : map ? sizes(map).w : 1, 1]; }
    case 'words': return [c.tokens.length, 1];
    default: return [width, height];
  }
}

/** The heat of a choice for a drawing of that size. @param {Capture} c @param {Choice} sel @returns {Heat | null} */
export function heatFor(c, sel, width, height, top = 0, signed = signedNow(c)) {
  const [w, h] = heatSize(c, sel, width, height);
  return heatmap(c, sel, { cells: state.cells, signed, top, depth: depthOf(c, sel) }, w, h);
}

/** Where a scale that the maps of a capture share ends: at the largest value of any class; 0 for a scale of each map's own. @param {Capture} c @param {Choice} sel */
export function sharedTop(c, sel) {
  if (state.scale !== 'shared') return 0;
  const signed = signedNow(c);
  return Math.max(...c.targets.map((_, t) => peak(c, { ...sel, t }, signed)), peak(c, sel, signed)) || 1;
}

/** @param {HTMLCanvasElement} canvas @param {Capture} c @param {Look} look */
export function draw(canvas, c, look) {
  const g = canvas.getContext('2d');
  g.setTransform(1, 0, 0, 1, 0, 0);
  g.clearRect(0, 0, canvas.width, canvas.height);
  switch (kindOf(c)) {
    case 'signal': return drawSignal(g, canvas, c, look);
    case 'words': return drawWords(g, canvas, c, look);
    default: return drawPlane(g, canvas, c, look);
  }
}

/** @param {CanvasRenderingContext2D} g @param {any} canvas @param {Capture} c @param {any} look */
function drawPlane(g, { width, height }, c, { heat, opacity, look = 'overlay', split = .5, depth = .5, plain, zoom }) {
  if (zoom && zoom.k > 1) g.setTransform(zoom.k, 0, 0, zoom.k, -zoom.x * zoom.k * width, -zoom.y * zoom.k * height);
  g.imageSmoothingQuality = 'high';
  const under = c.image || volumeSlice(c, depth);
  if (under) {
    g.imageSmoothingEnabled = !(zoom && zoom.k > 1 && width * zoom.k / under.width > 5);
    g.drawImage(under, 0, 0, width, height);
    g.imageSmoothingEnabled = true;
  } else if (!heat || look === 'original') {
    g.fillStyle = themed('--soft');
    g.fillRect(0, 0, width, height);
  }
  if (state.segments && c.segmentation && !plain) {
    g.globalAlpha = .55;
    g.imageSmoothingEnabled = false;
    g.drawImage(segments(c), 0, 0, width, height);
    g.globalAlpha = 1;
    g.imageSmoothingEnabled = true;
  }
  if (heat && look !== 'original') {
    g.save();
    if (look === 'swipe') { g.beginPath(); g.rect(width * split, 0, width, height); g.clip(); }
    g.globalAlpha = under ? opacity : 1;
    g.drawImage(coloured(heat, state.fade), 0, 0, width, height);
    g.globalAlpha = 1;
    if (state.cells && !plain && heat.maps.length === 1) grid(g, sizes(heat.maps[0]), width, height);
    if (state.contour > 0 && !plain) contour(g, heat, state.contour / 100, width, height);
    g.restore();
    if (look === 'swipe') { g.fillStyle = '#fff'; g.fillRect(width * split - 1, 0, 2, height); }
  }
  if (plain) return;
  if (state.outline) for (const mask of c.masks) outline(g, width, height, mask);
  if (state.boxes && c.boxes && c.picture) boxes(g, c, width, height, zoom ? zoom.k : 1);
}

/** Lines between cells that are large enough to be seen as such: the tokens of a transformer. */
function grid(g, { w, h }, width, height) {
  if (w > 40 || h > 40) return;
  g.strokeStyle = 'rgba(255,255,255,.35)';
  g.lineWidth = 1;
  g.beginPath();
  for (let x = 1; x < w; x++) { g.moveTo(x * width / w, 0); g.lineTo(x * width / w, height); }
  for (let y = 1; y < h; y++) { g.moveTo(0, y * height / h); g.lineTo(width, y * height / h); }
  g.stroke();
}

/** Draws where a condition on places begins to hold. */
function edge(g, inside, w, h, width, height) {
  const sx = width / w, sy = height / h, path = new Path2D();
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      if (!inside(x, y)) continue;
      if (x === 0 || !inside(x - 1, y)) { path.moveTo(x * sx, y * sy); path.lineTo(x * sx, (y + 1) * sy); }
      if (x === w - 1 || !inside(x + 1, y)) { path.moveTo((x + 1) * sx, y * sy); path.lineTo((x + 1) * sx, (y + 1) * sy); }
      if (y === 0 || !inside(x, y - 1)) { path.moveTo(x * sx, y * sy); path.lineTo((x + 1) * sx, y * sy); }
      if (y === h - 1 || !inside(x, y + 1)) { path.moveTo(x * sx, (y + 1) * sy); path.lineTo((x + 1) * sx, (y + 1) * sy); }
    }
  }
  g.lineCap = 'round';
  return path;
}

function twice(g, path, colour) {
  g.lineWidth = 4; g.strokeStyle = 'rgba(0,0,0,.55)'; g.stroke(path);
  g.lineWidth = 2; g.strokeStyle = colour; g.stroke(path);
}

function contour(g, heat, level, width, height) {
  twice(g, edge(g, (x, y) => heat.values[y * heat.w + x] >= level, heat.w, heat.h, width, height), '#7ef3ff');
}

function outline(g, width, height, mask) {
  const bits = mask.bytes;
  twice(g, edge(g, (x, y) => bits[(y * mask.w + x) >> 3] >> ((y * mask.w + x) & 7) & 1, mask.w, mask.h, width, height), '#fff');
}

function boxes(g, c, width, height, k) {
  const sx = width / c.picture.w, sy = height / c.picture.h, size = 12 / k;
  const labels = [...new Set(c.boxes.map(b => b.label))];
  for (const b of c.boxes) {
    const [x0, y0, x1, y1] = b.box, colour = lineColours[labels.indexOf(b.label) % lineColours.length];
    g.lineWidth = 2 / k;
    g.strokeStyle = colour;
    g.strokeRect(x0 * sx, y0 * sy, (x1 - x0) * sx, (y1 - y0) * sy);
    const text = b.score === null ? b.label : `${b.label} ${short(b.score)}`;
    g.font = `600 ${size}px ${themed('--font')}`;
    const room = g.measureText(text).width + size / 2, top = Math.max(0, y0 * sy - size * 1.3);
    g.fillStyle = '#14161c';
    g.fillRect(x0 * sx - 1 / k, top, room, size * 1.3);
    g.fillStyle = '#fff';
    g.fillText(text, x0 * sx + size / 4, top + size);
  }
}

/** A slice in grey. @param {Capture} c */
function volumeSlice(c, depth) {
  const v = c.volume;
  if (!v) return null;
  const at = Math.max(0, Math.min(v.d - 1, Math.floor(depth * v.d))), n = v.w * v.h, pixels = new ImageData(v.w, v.h);
  for (let i = 0; i < n; i++) {
    const level = v.bytes[at * n + i];
    pixels.data[4 * i] = pixels.data[4 * i + 1] = pixels.data[4 * i + 2] = level;
    pixels.data[4 * i + 3] = 255;
  }
  return canvasOf(pixels);
}

function segments(c) {
  const { w, h, bytes } = c.segmentation, pixels = new ImageData(w, h);
  for (let i = 0; i < w * h; i++) {
    if (!bytes[i]) continue; // class 0 is what lies around
    const colour = parseInt(lineColours[(bytes[i] - 1) % lineColours.length].slice(1), 16);
    pixels.data.set([colour >> 16, colour >> 8 & 255, colour & 255, 255], 4 * i);
  }
  return canvasOf(pixels);
}

const margin = { left: 46, right: 10, top: 8, bottom: 24 };

/** Where a signal is drawn: fractions of the canvas. */
export const signalArea = (width, height) => ({ x0: margin.left / width, x1: 1 - margin.right / width });

/** Lines over their heat, with axes; without the signal the heat itself is the line. @param {CanvasRenderingContext2D} g @param {any} canvas @param {Capture} c @param {any} look */
function drawSignal(g, { width, height }, c, { heat, opacity, look, split = .5, plain }) {
  const m = plain ? { left: 0, right: 0, top: 2, bottom: 2 } : margin;
  const W = width - m.left - m.right, H = height - m.top - m.bottom;
  g.fillStyle = themed('--card');
  g.fillRect(0, 0, width, height);
  if (heat && look !== 'original') {
    g.save();
    if (look === 'swipe') { g.beginPath(); g.rect(m.left + W * split, 0, width, height); g.clip(); }
    g.globalAlpha = opacity;
    g.imageSmoothingEnabled = !state.cells;
    g.drawImage(coloured(heat, state.fade), m.left, m.top, W, H);
    g.restore();
  }
  const signal = c.signal || (heat ? { c: 1, n: heat.w, min: Math.min(0, ...heat.values), max: Math.max(1e-9, ...heat.values), values: () => heat.values } : null);
  if (!signal) return;
  const values = signal.values(), n = signal.n, span = signal.max - signal.min || 1;
  const x = i => m.left + (n === 1 ? W / 2 : W * (i + .5) / n), y = v => m.top + H * (signal.max - v) / span;
  if (!plain) axes(g, n, signal, x, y, m, W, H);
  const lines = Math.min(signal.c, 8);
  for (let k = lines - 1; k >= 0; k--) {
    g.beginPath();
    for (let i = 0; i < n; i++) { const v = values[k * n + i]; if (i) g.lineTo(x(i), y(v)); else g.moveTo(x(i), y(v)); }
    g.lineJoin = 'round';
    if (heat && look !== 'original') { g.lineWidth = plain ? 2.5 : 3.5; g.strokeStyle = themed('--card'); g.stroke(); }
    g.lineWidth = plain ? 1 : 1.6;
    g.strokeStyle = signal.c === 1 ? themed('--ink') : lineColours[k];
    g.stroke();
  }
  if (look === 'swipe') { g.fillStyle = themed('--ink'); g.fillRect(m.left + W * split - 1, m.top, 2, H); }
}

function axes(g, n, signal, x, y, m, W, H) {
  g.font = `11px ${themed('--font')}`;
  g.strokeStyle = themed('--line');
  g.fillStyle = themed('--muted');
  g.lineWidth = 1;
  g.textBaseline = 'middle';
  g.textAlign = 'right';
  for (let k = 0; k <= 4; k++) {
    let v = signal.min + (signal.max - signal.min) * k / 4;
    if (Math.abs(v) < 1e-3 * (signal.max - signal.min)) v = 0; // what is next to nothing there needs no exponent
    g.beginPath(); g.moveTo(m.left - 4, y(v)); g.lineTo(m.left, y(v)); g.stroke();
    g.fillText(short(v), m.left - 7, y(v));
  }
  g.textAlign = 'center';
  g.textBaseline = 'top';
  const raw = n / 6, power = 10 ** Math.floor(Math.log10(raw)), step = Math.max(1, [1, 2, 5, 10].find(s => s * power >= raw) * power);
  for (let i = 0; i < n; i += step) {
    g.beginPath(); g.moveTo(x(i), m.top + H); g.lineTo(x(i), m.top + H + 4); g.stroke();
    g.fillText(String(i), x(i), m.top + H + 7);
  }
  g.strokeRect(m.left, m.top, W, H);
}

/** Words in lines, each on the colour of its heat: for figures and small drawings; the page itself shows them as text. @param {CanvasRenderingContext2D} g @param {any} canvas @param {Capture} c @param {any} look */
function drawWords(g, { width, height }, c, { heat, opacity, look }) {
  g.fillStyle = themed('--card');
  g.fillRect(0, 0, width, height);
  g.textBaseline = 'middle';
  g.textAlign = 'left';
  layoutWords(g, c, width, (word, k, x, y, w, h, size) => {
    const v = heat && look !== 'original' && k < heat.w ? heat.values[k] : null;
    if (v !== null) {
      g.globalAlpha = heat.signed ? 1 : Math.max(.25, opacity);
      g.fillStyle = css(heat.signed ? WORD * v : v, heat.signed);
      g.fillRect(x, y, w, h);
      g.globalAlpha = 1;
    }
    g.fillStyle = isSpecial(c.tokens[k]) ? themed('--muted') : v !== null && !heat.signed && opacity > .6 ? (isLight(v, false) ? '#14161c' : '#fff') : themed('--ink');
    g.font = `${size}px ${themed('--font')}`;
    g.fillText(word, x + size * .2, y + h / 2);
  });
}

/**
 * Words as text, each on the colour of its heat; where that has a sign, ink stays readable on it (4.5:1).
 * @param {Capture} c @param {Heat | null} heat @param {number} strength @param {(k: number) => void} point @returns {HTMLElement[]}
 */
export function wordElements(c, heat, strength, point) {
  const marked = marks(c.tokens);
  return c.tokens.map((token, k) => {
    const v = heat && k < heat.w ? heat.values[k] : null;
    const span = el('span', { class: 'tok' + (joined(token, marked) ? ' joined' : '') + (isSpecial(token) ? ' special' : ''), onmouseenter: () => point(k) }, wordOf(token));
    if (v !== null && heat.signed) span.style.background = css(WORD * v, true);
    else if (v !== null) {
      span.style.background = strength === 1 ? css(v, false) : `color-mix(in srgb, ${css(v, false)} ${Math.round(90 * strength)}%, var(--card))`;
      if (strength >= .6) span.style.color = isLight(v, false) ? '#14161c' : '#fff';
    }
    if (isSpecial(token) && (v === null || heat.signed && Math.abs(v) < .2)) span.style.color = 'var(--muted)';
    return span;
  });
}

/** What is known of a word. @param {Capture} c @param {Heat | null} heat @param {number} k */
export function sayWord(c, heat, k) {
  if (!heat || k >= heat.w) return c.tokens[k];
  const one = heat.maps.length === 1 ? heat.maps[0] : null;
  return `“${c.tokens[k]}” (${k}): heat ${heat.values[k].toFixed(2)}` + (one && sizes(one).w === heat.w ? `, raw ${short(one.values()[k])}` : '');
}

/**
 * The arrow keys go from word to word. @param {HTMLElement} box of word elements @param {(k: number) => void} point
 */
export function wordKeys(box, point) {
  let at = -1;
  box.addEventListener('keydown', e => {
    const n = box.children.length, moves = { ArrowLeft: -1, ArrowRight: 1, Home: -n, End: n };
    if (!(e.key in moves)) return;
    at = Math.max(0, Math.min(n - 1, at < 0 ? (e.key === 'End' ? n - 1 : 0) : at + moves[e.key]));
    point(at);
    e.preventDefault();
    e.stopPropagation();
  });
}

/** Marks the word that is pointed at. @param {HTMLElement} box */
export function markWord(box, k) {
  [...box.children].forEach((child, i) => child.classList.toggle('at', i === k));
}

function layoutWords(g, c, width, place) {
  const size = width < 200 ? 9 : Math.max(12, Math.round(width / 38)), h = Math.round(size * 1.5);
  g.font = `${size}px ${themed('--font')}`;
  const marked = marks(c.tokens);
  let x = 4, y = 4;
  c.tokens.forEach((token, k) => {
    const word = wordOf(token), w = g.measureText(word).width + size * .4;
    if (x + w > width - 4 && x > 4) { x = 4; y += h + 3; }
    place(word, k, x, y, w, h, size);
    x += w + (c.tokens[k + 1] && joined(c.tokens[k + 1], marked) ? 0 : 3);
  });
  return y + h + 4;
}

/** Strongest colour behind a word whose heat has a sign: text in the page's ink stays readable on it. */
export const WORD = .57;

/** Pieces of a word as tokenizers mark them: `##ing`, `Ġword`, `▁word`. */
export const wordOf = token => token.replace(/^##/, '').replace(/^[Ġ▁]/, '') || '␣';
/** Whether a text's tokenizer marks where words begin. @param {string[]} tokens */
export const marks = tokens => tokens.some(token => /^[Ġ▁]/.test(token));
/** Whether a token goes on the word before. @param {string} token @param {boolean} marked */
export const joined = (token, marked) => token.startsWith('##') || marked && !/^[Ġ▁]/.test(token) && !isSpecial(token);
/** The tokenizer's own tokens, no part of the text; the rule of `Vocabulary.isSpecial`. @param {string} token */
export const isSpecial = token => /^(\[(CLS|SEP|PAD|MASK|UNK|BOS|EOS)]|<\/?[a-z]+>|<\|[^>]*\|>)$/.test(token);

function wordsHeight(c, side) {
  return Math.max(40, Math.min(4000, layoutWords(document.createElement('canvas').getContext('2d'), c, side, () => {})));
}

/** A small heat of the grid drawn over its thumbnail. @param {HTMLCanvasElement} canvas */
export function drawThumbnail(canvas, image, heat, opacity, values) {
  const g = canvas.getContext('2d'), { width, height } = canvas;
  g.clearRect(0, 0, width, height);
  let x = 0, y = 0, w = width, h = height;
  if (image) {
    const k = Math.min(width / image.width, height / image.height);
    w = image.width * k; h = image.height * k; x = (width - w) / 2; y = (height - h) / 2;
    g.imageSmoothingQuality = 'high';
    g.drawImage(image, x, y, w, h);
  } else if (heat) {
    const k = heat[1] === 1 ? 1 : Math.min(width / heat[0], height / heat[1]);
    if (heat[1] > 1) { w = heat[0] * k; h = heat[1] * k; x = (width - w) / 2; y = (height - h) / 2; } else { h = height * .5; y = height * .25; }
  }
  if (!heat || !values) return;
  g.globalAlpha = image ? opacity : 1;
  g.drawImage(coloured({ values, w: heat[0], h: heat[1], signed: false, low: 0, high: 1, maps: [], raw: false }, state.fade), x, y, w, h);
  g.globalAlpha = 1;
}

export { resized };
