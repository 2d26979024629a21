// Maps beside each other with one cursor: pinned ones, or the same input before and after a change of the model.

import { capture, index, R, shortName } from './data.js';
import { depthOf, draw, drawingSize, heatFor, kindOf, markWord, sayWord, wordElements, wordKeys } from './draw.js';
import { peak } from './heat.js';
import { signedNow } from './colour.js';
import { chosen, pins, pinText } from './pick.js';
import { takeAlong } from './charts.js';
import { tilesFigure } from './cardfigure.js';
import { captionOf, endOf, figureCanvas, provenance, saveChart } from './figure.js';
import { partnerOf } from './filter.js';
import { set, state } from './store.js';
import { button, download, el, fill, nothing, percent, short, themed } from './dom.js';
import { valueAt } from './capture.js';

/** @typedef {import('./types').Capture} Capture @typedef {import('./types').Selection} Selection @typedef {import('./types').Heat} Heat */
/** @typedef {{ c: Capture, sel: Selection, title: string, sub?: string, heat: Heat | null, difference?: boolean, lift?: () => void }} Pane */

/** A cross that is seen on any picture. @param {HTMLCanvasElement} canvas @param {boolean} both of a signal only the position */
export function cross(canvas, fx, fy, both) {
  const g = canvas.getContext('2d');
  g.setTransform(1, 0, 0, 1, 0, 0);
  for (const [colour, width] of [['rgba(0,0,0,.6)', 3], ['#fff', 1]]) {
    g.strokeStyle = String(colour); g.lineWidth = Number(width);
    g.beginPath();
    g.moveTo(fx * canvas.width, 0); g.lineTo(fx * canvas.width, canvas.height);
    if (both) { g.moveTo(0, fy * canvas.height); g.lineTo(canvas.width, fy * canvas.height); }
    g.stroke();
  }
}

/** Draws panes and lets one cursor point at the same place of all. @param {Pane[]} panes @param {number} side */
function panesOf(panes, side) {
  const crosses = [], reads = [], boxes = [];
  const rest = k => { const p = panes[k]; reads[k].textContent = p.heat && p.heat.raw ? `${endOf(p.heat, 'low')} to ${endOf(p.heat, 'high')}` : ''; };
  const point = (fx, fy) => panes.forEach((p, k) => {
    if (boxes[k]) return;
    const canvas = crosses[k];
    canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
    if (fx === null) return rest(k);
    cross(canvas, fx, fy, kindOf(p.c) !== 'signal');
    reads[k].textContent = p.difference ? `after − before ${p.heat.values[Math.floor(fy * p.heat.h) * p.heat.w + Math.min(p.heat.w - 1, Math.floor(fx * p.heat.w))].toFixed(2)}` : valueAt(p.c, p.heat, fx, fy, canvas, depthOf(p.c, p.sel));
  });
  const pointWord = word => panes.forEach((p, k) => {
    if (!boxes[k]) return;
    markWord(boxes[k], word);
    if (word < 0) rest(k);
    else reads[k].textContent = word < p.c.tokens.length ? sayWord(p.c, p.heat, word) : '';
  });
  let cursor = { x: .5, y: .5 };
  const grid = el('div', { class: 'panes', style: `--n:${panes.length}` }, panes.map((p, k) => {
    const read = el('div', { class: 'readout' });
    reads.push(read);
    const head = el('div', { class: 'panehead' }, el('div', {}, el('b', {}, p.title), p.sub ? el('div', { class: 'muted small' }, p.sub) : null),
      p.lift ? el('button', { type: 'button', class: 'icon small', 'aria-label': 'Unpin ' + p.title, onclick: p.lift }, '×') : null);
    if (kindOf(p.c) === 'words') {
      const box = boxes[k] = el('div', { class: 'words', tabindex: '0', role: 'group', 'aria-label': `Words of ${p.title}`, onmouseleave: () => pointWord(-1) });
      fill(box, wordElements(p.c, state.look === 'original' && !p.difference ? null : p.heat, state.opacity / 100, pointWord));
      wordKeys(box, pointWord);
      return el('figure', { class: 'pane' }, head, box, read);
    }
    const canvas = paneCanvas(p, side), { width, height } = canvas;
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `${p.title}${p.sub ? ', ' + p.sub : ''}`);
    const over = el('canvas', {
      width, height, class: 'cross', tabindex: '0', role: 'img', 'aria-label': `Cursor on ${p.title}`,
      onmousemove: e => { const box = over.getBoundingClientRect(); point(Math.min(.999, (e.clientX - box.left) / box.width), Math.min(.999, (e.clientY - box.top) / box.height)); },
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
    crosses[k] = over;
    return el('figure', { class: 'pane' }, head, el('div', { class: 'frame' }, canvas, over), read);
  }));
  point(null, null);
  pointWord(-1);
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
        button('PNG', () => sheet(panes, top)), button('SVG', () => saveChart(/** @type {any} */ (tilesFigure(panes.map(p => ({ picture: paneCanvas(p, 420), caption: `${p.title}, ${p.sub}` })),
          { signed: panes.some(p => p.heat && p.heat.signed), low: top ? '0' : 'least of each', high: top ? short(top) : 'most of each' })), 'comparison', 'svg')), button('Clear', () => set({ pins: '', view: 'one' })))),
    panesOf(panes, 420));
  }
}

/** A pane as it is seen. @param {Pane} p @param {number} side */
function paneCanvas(p, side) {
  const [width, height] = drawingSize(p.c, side), canvas = el('canvas', { width, height });
  draw(canvas, p.c, { heat: p.heat, opacity: p.difference ? 1 : state.opacity / 100, look: state.look === 'original' && !p.difference ? 'original' : 'overlay', depth: depthOf(p.c, p.sel) });
  return canvas;
}

/** All panes in one picture. @param {Pane[]} panes @param {number} top end of their shared scale, or 0 */
function sheet(panes, top) {
  const figures = panes.map(p => figureCanvas(p.c, p.sel, 420, top)), columns = Math.min(3, figures.length);
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
    const name = `before and after of ${shortName(c.name)}`;
    fill(slot, el('div', { class: 'cardhead' }, el('h3', {}, 'Before and after', flip ? el('span', { class: 'wrong' }, ' answer changed') : null), el('span', { class: 'grow' }),
      takeAlong({ name, chart: () => tilesFigure(panes.map(p => ({ picture: paneCanvas(p, 320), caption: [p.title, p.sub].filter(Boolean).join(': ') })), { signed: true, low: 'hotter before', high: 'hotter after' }) })),
    panesOf(panes, 320));
  });
  return slot;
}

export { provenance };
