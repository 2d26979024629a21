// Maps beside each other with one cursor: pinned ones, or the same input before and after a change of the model.

import { capture, index, R, shortName } from './data.js';
import { depthOf, draw, drawingSize, heatFor, kindOf } from './draw.js';
import { peak } from './heat.js';
import { signedNow } from './colour.js';
import { chosen, pins, pinText } from './pick.js';
import { captionOf, endOf, figureCanvas, provenance } from './figure.js';
import { partnerOf } from './filter.js';
import { set, state } from './store.js';
import { button, download, el, fill, nothing, percent, themed } from './dom.js';
import { valueAt } from './capture.js';

/** @typedef {import('./types').Capture} Capture @typedef {import('./types').Selection} Selection @typedef {import('./types').Heat} Heat */
/** @typedef {{ c: Capture, sel: Selection, title: string, sub?: string, heat: Heat | null, difference?: boolean, lift?: () => void }} Pane */

/** Draws panes and lets one cursor point at the same place of all. @param {Pane[]} panes @param {number} side */
function panesOf(panes, side) {
  const crosses = [], reads = [];
  const point = (fx, fy) => panes.forEach((p, k) => {
    const cross = crosses[k], g = cross.getContext('2d');
    g.clearRect(0, 0, cross.width, cross.height);
    if (fx === null) { reads[k].textContent = p.heat && p.heat.raw ? `${endOf(p.heat, 'low')} to ${endOf(p.heat, 'high')}` : ''; return; }
    g.strokeStyle = 'rgba(0,0,0,.6)'; g.lineWidth = 3;
    for (const [colour, width] of [['rgba(0,0,0,.6)', 3], ['#fff', 1]]) {
      g.strokeStyle = String(colour); g.lineWidth = Number(width);
      g.beginPath();
      g.moveTo(fx * cross.width, 0); g.lineTo(fx * cross.width, cross.height);
      if (kindOf(p.c) !== 'signal') { g.moveTo(0, fy * cross.height); g.lineTo(cross.width, fy * cross.height); }
      g.stroke();
    }
    reads[k].textContent = p.difference ? `after − before ${p.heat.values[Math.floor(fy * p.heat.h) * p.heat.w + Math.min(p.heat.w - 1, Math.floor(fx * p.heat.w))].toFixed(2)}` : valueAt(p.c, p.heat, fx, fy, cross, depthOf(p.c, p.sel));
  });
  let cursor = { x: .5, y: .5 };
  const grid = el('div', { class: 'panes', style: `--n:${panes.length}` }, panes.map((p, k) => {
    const [width, height] = drawingSize(p.c, side);
    const canvas = el('canvas', { width, height, role: 'img', 'aria-label': `${p.title}${p.sub ? ', ' + p.sub : ''}` });
    draw(canvas, p.c, { heat: p.heat, opacity: p.difference ? 1 : state.opacity / 100, look: state.look === 'original' && !p.difference ? 'original' : 'overlay', depth: depthOf(p.c, p.sel) });
    const cross = el('canvas', {
      width, height, class: 'cross', tabindex: '0', role: 'img', 'aria-label': `Cursor on ${p.title}`,
      onmousemove: e => { const box = cross.getBoundingClientRect(); point(Math.min(.999, (e.clientX - box.left) / box.width), Math.min(.999, (e.clientY - box.top) / box.height)); },
      onmouseleave: () => point(null, null),
      onkeydown: e => {
        const by = { ArrowLeft: [-.04, 0], ArrowRight: [.04, 0], ArrowUp: [0, -.04], ArrowDown: [0, .04] }[e.key];
        if (!by) return;
        cursor = { x: Math.max(0, Math.min(.999, cursor.x + by[0])), y: Math.max(0, Math.min(.999, cursor.y + by[1])) };
        point(cursor.x, cursor.y);
        e.preventDefault();
        e.stopPropagation();
      },
    });
    crosses.push(cross);
    const read = el('div', { class: 'readout' });
    reads.push(read);
    return el('figure', { class: 'pane' }, el('div', { class: 'panehead' }, el('div', {}, el('b', {}, p.title), p.sub ? el('div', { class: 'muted small' }, p.sub) : null),
      p.lift ? el('button', { type: 'button', class: 'icon small', 'aria-label': 'Unpin ' + p.title, onclick: p.lift }, '×') : null),
    el('div', { class: 'frame' }, canvas, cross), read);
  }));
  point(null, null);
  return grid;
}

const sayPrediction = i => { const row = index.captures[i]; return `${row[R.LABEL] || 'no class'}${row[R.P] === null ? '' : ' ' + percent(row[R.P])}`; };

export class CompareView {
  /** @param {HTMLElement} root */
  constructor(root) { this.root = root; }

