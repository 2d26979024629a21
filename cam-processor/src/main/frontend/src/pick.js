// Keeps the choices of class, method and layer where a capture has them.

import { index } from './data.js';
import { state } from './store.js';

/** @typedef {import('./types').Capture} Capture */

/** @param {Capture} c */
export function methodsOf(c) {
  const there = [...new Set(c.maps.map(m => m.m))];
  const known = index.methods.map(m => m[0]).filter(m => there.includes(m));
  return [...known, ...there.filter(m => !known.includes(m))];
}

/** [value, name] of the layers that a method has maps of. @param {Capture} c @param {string} method */
export function layersOf(c, method) {
  const maps = c.maps.filter(m => m.m === method);
  const named = [...new Set(maps.map(m => m.l).filter(l => l !== undefined))];
  const all = named.map(l => [l, l]);
  if (named.length !== 1 && maps.length) all.unshift(['', named.length ? 'all layers' : 'finished heatmap']);
  return all;
}

/** What is shown of a capture: the choices of the state, or what comes first. @param {Capture} c @returns {import('./types').Selection} */
export function chosen(c, want = { class: state.class, method: state.method, layer: state.layer }) {
  const methods = methodsOf(c);
  const method = methods.includes(want.method) ? want.method : methods[0] || '';
  const layers = layersOf(c, method).map(l => l[0]);
  return {
    i: c.i, t: want.class < c.targets.length ? want.class : 0, method,
    layer: layers.includes(want.layer) ? want.layer : layers.length ? layers[0] : '',
  };
}

/** Selections that are pinned for comparison, at most six. @returns {import('./types').Selection[]} */
export function pins() {
  return state.pins.split('~').filter(Boolean).map(text => {
    const [i, t, method, layer] = text.split(':').map(decodeURIComponent);
    return { i: Number(i), t: Number(t), method: method || '', layer: layer || '' };
  }).filter(p => Number.isInteger(p.i) && p.i >= 0 && p.i < index.captures.length);
}

/** @param {import('./types').Selection[]} list */
export const pinText = list => list.slice(-6).map(p => [p.i, p.t, p.method, p.layer].map(v => encodeURIComponent(v)).join(':')).join('~');
export const samePin = (a, b) => a.i === b.i && a.t === b.t && a.method === b.method && a.layer === b.layer;
