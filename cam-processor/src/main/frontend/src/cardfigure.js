// What a card shows, drawn as a figure: bars, histograms, tables and pictures side by side.

import { paintScale } from './colour.js';
import { count, svg, themed } from './dom.js';

const W = 720;

/** @param {number} H @param {...any} children */
const picture = (H, ...children) => svg('svg', { viewBox: `0 0 ${W} ${Math.ceil(H)}`, 'font-size': 12, 'font-family': 'system-ui, sans-serif' }, ...children);

/** @param {any} content @param {Record<string, any>} attributes */
const text = (x, y, content, attributes = {}) => svg('text', { x, y, fill: themed('--ink'), ...attributes }, String(content));

const pen = document.createElement('canvas').getContext('2d');
/** Text that fits a width. @param {any} content @param {number} width */
function fitted(content, width) {
  pen.font = '12px system-ui, sans-serif';
  let s = String(content ?? '');
  if (pen.measureText(s).width <= width) return s;
  while (s.length > 1 && pen.measureText(s + '…').width > width) s = s.slice(0, -1);
  return s + '…';
}

/** Horizontal bars. @param {[string, number, string?][]} list label, size, what is said of it */
export function barsFigure(list) {
  const most = Math.max(1e-12, ...list.map(b => b[1])), left = 200, right = 80, line = 22;
  return picture(line * list.length + 4, list.map(([label, n, said], k) => [
    text(left - 10, line * k + 16, fitted(label, left - 14), { 'text-anchor': 'end' }),
    svg('rect', { x: left, y: line * k + 4, width: Math.max(1, (W - left - right) * n / most), height: line - 7, rx: 4, fill: themed('--bar') }),
    text(left + (W - left - right) * n / most + 8, line * k + 16, said ?? count(n)),
  ]).flat());
}

/** @param {{ low: number, high: number, n: number }[]} bins @param {(v: number) => string} print */
export function histogramFigure(bins, print) {
  const most = Math.max(1, ...bins.map(b => b.n)), H = 200, w = W / bins.length;
  const end = (x, anchor, v) => text(x, H + 18, print(v), { 'text-anchor': anchor, fill: themed('--muted') });
  return picture(H + 26, bins.map((b, k) => svg('rect', { x: k * w + 1, y: H - (H - 16) * b.n / most, width: w - 2, height: (H - 16) * b.n / most, fill: themed('--bar') })),
    svg('line', { x1: 0, x2: W, y1: H, y2: H, stroke: themed('--line') }), text(4, 12, `at most ${count(most)} a bin`, { fill: themed('--muted') }),
    end(0, 'start', bins[0].low), end(W, 'end', bins[bins.length - 1].high));
}

/**
 * Any table; numbers stand to the right. @param {HTMLTableElement} table as it is seen: with its colours
 */
export function tableFigure(table) {
  const rows = [...table.rows].map(row => [...row.cells]), columns = Math.max(...rows.map(r => r.length));
  const said = cell => (cell.textContent || '').trim().replace(/\s+/g, ' ');
  pen.font = '12px system-ui, sans-serif';
  const wide = Array.from({ length: columns }, (_, k) => Math.max(30, ...rows.map(r => r[k] ? Math.min(320, pen.measureText(said(r[k])).width) + 16 : 0)));
  const total = wide.reduce((a, b) => a + b, 0), line = 24, starts = wide.map((_, k) => wide.slice(0, k).reduce((a, b) => a + b, 0));
  const shown = svg('svg', { viewBox: `0 0 ${Math.ceil(Math.max(W, total))} ${line * rows.length + 2}`, 'font-size': 12, 'font-family': 'system-ui, sans-serif' });
  rows.forEach((row, r) => row.forEach((cell, k) => {
    const inner = cell.querySelector('.cell') || cell, style = getComputedStyle(inner), number = cell.classList.contains('num');
    if (!/^rgba\(.*, 0\)$|^transparent$/.test(style.backgroundColor)) shown.append(svg('rect', { x: starts[k] + 1, y: r * line + 1, width: wide[k] - 2, height: line - 2, rx: 4, fill: style.backgroundColor }));
    shown.append(text(number ? starts[k] + wide[k] - 8 : starts[k] + 8, r * line + 16, fitted(said(cell), wide[k] - 12), { fill: style.color, 'text-anchor': number ? 'end' : 'start', 'font-weight': cell.tagName === 'TH' || style.fontWeight > '500' ? 600 : null }));
  }));
  return shown;
}

/**
 * Pictures side by side with their captions. @param {{ picture: HTMLCanvasElement | HTMLImageElement, caption: string }[]} list
 * @param {{ signed?: boolean, low?: string, high?: string, table?: Uint8Array }} [bar] the scale of their colours
 */
export function tilesFigure(list, bar) {
  const columns = Math.min(list.length, list.length > 12 ? 8 : list.length > 4 ? 6 : 4) || 1, gap = 10, side = (W - gap * (columns - 1)) / columns;
  const shape = ({ picture: p }) => { const w = p.width || 1, h = p.height || 1, k = side / Math.max(w, h); return w / h > 3 ? [side, Math.max(24, h * k)] : [w * k, h * k]; };
  const all = [];
  let y = 0;
  for (let from = 0; from < list.length; from += columns) {
    const row = list.slice(from, from + columns), high = Math.max(...row.map(t => shape(t)[1]));
    row.forEach((tile, k) => {
      const [w, h] = shape(tile), p = tile.picture, x = k * (side + gap);
      all.push(svg('image', { x, y, width: w, height: h, preserveAspectRatio: 'none', style: Math.max(p.width, p.height) < side ? 'image-rendering:pixelated' : null, href: p instanceof HTMLCanvasElement ? p.toDataURL('image/png') : p.src }),
        text(x, y + high + 14, fitted(tile.caption, side), { 'font-size': 11, fill: themed('--muted') }));
    });
    y += high + 26;
  }
  if (bar) {
    const scale = document.createElement('canvas');
    scale.width = 256; scale.height = 1;
    paintScale(scale, !!bar.signed, bar.table);
    all.push(svg('image', { x: 0, y: y + 4, width: 256, height: 10, preserveAspectRatio: 'none', href: scale.toDataURL('image/png') }),
      text(0, y + 28, bar.low ?? '', { fill: themed('--muted') }), text(256, y + 28, bar.high ?? '', { 'text-anchor': 'end', fill: themed('--muted') }));
    y += 34;
  }
  return picture(y, all);
}

/** The tiles of a card as they are seen. @param {ParentNode} root @param {string} each @param {string} [caption] */
export const tilesOf = (root, each, caption) => [...root.querySelectorAll(each)].filter(e => !e.closest('[hidden]')).map(e => ({
  picture: /** @type {any} */ (e.querySelector('canvas, img')),
  caption: ((caption ? e.querySelector(caption) : e)?.textContent || '').trim().replace(/\s+/g, ' '),
})).filter(t => t.picture);
