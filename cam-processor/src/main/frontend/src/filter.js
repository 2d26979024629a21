// Which captures are looked at, and in which order: one filter for all tabs.

import { index, R, verdict } from './data.js';
import { state, set } from './store.js';
import { starred } from './notes.js';
import { count, percent, short, ticks } from './dom.js';

/** @typedef {import('./types').Row} Row */

export const filterKeys = ['q', 'model', 'label', 'truth', 'verdict', 'layerHas', 'source', 'star', 'changed', 'range'];
export const selectionKeys = [...filterKeys, 'sort'];

/**
 * A number of captures: its value, how it is printed, and places and texts of an axis between two values.
 * @typedef {{ id: string, name: string, of: (row: Row) => number | null, print: (v: number) => string, axis: (low: number, high: number) => [number, string][] }} Column
 */

/** Numbers of a capture by id: what ranges, sorting and scatter plots use. @returns {Column[]} */
export function numberColumns() {
  /** @type {Column['axis']} */
  const axis = (low, high) => { const { values, decimals } = ticks(low, high); return values.map(v => [v, Math.abs(v) >= 1e5 ? short(v) : v.toFixed(decimals)]); };
  /** @type {Column['axis']} */
  const shares = (low, high) => { const { values, decimals } = ticks(100 * low, 100 * high); return values.map(v => [v / 100, `${v.toFixed(decimals)} %`]); };
  /** @type {Column[]} */
  const columns = [{ id: 'p', name: 'confidence', of: row => row[R.P], print: percent, axis: shares }];
  if (index.captures.some(row => row[R.TIME] >= 0)) {
    const print = v => new Date(v).toISOString().slice(0, 19).replace('T', ' ');
    columns.push({ id: 'time', name: 'time', of: row => row[R.TIME] >= 0 ? row[R.TIME] : null, print, axis: (low, high) => [low, (low + high) / 2, high].map(v => /** @type {[number, string]} */ ([v, print(v)])) });
  }
  index.numbers.forEach((name, k) => columns.push({ id: name, name, of: row => row[R.NUMBERS][k] ?? null, print: short, axis }));
  if (index.pairs) columns.push({ id: 'change', name: 'change of confidence', of: row => change(row), print: short, axis });
  return columns;
}

/** @type {Map<Row, Row>} */
let partners = null;
/** The row of the same input in the other recording. @param {Row} row */
export function partner(row) {
  if (!partners) {
    partners = new Map();
    for (const [a, b] of index.pairs || []) {
      partners.set(index.captures[a], index.captures[b]);
      partners.set(index.captures[b], index.captures[a]);
    }
  }
  return partners.get(row) || null;
}

/** Number of the capture of the same input in the other recording, or -1. @param {number} i */
export function partnerOf(i) {
  const pair = (index.pairs || []).find(p => p[0] === i || p[1] === i);
  return pair ? (pair[0] === i ? pair[1] : pair[0]) : -1;
}

/** @param {Row} row */
export const flipped = row => { const other = partner(row); return !!other && other[R.LABEL] !== row[R.LABEL]; };

function change(row) {
  const other = partner(row);
  if (!other || row[R.P] === null || other[R.P] === null) return null;
  return row[R.SOURCE] === 1 ? row[R.P] - other[R.P] : other[R.P] - row[R.P];
}

/** `p:0.2:0.5;score::3` @returns {Map<string, [number, number]>} */
export function ranges() {
  const all = new Map();
  for (const part of state.range.split(';').filter(Boolean)) {
    const [id, low, high] = part.split(':');
    all.set(decodeURIComponent(id), [low === '' ? -Infinity : Number(low), high === '' ? Infinity : Number(high)]);
  }
  return all;
}

/** Sets or, with null, lifts the range of a number. @param {string} id @param {[number, number] | null} range */
export function setRange(id, range) {
  const all = ranges();
  if (range) all.set(id, range);
  else all.delete(id);
  set({ range: [...all].map(([key, [low, high]]) => `${encodeURIComponent(key)}:${Number.isFinite(low) ? low : ''}:${Number.isFinite(high) ? high : ''}`).join(';') });
}

/** @type {string[]} */
let words = [];
let cached = { key: null, rows: /** @type {number[]} */ ([]), of: null };