  async draw() {
    const list = pins(), turn = this.turn = {};
    const loaded = (await Promise.all(list.map(async sel => ({ sel, c: await capture(sel.i) })))).filter(p => p.c);
    if (this.turn !== turn) return;
    if (loaded.length < 2) {
      fill(this.root, nothing('Pin maps to compare them', 'Open a capture and press the pin, or p: of two to six maps with their class, method and layer each. The same capture may be pinned with different methods.', loaded.length ? 'One map is pinned; one more is needed.' : ''));
      return;
    }
    const top = state.scale === 'shared' ? Math.max(...loaded.map(({ c, sel }) => peak(c, sel, signedNow(c)))) : 0;
    /** @type {Pane[]} */
    const panes = loaded.map(({ c, sel }) => {
      const exact = chosen(c, { class: sel.t, method: sel.method, layer: sel.layer });
      const [width, height] = drawingSize(c, 420);
      return { c, sel: exact, title: shortName(c.name), sub: captionOf(c, exact).split(' · ').slice(-1)[0] + ' · ' + sayPrediction(sel.i), heat: heatFor(c, exact, width, height, top),
        lift: () => set({ pins: pinText(pins().filter(p => !(p.i === sel.i && p.t === sel.t && p.method === sel.method && p.layer === sel.layer))) }) };
    });
    fill(this.root, el('div', { class: 'head' }, el('div', { class: 'headtext' }, el('h2', {}, 'Compare'), el('div', { class: 'sub' }, `${panes.length} maps, one cursor · ${state.scale === 'shared' ? 'one scale' : 'each on its own scale'}`)),
      el('div', { class: 'headbuttons' },
        button(state.scale === 'shared' ? 'own scales' : 'shared scale', () => set({ scale: state.scale === 'shared' ? 'own' : 'shared' }), { id: 'compare-scale' }),
        button('PNG', () => sheet(panes)), button('Clear', () => set({ pins: '', view: 'one' })))),
    panesOf(panes, 420));
  }
}

/** All panes in one picture. @param {Pane[]} panes */
function sheet(panes) {
  const figures = panes.map(p => figureCanvas(p.c, p.sel, 420)), columns = Math.min(3, figures.length);
  const w = Math.max(...figures.map(f => f.width)), h = Math.max(...figures.map(f => f.height)), canvas = document.createElement('canvas');
  canvas.width = columns * w; canvas.height = Math.ceil(figures.length / columns) * h;
  const g = canvas.getContext('2d');
  g.fillStyle = themed('--card');
  g.fillRect(0, 0, canvas.width, canvas.height);
  figures.forEach((f, k) => g.drawImage(f, (k % columns) * w, Math.floor(k / columns) * h));
  canvas.toBlob(blob => blob && download('comparison.png', blob), 'image/png');
}

/** Of two recordings: before, after and the difference. Empty elsewhere. @param {Capture} c @param {Selection} sel */
export function differencePane(c, sel) {
  const other = partnerOf(c.i);
  if (other < 0) return null;
  const slot = el('section', { class: 'card difference', 'aria-label': 'Before and after', id: 'difference' }, el('h3', {}, 'Before and after'));
  capture(other).then(d => {
    if (!d) return;
    const [before, after] = index.captures[c.i][R.SOURCE] === 1 ? [d, c] : [c, d];
    const label = c.targets[sel.t] ? c.targets[sel.t].label : null;
    // the map of the same class, also where it has another rank there
    const same = x => chosen(x, { class: Math.max(0, x.targets.findIndex(t => t.label === label)), method: sel.method, layer: sel.layer });
    const [width, height] = drawingSize(c, 320);
    const selB = before === c ? sel : same(before), selA = after === c ? sel : same(after);
    const explains = x => x.c.targets[x.sel.t] ? x.c.targets[x.sel.t].label : '';
    const a = { c: after, sel: selA }, b = { c: before, sel: selB };
    const heatB = heatFor(before, selB, width, height, 0, false), heatA = heatFor(after, selA, width, height, 0, false);
    /** @type {Pane[]} */
    const panes = [
      { ...b, title: 'before', sub: `${sayPrediction(before.i)} · map of ${explains(b)}`, heat: heatB },
      { ...a, title: 'after', sub: `${sayPrediction(after.i)} · map of ${explains(a)}`, heat: heatA },
    ];
    if (heatA && heatB && heatA.values.length === heatB.values.length) {
      const values = heatA.values.map((v, i) => v - heatB.values[i]);
      panes.push({ c, sel, title: 'difference', sub: 'red: hotter after, blue: hotter before', difference: true, heat: { ...heatA, values, signed: true, low: -1, high: 1, raw: false } });
    }
    const flip = index.captures[before.i][R.LABEL] !== index.captures[after.i][R.LABEL];
    fill(slot, el('h3', {}, 'Before and after', flip ? el('span', { class: 'wrong' }, ' answer changed') : null),
      panesOf(panes, 320));
  });
  return slot;
}

export { provenance };
