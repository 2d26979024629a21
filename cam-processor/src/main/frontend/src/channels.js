// The recorded activation of a layer, channel by channel.

import { coloured, colourTable, tableNow } from './colour.js';
import { takeAlong } from './charts.js';
import { tilesFigure, tilesOf } from './cardfigure.js';
import { shortName } from './data.js';
import { resized } from './heat.js';
import { draw, drawingSize } from './draw.js';
import { set, state } from './store.js';
import { $, choice, count, el, fill, short, signed } from './dom.js';

/** @typedef {import('./types').Capture} Capture @typedef {import('./types').Channels} Channels */

/** Channel maps have a table of their own unless the heat's is grey or viridis. */
const channelTable = () => state.colours && state.colours !== 'diverging' ? tableNow() : colourTable('viridis');

/** @param {Capture} c @param {string} layer @param {number} target */
export function channelsCard(c, layer, target) {
  const ch = c.channels.find(x => x.l === layer) || c.channels[c.channels.length - 1];
  if (!ch) return null;
  const weights = ch.weights[target] || ch.weights[0];
  const sort = weights ? state.chsort : state.chsort === 'weight' ? 'max' : state.chsort;
  const order = ch.index.map((_, i) => i);
  if (sort === 'weight') order.sort((a, b) => weights[b] - weights[a]);
  if (sort === 'max') order.sort((a, b) => ch.max[b] - ch.max[a]);
  const sorts = [['index', 'index'], ['max', 'strongest']];
  if (weights) sorts.unshift(['weight', 'weight']);
  const table = channelTable();
  const said = (ch.index.length < ch.count ? `${ch.index.length} of ${count(ch.count)} channels, the strongest` : `${count(ch.count)} channels`)
    + `, ${ch.ow}×${ch.oh}` + (ch.w < ch.ow || ch.h < ch.oh ? ` shown at ${ch.w}×${ch.h}` : '');
  const range = state.chscale === 'layer' ? { low: short(Math.min(...ch.min)), high: short(Math.max(...ch.max)) } : { low: 'least of each', high: 'most of each' };
  const card = el('section', { class: 'card', 'aria-label': 'Channel maps' },
    el('div', { class: 'cardhead' },
      el('h3', {}, 'Channels of ', el('code', {}, ch.l)), el('span', { class: 'muted small' }, said), el('span', { class: 'grow' }),
      el('span', { class: 'inline' }, 'sort by', choice('sort', 'Sort channels by', sorts, sort, v => set({ chsort: v }))),
      el('span', { class: 'inline' }, 'scale', choice('channel-scale', 'Scale of the colours', [['own', 'each'], ['layer', 'layer']], state.chscale, v => set({ chscale: v }))),
      takeAlong({ name: `channels of ${ch.l} of ${shortName(c.name)}`, chart: () => tilesFigure(tilesOf(card, '.chan'), { ...range, table }), rows: () => [['channel', 'min', 'max', 'weight'], ...order.map(i => [ch.index[i], ch.min[i], ch.max[i], weights ? weights[i] : ''])] })),
    el('div', { class: 'chans' + (ch.oh === 1 ? ' flat' : ''), id: 'grid' }, order.map(i => {
      const w = weights ? weights[i] : null;
      return el('button', {
        class: 'chan', type: 'button', 'data-channel': String(ch.index[i]),
        title: `channel ${ch.index[i]}, ${short(ch.min[i])} to ${short(ch.max[i])}` + (w === null ? '' : `, weight ${signed(w)}`),
        onclick: () => enlarge(c, ch, i, w, table),
      }, channelCanvas(ch, i, table, state.chscale === 'layer'),
      el('span', { class: 'cap' }, el('span', {}, el('span', { class: 'hiddentext' }, 'channel '), '#' + ch.index[i]),
        ch.max[i] === 0 && ch.min[i] === 0 ? el('span', { title: 'zero everywhere in this capture' }, 'dead') : null,
        w === null ? null : el('span', { class: w >= 0 ? 'pos' : 'neg' }, signed(w))));
    })));
  return card;
}

/** Values 0..1 of channel `i`: within its own range, or within the layer's. @param {Channels} ch */
function channelValues(ch, i, whole) {
  const n = ch.w * ch.h, bytes = ch.bytes.subarray(i * n, (i + 1) * n);
  const out = new Float32Array(n);
  const low = whole ? Math.min(...ch.min) : ch.min[i], high = whole ? Math.max(...ch.max) : ch.max[i];
  const scale = high > low ? (ch.max[i] - ch.min[i]) / 255 / (high - low) : 0;
  const offset = high > low ? (ch.min[i] - low) / (high - low) : 0;
  for (let k = 0; k < n; k++) out[k] = offset + scale * bytes[k];
  return out;
}

const plain = (values, w, h) => ({ values, w, h, signed: false, low: 0, high: 1, maps: [], raw: false });

function channelCanvas(ch, i, table, whole) {
  return coloured(plain(channelValues(ch, i, whole), ch.w, ch.h), false, table);
}

function enlarge(c, ch, i, weight, table) {
  const raw = channelCanvas(ch, i, table, false);
  raw.className = 'raw';
  raw.setAttribute('role', 'img');
  raw.setAttribute('aria-label', `Channel ${ch.index[i]} cell by cell`);
  let over = null;
  if (c.picture) {
    const [width, height] = drawingSize(c, 400);
    over = el('canvas', { width, height, 'aria-label': 'Channel over the picture', role: 'img' });
    draw(over, c, { opacity: 0, look: 'original', plain: true });
    const g = over.getContext('2d');
    g.globalAlpha = .6;
    g.drawImage(coloured(plain(resized(channelValues(ch, i, false), ch.w, ch.h, width, height), width, height), false, table), 0, 0);
  }
  const dialog = $('zoom');
  fill(dialog,
    el('div', { class: 'head' },
      el('div', {}, el('h2', {}, `Channel ${ch.index[i]}`),
        el('div', { class: 'sub' }, el('code', {}, ch.l), ` · ${short(ch.min[i])} to ${short(ch.max[i])}` + (weight === null ? '' : ` · weight ${signed(weight)}`))),
      el('button', { class: 'icon', type: 'button', 'aria-label': 'Close', autofocus: true, onclick: () => dialog.close() }, '×')),
    el('div', { class: 'pair' }, el('div', {}, raw), over ? el('div', {}, over) : null));
  dialog.onclick = e => { if (e.target === dialog) dialog.close(); };
  dialog.showModal();
}