/** Numbers of the captures that pass the filter, in order. @returns {number[]} */
export function matching() {
  const key = JSON.stringify(selectionKeys.map(k => state[k])) + (state.star ? JSON.stringify([...starred()]) : '');
  if (cached.key === key && cached.of === index.captures) return cached.rows;
  if (words.length !== index.captures.length) {
    words = index.captures.map(row => `${row[R.NAME]}\n${row[R.LABEL]}\n${row[R.TARGETS].join('\n')}\n${row[R.TRUTH].join('\n')}`.toLowerCase());
    partners = null;
  }
  const parts = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const model = index.models.indexOf(state.model), layer = index.layers.indexOf(state.layerHas);
  const columns = numberColumns();
  const limits = [...ranges()].map(([id, range]) => ({ column: columns.find(c => c.id === id), range })).filter(l => l.column);
  const stars = state.star ? starred() : null;
  const rows = [];
  for (let i = 0; i < index.captures.length; i++) {
    const row = index.captures[i];
    if (state.model && row[R.MODEL] !== model) continue;
    if (state.label && row[R.LABEL] !== state.label) continue;
    if (state.truth && !row[R.TRUTH].includes(state.truth)) continue;
    if (state.verdict && verdict(row) !== state.verdict) continue;
    if (state.layerHas && !row[R.LAYERS].includes(layer)) continue;
    if (state.source && String(row[R.SOURCE]) !== state.source) continue;
    if (stars && !stars.has(row[R.NAME])) continue;
    if (state.changed && !flipped(row)) continue;
    if (limits.some(({ column, range }) => { const v = column.of(row); return v === null || v < range[0] || v > range[1]; })) continue;
    if (!parts.every(part => words[i].includes(part))) continue;
    rows.push(i);
  }
  cached = { key, of: index.captures, rows: sorted(rows, columns) };
  return cached.rows;
}

function sorted(rows, columns) {
  if (!state.sort && index.pairs) {
    const rank = i => { const row = index.captures[i]; return flipped(row) ? 2 : partner(row) ? 1 : 0; };
    return rows.filter(i => index.captures[i][R.SOURCE] === 1 || !partner(index.captures[i]))
      .sort((a, b) => rank(b) - rank(a) || Math.abs(change(index.captures[b]) || 0) - Math.abs(change(index.captures[a]) || 0));
  }
  if (!state.sort) return rows;
  const down = state.sort.startsWith('-'), id = down ? state.sort.slice(1) : state.sort;
  const column = columns.find(c => c.id === id);
  if (column) {
    const of = i => column.of(index.captures[i]);
    return rows.sort((a, b) => {
      const x = of(a), y = of(b);
      if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1; // what has no number comes last
      return (down ? y - x : x - y) || a - b;
    });
  }
  const text = { name: row => row[R.NAME], label: row => row[R.LABEL], truth: row => row[R.TRUTH].join(', '), model: row => index.models[row[R.MODEL]], verdict }[id];
  if (!text) return rows;
  return rows.sort((a, b) => (down ? -1 : 1) * text(index.captures[a]).localeCompare(text(index.captures[b]), 'en', { numeric: true }) || a - b);
}

/** What is filtered by, each with the change that lifts it. */
export function chips() {
  const all = [];
  const add = (text, patch) => all.push({ text, lift: () => set(patch) });
  if (state.q) add(`“${state.q}”`, { q: '' });
  if (state.model) add(`model ${state.model}`, { model: '' });
  if (state.label) add(`predicted ${state.label}`, { label: '' });
  if (state.truth) add(`shows ${state.truth}`, { truth: '' });
  if (state.verdict) add(state.verdict, { verdict: '' });
  if (state.layerHas) add(`layer ${state.layerHas}`, { layerHas: '' });
  if (state.source) add(`from ${(index.sources[Number(state.source)] || { path: '?' }).path}`, { source: '' });
  if (state.star) add('starred', { star: '' });
  if (state.changed) add('answer changed', { changed: '' });
  const columns = numberColumns();
  for (const [id, [low, high]] of ranges()) {
    const column = columns.find(c => c.id === id);
    if (!column) continue;
    const text = Number.isFinite(low) && Number.isFinite(high) ? `${column.print(low)} to ${column.print(high)}` : Number.isFinite(low) ? `from ${column.print(low)}` : `to ${column.print(high)}`;
    all.push({ text: `${column.name} ${text}`, lift: () => setRange(id, null) });
  }
  return all;
}

/** How many of each value of a row's entry there are among the captures that pass. @param {(row: Row) => string} of */
export function tally(of, rows = matching()) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const i of rows) { const value = of(index.captures[i]); if (value) counts.set(value, (counts.get(value) || 0) + 1); }
  return counts;
}

export const clear = () => set(Object.fromEntries(filterKeys.map(k => [k, ''])));
export const summary = () => { const n = matching().length; return n === index.captures.length ? `all ${count(n)}` : `${count(n)} of ${count(index.captures.length)}`; };
