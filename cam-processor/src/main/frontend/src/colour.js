// Heat to colours.

import { base64, index } from './data.js';
import { state } from './store.js';

/** @typedef {import('./types').Heat} Heat */

/** @type {Map<string, Uint8Array>} */
const tables = new Map();
export const DIVERGING = 'diverging';

/** What the choice of colours offers: [value, name]. */
export function colourNames() {
  const named = { jet: 'jet, as pytorch-grad-cam' };
  return [...index.colormaps.map(([name]) => [name, named[name] || name]), [DIVERGING, 'diverging, keeps the sign']];
}

/** @param {string} name */
export function colourTable(name) {
  if (!tables.size) for (const [id, data] of index.colormaps) tables.set(id, base64(data));
  return tables.get(name) || tables.values().next().value;
}

/** The colours that nobody has to choose: words speak for or against. @param {import('./types').Capture} [c] */
export const usualColours = c => c && c.tokens && c.tokens.length ? DIVERGING : index.colormaps[0][0];
/** @param {import('./types').Capture} [c] */
export const signedNow = c => (state.colours || usualColours(c)) === DIVERGING;
export const tableNow = () => colourTable(state.colours);

/** Blue against, red for; what is next to zero lets the picture through. */
const against = [33, 72, 181], speaks = [190, 24, 40];

/**
 * Coloured pixels of a heatmap; `fade` makes cold areas transparent.
 * @param {Heat} heat @param {boolean} fade @param {Uint8Array} [table]
 */
export function coloured(heat, fade, table = tableNow()) {
  const pixels = new ImageData(heat.w, heat.h), data = pixels.data, values = heat.values;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (heat.signed) {
      const end = v < 0 ? against : speaks;
      data[4 * i] = end[0]; data[4 * i + 1] = end[1]; data[4 * i + 2] = end[2];
      data[4 * i + 3] = Math.round(255 * Math.min(1, Math.abs(v)) ** .8);
    } else {
      const level = 3 * Math.floor(255 * Math.max(0, Math.min(1, v)));
      data[4 * i] = table[level]; data[4 * i + 1] = table[level + 1]; data[4 * i + 2] = table[level + 2];
      data[4 * i + 3] = fade ? Math.round(255 * Math.min(1, v * 1.25)) : 255;
    }
  }
  return canvasOf(pixels);
}

/** @param {ImageData} pixels */
export function canvasOf(pixels) {
  const canvas = document.createElement('canvas');
  canvas.width = pixels.width;
  canvas.height = pixels.height;
  canvas.getContext('2d').putImageData(pixels, 0, 0);
  return canvas;
}

/** CSS colour of one value. @param {number} v @param {boolean} signed @param {Uint8Array} [table] */
export function css(v, signed, table = tableNow()) {
  if (signed) return `rgb(${(v < 0 ? against : speaks).join(' ')} / ${(Math.min(1, Math.abs(v)) ** .8).toFixed(3)})`;
  const level = 3 * Math.floor(255 * Math.max(0, Math.min(1, v)));
  return `rgb(${table[level]} ${table[level + 1]} ${table[level + 2]})`;
}

/** Whether dark ink is readable on the colour of a value. */
export function isLight(v, signed, table = tableNow()) {
  if (signed) return Math.abs(v) < .45;
  const level = 3 * Math.floor(255 * Math.max(0, Math.min(1, v)));
  return .299 * table[level] + .587 * table[level + 1] + .114 * table[level + 2] > 140;
}

/** Fills a canvas of one row with the colours of the scale. @param {HTMLCanvasElement} canvas */
export function paintScale(canvas, signed, table = tableNow()) {
  const n = canvas.width, values = Float32Array.from({ length: n }, (_, i) => signed ? 2 * i / (n - 1) - 1 : i / (n - 1));
  const g = canvas.getContext('2d');
  g.clearRect(0, 0, n, canvas.height);
  g.drawImage(coloured({ values, w: n, h: 1, signed, low: 0, high: 1, maps: [], raw: false }, false, table), 0, 0, n, canvas.height);
}

/** Colours that can be told apart on both themes, for lines and classes. */
export const lineColours = ['#e8590c', '#1c7ed6', '#2f9e44', '#9c36b5', '#c92a2a', '#0c8599', '#a87900', '#7a8290', '#d6336c', '#5c7cfa', '#74b816', '#f08c00'];
