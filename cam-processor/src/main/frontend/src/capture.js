// One capture: what was fed under its heatmap, what was predicted, all maps at a glance, channels.

import { capture, index, methodName, R, shortName } from './data.js';
import { colourNames, lineColours, paintScale, signedNow, usualColours } from './colour.js';
import { depthOf, draw, drawingSize, heatFor, kindOf, markWord, sayWord, sharedTop, signalArea, slicesOf, wordElements, wordKeys } from './draw.js';
import { heatmap, mapsOf, sizes } from './heat.js';
import { chosen, layersOf, methodsOf, pins, pinText, samePin } from './pick.js';
import { channelsCard } from './channels.js';
import { conceptsCard } from './concepts.js';
import { cardHead, takeAlong } from './charts.js';
import { barsFigure, tilesFigure, tilesOf } from './cardfigure.js';
import { endOf, figurePng, figureSvg, saveCsv, settings } from './figure.js';
import { matching, partnerOf } from './filter.js';
import { annotate, noteOf } from './notes.js';
import { move } from './list.js';
import { set, state } from './store.js';
import { $, announce, button, check, choice, count, dropdown, el, fill, nothing, percent, short, when } from './dom.js';
import { cross, differencePane } from './compare.js';

/** @typedef {import('./types').Capture} Capture @typedef {import('./types').Selection} Selection @typedef {import('./types').Heat} Heat */

/** Keys of the state that only change how a map is painted. */
export const paintKeys = ['opacity', 'colours', 'look', 'contour', 'scale', 'cells', 'fade', 'outline', 'boxes', 'segments', 'slice'];
export const choiceKeys = ['class', 'method', 'layer', 'rows', 'columns'];

export class CaptureView {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.zoom = { k: 1, x: 0, y: 0 };
    this.split = .5;
  }

  async show(i) {
    this.i = i;
    const c = await capture(i);
    if (this.i !== i) return;
    if (!c) {
      this.c = null;
      fill(this.root, nothing('This capture cannot be read', 'The file seems to be cut off: make the report again.'));
      return;
    }
    const other = this.c !== c;
    this.c = c;
    if (other) { this.zoom = { k: 1, x: 0, y: 0 }; this.split = .5; }
    const scroll = this.root.scrollTop;
    this.draw();
    this.root.scrollTop = scroll;
    const next = matching()[matching().indexOf(i) + 1];
    if (next !== undefined) capture(next);
  }

  draw() {
    const { c } = this;
    if (!c) return;
    this.sel = chosen(c);
    this.methods = methodsOf(c);
    this.layers = layersOf(c, this.sel.method);
    this.heat = null;
    this.cells = null;
    const focus = document.activeElement instanceof HTMLElement && this.root.contains(document.activeElement) ? document.activeElement.closest('[id]')?.id : null;
    const wide = c.targets.length * this.methods.length > 8 || state.rows === 'capture' || state.columns === 'capture';
    const matrix = this.matrix();
    fill(this.root, this.heading(),
      differencePane(c, this.sel),
      el('div', { class: 'cols' },
        el('div', { class: 'stack' }, this.stage(), this.metadata()),
        el('div', { class: 'stack' }, this.controls(), this.predictions(), wide ? null : matrix)),
      wide && matrix ? el('div', { class: 'gap' }, matrix) : null,
      wrapped(conceptsCard(c)),
      this.channelSlot = el('div', { class: 'gap' }));
    this.channels();
    this.paint();
    if (focus) this.focus(focus);
  }

  heading() {
    const { c, i } = this, rows = matching(), at = rows.indexOf(i), note = noteOf(c.name);
    const parts = [c.model, when(c.time), at >= 0 ? `${count(at + 1)} of ${count(rows.length)}` : 'not in the selection'];
    return el('div', { class: 'head' },
      el('div', { class: 'headtext' }, el('h2', { id: 'name', title: c.name }, shortName(c.name)), el('div', { class: 'sub' }, parts.filter(Boolean).join(' · ')),
        note.note ? el('p', { class: 'note' }, note.note) : null),
      el('div', { class: 'headbuttons' },
        el('button', { class: 'icon', type: 'button', id: 'star', 'aria-pressed': String(!!note.star), 'aria-label': 'Star', title: 'Star (s)', onclick: () => annotate(c.name, { star: !note.star }) }, note.star ? '★' : '☆'),
        el('button', { class: 'icon', type: 'button', id: 'note', 'aria-label': 'Note', title: 'Write a note (n)', onclick: () => this.editNote() }, '✎'),
        el('button', { class: 'icon', type: 'button', id: 'pin', 'aria-pressed': String(pins().some(p => samePin(p, this.sel))), 'aria-label': 'Pin to compare', title: 'Pin to compare (p)', onclick: () => this.pin() }, '⚲'),
        el('button', { class: 'icon', type: 'button', 'aria-label': 'Previous capture', title: 'Previous capture (k)', onclick: () => move(-1) }, '↑'),
        el('button', { class: 'icon', type: 'button', 'aria-label': 'Next capture', title: 'Next capture (j)', onclick: () => move(1) }, '↓')));
  }

  editNote() {
    const dialog = $('zoom'), { c } = this;
    const text = el('textarea', { rows: 5, 'aria-label': 'Note', id: 'notetext' });
    text.value = noteOf(c.name).note || '';
    fill(dialog, el('h2', {}, 'Note on ' + shortName(c.name)), text, el('p', { class: 'muted small' }, 'Notes stay in this browser. Save them as a file under Overview to send them along.'),
      el('div', { class: 'dialogbuttons' }, button('Save', () => { annotate(c.name, { note: text.value.trim() }); dialog.close(); }, { class: 'btn primary' }), button('Cancel', () => dialog.close())));
    dialog.onclick = null;
    dialog.showModal();
    text.focus();
  }

  pin() {
    const all = pins(), same = all.findIndex(p => samePin(p, this.sel));
    if (same >= 0) all.splice(same, 1);
    else all.push(this.sel);
    if (all.length > 6) announce('Six maps are compared at most: the first pin is gone.');
    set({ pins: pinText(all) });
  }

  stage() {
    const { c } = this, kind = kindOf(c);
    const [width, height] = drawingSize(c, 560);
    this.canvas = el('canvas', {
      id: 'overlay', width, height, role: 'img', tabindex: '0',
      onmousemove: e => this.read(e), onmouseleave: () => this.read(null), onkeydown: e => this.stageKey(e),
      onpointerdown: e => this.grab(e), onpointermove: e => this.drag(e), onpointerup: () => { this.held = null; },
      onwheel: e => { if (e.ctrlKey || e.metaKey) { e.preventDefault(); this.zoomAt(e.deltaY < 0 ? 1.25 : .8, e); } },
    });
    this.beside = el('canvas', { width, height, role: 'img', 'aria-label': 'What was fed' });
    this.bar = el('canvas', { width: 256, height: 1, 'aria-hidden': 'true' });
    this.low = el('span', { id: 'scale-low' });
    this.high = el('span', { id: 'scale-high' });
    this.readout = el('div', { class: 'readout', id: 'readout' });
    const zoomable = kind === 'picture' || kind === 'volume';
    const frame = kind === 'words' ? this.words = el('div', { class: 'words', id: 'words', tabindex: '0', role: 'group', 'aria-label': 'Words with their heat' })
      : this.frame = el('div', { class: 'frame' }, this.canvas);
    if (kind !== 'words') this.words = null;
    else wordKeys(this.words, k => this.pointWord(k));
    return el('section', { class: 'card stage', 'aria-label': 'Heatmap' },
      el('figure', {}, this.pair = el('div', { class: 'sides' }, el('div', { class: 'frame beside' }, this.beside), frame),
        kind === 'volume' ? this.slices() : null,
        this.layers.length ? el('div', { class: 'scale' }, this.low, this.bar, this.high) : null,
        el('div', { class: 'stagefoot' }, this.readout,
          zoomable ? el('div', { class: 'zooms', role: 'group', 'aria-label': 'Zoom' },
            el('button', { class: 'icon small', type: 'button', 'aria-label': 'Zoom out', title: 'Zoom out (−)', onclick: () => this.zoomAt(.8) }, '−'),
            el('button', { class: 'icon small', type: 'button', 'aria-label': 'Zoom in', title: 'Zoom in (+)', onclick: () => this.zoomAt(1.25) }, '+'),
            el('button', { class: 'icon small wide', type: 'button', 'aria-label': '1:1, a pixel of the picture is a pixel of the screen', title: 'A pixel of the picture is a pixel of the screen', onclick: () => this.oneToOne() }, '1:1'),
            el('button', { class: 'icon small wide', type: 'button', 'aria-label': 'fit the whole picture', title: 'Whole picture', onclick: () => this.zoomTo(1, 0, 0) }, 'fit')) : null),
        el('div', { class: 'take' },
          el('button', { type: 'button', class: 'link', id: 'figure-png', onclick: () => figurePng(c, this.sel) }, 'PNG'),
          el('button', { type: 'button', class: 'link', id: 'figure-svg', onclick: () => figureSvg(c, this.sel) }, 'SVG'),
          el('button', { type: 'button', class: 'link', onclick: () => this.saveMap() }, 'map as CSV'),
          el('button', { type: 'button', class: 'link', onclick: () => copyLink() }, 'copy link'))));
  }

  /** A slider and all slices at a glance. */
  slices() {
    const n = slicesOf(this.c), now = Math.floor(depthOf(this.c, this.sel) * n);
    const said = el('output', { for: 'slice' }, `slice ${now + 1} of ${n}`);
    const choose = v => set({ slice: v });
    const [w, h] = drawingSize(this.c, 64);
    this.sliceCells = Array.from({ length: n }, (_, k) => el('canvas', { width: w, height: h }));
    this.sliceSaid = said;
    return el('div', {},
      el('div', { class: 'slide' }, el('input', { type: 'range', id: 'slice', min: '0', max: String(n - 1), value: String(now), 'aria-label': 'Slice', oninput: e => choose(Number(e.target.value)) }), said),
      el('div', { class: 'strip', role: 'group', 'aria-label': 'All slices' }, this.sliceCells.map((canvas, k) =>
        el('button', { type: 'button', class: 'slice', 'aria-label': `Slice ${k + 1}`, 'aria-pressed': String(k === now), onclick: () => choose(k) }, canvas))));
  }

  controls() {
    const { c, sel } = this;
    if (!c.maps.length && !c.masks.length && !c.boxes && !c.segmentation) return null;
    const controls = el('div', { class: 'controls' });
    const add = (name, control) => controls.append(el('span', { class: 'k' }, name), control);
    if (c.targets.length) add('Class', choice('target', 'Class that is explained', c.targets.map((t, k) => [k, t.label]), sel.t, v => set({ class: +v })));
    if (this.methods.length) add('Method', choice('method', 'CAM method', this.methods.map(m => [m, methodName(m)]), sel.method, v => set({ method: v })));
    if (this.layers.length) {
      add('Layer', choice('layer', 'Layer', this.layers, sel.layer, v => set({ layer: v })));
      add('View', choice('look', 'How map and picture are shown', [['overlay', 'overlay'], ['side', 'beside'], ...(kindOf(c) === 'words' ? [] : [['swipe', 'swipe']]), ['original', 'original']], state.look, v => set({ look: v })));
      add('Opacity', this.slider('opacity', 'Opacity of the heatmap', state.opacity, v => set({ opacity: v })));
      if (kindOf(c) !== 'words' && kindOf(c) !== 'signal') add('Contour', this.slider('contour', 'Contour at this share of the scale, 0: none', state.contour, v => set({ contour: v })));
      add('Colours', dropdown('colours', 'Colours', colourNames(), state.colours || usualColours(c), v => set({ colours: v === usualColours(c) ? '' : v })));
      add('Scale', choice('scale', 'Range of the colours', [['own', 'of this map'], ['shared', 'shared']], state.scale, v => set({ scale: v })));
    }
    const toggle = (id, text, title) => check(id, text, title, state[id], v => set({ [id]: v }));
    add('Show', el('div', { class: 'checks' },
      this.layers.length ? [toggle('cells', 'cells', 'The map as it is, without interpolation'), toggle('fade', 'fade cold', 'Cold areas let the picture through')] : null,
      c.masks.length ? toggle('outline', 'ground truth', 'Outline of the object') : null,
      c.boxes ? toggle('boxes', 'boxes', 'What the detector found') : null,
      c.segmentation ? toggle('segments', 'segmentation', 'The class of each place') : null));
    return el('section', { class: 'card', 'aria-label': 'What is shown' }, controls,
      c.segmentation && state.segments ? this.segmentKey() : null);
  }

  segmentKey() {
    const { labels, bytes } = this.c.segmentation, seen = [...new Set(bytes)].filter(k => k > 0).sort((a, b) => a - b);
    return el('p', { class: 'small muted' }, seen.map(k => [el('i', { class: 'swatch', style: `background:${lineColours[(k - 1) % lineColours.length]}` }), labels[k] || `class ${k}`, ' ']));
  }

  slider(id, label, value, change) {
    const output = el('output', { for: id }, value + ' %');
    return el('div', { class: 'slide' }, el('input', { type: 'range', id, min: '0', max: '100', value: String(value), 'aria-label': label, oninput: e => change(Number(e.target.value)) }), output);
  }

  /** After a redraw the control that was used has the keyboard again. */
  focus(id) {
    const control = $(id);
    const target = control && (control.matches('.seg') ? control.querySelector('input:checked') : control);
    if (target) target.focus({ preventScroll: true });
  }

  paint() {
    const { c, canvas, sel } = this;
    if (!c || !canvas) return;
    for (const id of ['opacity', 'contour']) {
      const slider = $(id);
      if (slider) { slider.value = String(state[id]); slider.parentNode.querySelector('output').textContent = state[id] + ' %'; }
    }
    this.heat = sel.method ? heatFor(c, sel, canvas.width, canvas.height, sharedTop(c, sel)) : null;
    const look = { heat: this.heat, opacity: state.opacity / 100, look: state.look === 'side' ? 'overlay' : state.look, split: this.split, depth: depthOf(c, sel), zoom: this.zoom };
    this.pair.classList.toggle('two', state.look === 'side');
    canvas.style.touchAction = state.look === 'swipe' || this.zoom.k > 1 ? 'none' : '';
    if (state.look === 'side') draw(this.beside, c, { ...look, look: 'original' });
    if (this.words) this.paintWords();
    else draw(canvas, c, look);
    const t = c.targets[sel.t];
    canvas.setAttribute('aria-label', this.heat
      ? `${methodName(sel.method)} of ${t ? t.label : 'the output'} at ${sel.layer || 'all layers'} over the ${kindOf(c)}`
      : `The ${kindOf(c)}`);
    if (this.heat) {
      paintScale(this.bar, this.heat.signed);
      this.low.textContent = endOf(this.heat, 'low');
      this.high.textContent = endOf(this.heat, 'high');
    }
    if (this.sliceCells) this.paintSlices();
    this.read(null);
    clearTimeout(this.later);
    this.later = setTimeout(() => this.minis(), 0);
  }

  paintSlices() {
    const { c, sel } = this;
    if (kindOf(c) !== 'volume') return;
    const n = slicesOf(c), now = Math.floor(depthOf(c, sel) * n);
    this.sliceSaid.textContent = `slice ${now + 1} of ${n}`;
    if ($('slice')) $('slice').value = String(now);
    this.sliceCells.forEach((canvas, k) => {
      const depth = (k + .5) / n;
      const heat = sel.method ? heatmap(c, sel, { cells: state.cells, signed: signedNow(c), depth, top: sharedTop(c, sel) }, canvas.width, canvas.height) : null;
      draw(canvas, c, { heat, opacity: state.opacity / 100, look: state.look === 'original' ? 'original' : 'overlay', depth, plain: true });
      canvas.parentNode.setAttribute('aria-pressed', String(k === now));
    });
  }

  paintWords() {
    const { c, heat } = this;
    fill(this.words, wordElements(c, state.look === 'original' ? null : heat, state.opacity / 100, k => this.pointWord(k)));
  }

  pointWord(k) {
    markWord(this.words, k);
    this.readout.textContent = sayWord(this.c, this.heat, k);
  }

  // zoom and pan

  zoomTo(k, x, y) {
    k = Math.max(1, Math.min(16, k));
    this.zoom = { k, x: Math.max(0, Math.min(1 - 1 / k, x)), y: Math.max(0, Math.min(1 - 1 / k, y)) };
    this.canvas.classList.toggle('zoomed', k > 1);
    this.paint();
  }

  /** @param {number} factor @param {MouseEvent} [event] */
  zoomAt(factor, event) {
    const box = this.canvas.getBoundingClientRect(), { k, x, y } = this.zoom;
    const fx = event ? (event.clientX - box.left) / box.width : .5, fy = event ? (event.clientY - box.top) / box.height : .5;
    const next = Math.max(1, Math.min(16, k * factor));
    this.zoomTo(next, x + fx / k - fx / next, y + fy / k - fy / next);
  }

  oneToOne() {
    const { c } = this, width = c.image ? c.image.width : c.volume ? c.volume.w : this.canvas.width;
    const k = width / this.canvas.getBoundingClientRect().width;
    this.zoomTo(k, .5 - .5 / Math.max(1, k), .5 - .5 / Math.max(1, k));
    if (k < 1) announce('The picture is smaller than its frame.');
  }

  grab(e) {
    if (state.look === 'swipe' || this.zoom.k > 1) { this.held = { x: e.clientX, y: e.clientY, zoom: this.zoom }; this.canvas.setPointerCapture(e.pointerId); this.drag(e); }
  }

  drag(e) {
    if (!this.held) return;
    const box = this.canvas.getBoundingClientRect();
    if (state.look === 'swipe') {
      let f = (e.clientX - box.left) / box.width;
      if (kindOf(this.c) === 'signal') { const area = signalArea(this.canvas.width, this.canvas.height); f = (f - area.x0) / (area.x1 - area.x0); }
      this.split = Math.max(0, Math.min(1, f));
      this.paint();
    } else {
      const { zoom } = this.held;
      this.zoomTo(zoom.k, zoom.x - (e.clientX - this.held.x) / box.width / zoom.k, zoom.y - (e.clientY - this.held.y) / box.height / zoom.k);
    }
  }

  /** On the picture: arrows move it or the swipe, + and − zoom. @param {KeyboardEvent} e */
  stageKey(e) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (e.key === '+' || e.key === '=') this.zoomAt(1.25);
    else if (e.key === '-') this.zoomAt(.8);
    else if (e.key === '0') this.zoomTo(1, 0, 0);
    else if (by && state.look === 'swipe' && by[0]) { this.split = Math.max(0, Math.min(1, this.split + .05 * by[0])); this.paint(); }
    else if (by && this.zoom.k > 1) this.zoomTo(this.zoom.k, this.zoom.x + .1 * by[0] / this.zoom.k, this.zoom.y + .1 * by[1] / this.zoom.k);
    else if (by) {
      this.cursor = { x: Math.max(0, Math.min(.999, (this.cursor?.x ?? .5) + .04 * by[0])), y: Math.max(0, Math.min(.999, (this.cursor?.y ?? .5) + .04 * by[1])) };
      this.paint();
      cross(this.canvas, this.cursor.x, this.cursor.y, kindOf(this.c) !== 'signal');
      this.sayAt(this.cursor.x, this.cursor.y);
    }
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  /** Value under the pointer; without a pointer the range of the map. @param {MouseEvent | null} event */
  read(event) {
    const { heat, c } = this;
    if (!heat) {
      this.readout.textContent = c.maps.length ? 'No map for this choice.' : 'No maps in this capture.';
      return;
    }
    if (!event) {
      const one = heat.maps.length === 1 ? heat.maps[0] : null;
      this.readout.textContent = one
        ? (one.l === undefined ? `finished heatmap ${one.s.slice().reverse().join('×')}` : `raw map ${one.s.slice().reverse().join('×')}, ${short(one.min)} to ${short(one.max)}`)
        : `mean of ${heat.maps.length} layers, each scaled to its own range`;
      return;
    }
    const box = this.canvas.getBoundingClientRect();
    this.sayAt((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }

  /** @param {number} px @param {number} py fractions of the canvas */
  sayAt(px, py) {
    this.readout.textContent = valueAt(this.c, this.heat, px, py, this.canvas, depthOf(this.c, this.sel), this.zoom);
  }

  predictions() {
    const { c, sel } = this;
    if (!c.predictions.length) return null;
    const chosenTarget = c.targets[sel.t], right = new Set(c.truth);
    return el('section', { class: 'card', 'aria-label': 'Predictions' }, cardHead('Predictions', takeAlong({ name: `predictions of ${shortName(c.name)}`,
      chart: () => barsFigure(c.predictions.map(p => [p.label, Math.max(0, p.p || 0), p.p === null ? short(p.score) : percent(p.p)])),
      rows: () => [['class', 'label', 'probability', 'score'], ...c.predictions.map(p => [p.i, p.label, p.p, p.score])] })),
      el('ol', { class: 'preds', id: 'predictions' }, c.predictions.map(p => {
        const bar = el('div', { class: 'fill' });
        bar.style.width = Math.max(0, Math.min(100, 100 * (p.p || 0))) + '%';
        const t = c.targets.findIndex(x => x.i === p.i && x.label === p.label);
        const name = right.has(p.label) ? [p.label, el('span', { class: 'right', title: 'the right class' }, ' ✓')] : p.label;
        return el('li', { class: chosenTarget && chosenTarget.i === p.i ? 'target' : null, title: `class ${p.i}` + (p.score === null ? '' : `, score ${short(p.score)}`) + (t >= 0 ? ', explained' : '') },
          t >= 0 && c.targets.length > 1 ? el('button', { type: 'button', class: 'label link', onclick: () => set({ class: t }) }, name) : el('span', { class: 'label' }, name),
          el('span', { class: 'track', 'aria-hidden': 'true' }, bar), el('span', { class: 'val' }, p.p === null ? short(p.score) : percent(p.p)));
      })),
      c.truth.length && !c.predictions.some(p => right.has(p.label)) ? el('p', { class: 'small muted' }, `It shows ${c.truth.join(', ')}, which is not among these.`) : null);
  }

  /** The choices along an axis of the matrix: [name, change of the selection]. @param {string} what @returns {[string, Partial<Selection>][]} */
  axis(what) {
    const { c, sel } = this;
    if (what === 'class') return c.targets.map((t, k) => [t.label, { t: k }]);
    if (what === 'method') return this.methods.map(m => [methodName(m), { method: m }]);
    if (what === 'layer') return this.layers.map(l => [l[1], { layer: l[0] }]);
    const rows = matching(), at = Math.max(0, rows.indexOf(sel.i)), pinned = [...new Set(pins().map(p => p.i))];
    const list = pinned.length > 1 ? pinned : rows.slice(Math.max(0, Math.min(rows.length - 5, at - 2)), Math.max(0, Math.min(rows.length - 5, at - 2)) + 5);
    return list.map(i => [shortName(index.captures[i][R.NAME]), { i }]);
  }

  /** A map for every pair of two choices. */
  matrix() {
    const { c, sel } = this;
    if (c.maps.length < 2 && index.captures.length < 2) return null;
    if (!c.maps.length) return null;
    this.cells = [];
    const names = [['class', 'class'], ['method', 'method'], ['layer', 'layer'], ['capture', 'capture']];
    const rows = this.axis(state.rows);
    /** @type {[string, Partial<Selection>][]} */
    const columns = state.rows === state.columns ? [['', {}]] : this.axis(state.columns);
    const side = columns.length > 4 || kindOf(c) === 'signal' || kindOf(c) === 'words' ? 96 : 104;
    const groups = rows.map(([name, change]) => el('div', { class: 'group' }, el('p', {}, name),
      el('div', { class: 'minis' }, columns.map(([label, other]) => {
        const cell = { ...sel, ...change, ...other };
        const [width, height] = drawingSize(c, side);
        const canvas = el('canvas', { width, height, 'aria-hidden': 'true' });
        const pressed = cell.i === sel.i && cell.t === sel.t && cell.method === sel.method && cell.layer === sel.layer;
        const mini = el('button', {
          class: 'mini', type: 'button', 'data-target': String(cell.t), 'data-method': cell.method, 'data-layer': cell.layer, 'aria-pressed': String(pressed),
          'aria-label': label ? `Show ${label} of ${name}` : `Show the map of ${name}`,
          onclick: () => set({ capture: cell.i, class: cell.t, method: cell.method, layer: cell.layer }),
        }, canvas, label || '');
        this.cells.push({ canvas, cell, mini });
        return mini;
      }))));
    const card = el('section', { class: 'card', 'aria-label': 'All maps' },
      el('div', { class: 'cardhead' }, el('h3', {}, 'All maps'), el('span', { class: 'grow' }),
        el('span', { class: 'inline' }, 'rows', dropdown('rows', 'Rows of the matrix', names, state.rows, v => set({ rows: v }))),
        el('span', { class: 'inline' }, 'columns', dropdown('columns', 'Columns of the matrix', names, state.columns, v => set({ columns: v }))),
        takeAlong({ name: `maps of ${shortName(c.name)}`, chart: () => tilesFigure([...card.querySelectorAll('.group')].flatMap(g => tilesOf(g, '.mini').map(t => ({ ...t, caption: [g.firstChild.textContent, t.caption].filter(Boolean).join(' · ') }))), this.scaleOfMaps()) })),
      groups);
    return card;
  }

  /** The bar below many maps: one range if they share it. */
  scaleOfMaps() {
    const signed = signedNow(this.c), tops = [...(this.tops || new Map()).values()];
    if (tops.length !== 1) return { signed, low: signed ? 'against, of each' : 'least of each', high: signed ? 'for, of each' : 'most of each' };
    return { signed, low: signed ? short(-tops[0]) : '0', high: short(tops[0]) };
  }

  /** Draws the matrix. Methods have units of their own: maps share a scale with those of the same method. */
  async minis() {
    if (!this.cells) return;
    const cells = this.cells, found = [];
    for (const { canvas, cell, mini } of cells) {
      const c = cell.i === this.c.i ? this.c : await capture(cell.i);
      if (this.cells !== cells || !c) return;
      const layers = layersOf(c, cell.method).map(l => l[0]);
      const exact = { t: cell.t, method: cell.method, layer: layers.includes(cell.layer) ? cell.layer : layers[0] ?? '' };
      const there = mapsOf(c, exact.t, exact.method, exact.layer, signedNow(c)).length > 0;
      mini.hidden = !there && cell.i === this.c.i;
      const group = mini.closest('.group');
      group.hidden = [...group.querySelectorAll('.mini')].every(other => other.hidden);
      if (there) found.push({ canvas, c, exact });
    }
    this.tops = new Map();
    for (const { c, exact } of found) if (state.scale === 'shared') this.tops.set(exact.method, Math.max(this.tops.get(exact.method) || 0, sharedTop(c, exact)));
    for (const { canvas, c, exact } of found) {
      draw(canvas, c, { heat: heatFor(c, exact, canvas.width, canvas.height, this.tops.get(exact.method) || 0), opacity: state.opacity / 100, depth: depthOf(c, exact), plain: true });
    }
  }

  channels() {
    if (!this.c) return;
    const { c, sel } = this;
    const layer = c.channels.some(ch => ch.l === sel.layer) ? sel.layer : c.channels.length ? c.channels[c.channels.length - 1].l : '';
    fill(this.channelSlot, channelsCard(c, layer, sel.t));
  }

  metadata() {
    const { c } = this;
    const rows = [...c.meta];
    if (c.picture) rows.unshift(['picture', `${c.picture.w} × ${c.picture.h}${c.image && c.image.width < c.picture.w ? `, kept here at ${c.image.width} × ${c.image.height}` : ''}`]);
    if (c.signal) rows.unshift(['signal', `${plural(c.signal.c, 'channel')} of ${count(c.signal.n)}, ${short(c.signal.min)} to ${short(c.signal.max)}`]);
    if (c.volume) rows.unshift(['volume', `${c.volume.d} slices of ${c.volume.w} × ${c.volume.h}`]);
    if (c.tokens) rows.unshift(['text', `${count(c.tokens.length)} tokens`]);
    c.targets.forEach(t => { if (t.score !== null) rows.unshift([`score of ${t.label}`, short(t.score)]); });
    if (c.truth.length && !rows.some(r => r[0] === 'shows')) rows.push(['shows', c.truth.join(', ')]);
    rows.push(['capture', c.id]);
    return el('section', { class: 'card', 'aria-label': 'Metadata' }, cardHead('Details', takeAlong({ name: `details of ${shortName(c.name)}`, rows: () => [['what', 'value'], ...rows] })),
      el('p', { class: 'printonly' }, `${methodName(this.sel.method)} · ${this.sel.layer || 'all layers'} · ${settings(c)}`),
      el('table', { class: 'meta' }, el('tbody', {}, rows.map(([k, v]) => el('tr', {}, el('th', { scope: 'row' }, k), el('td', {}, v))))));
  }

  saveMap() {
    const { heat, c, sel } = this;
    if (!heat) return;
    const rows = [['layer', 'slice', 'row', 'column', 'value']];
    for (const map of heat.maps) {
      const { w, h } = sizes(map), values = map.values();
      values.forEach((v, k) => rows.push([map.l || '', String(Math.floor(k / (w * h))), String(Math.floor(k / w) % h), String(k % w), String(v)]));
    }
    saveCsv(`${c.name}-${sel.method}`, rows);
  }

  /** The next value of a choice. @param {'class' | 'method' | 'layer'} what */
  next(what) {
    if (!this.c) return;
    const values = { class: this.c.targets.map((_, k) => k), method: this.methods, layer: this.layers.map(l => l[0]) }[what];
    const now = { class: this.sel.t, method: this.sel.method, layer: this.sel.layer }[what];
    if (values.length > 1) set({ [what]: values[(values.indexOf(/** @type {never} */ (now)) + 1) % values.length] });
  }
}

const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
const wrapped = card => card ? el('div', { class: 'gap' }, card) : null;

/** What is at a place of a drawing, in words. */
export function valueAt(c, heat, px, py, canvas, depth, zoom = { k: 1, x: 0, y: 0 }) {
  if (!heat) return '';
  const kind = kindOf(c), one = heat.maps.length === 1 ? heat.maps[0] : null;
  if (kind === 'signal' || kind === 'words') {
    const area = kind === 'signal' ? signalArea(canvas.width, canvas.height) : { x0: 0, x1: 1 };
    const f = Math.max(0, Math.min(.9999, (px - area.x0) / (area.x1 - area.x0))), at = Math.floor(f * heat.w);
    let text = `position ${at}: heat ${heat.values[at].toFixed(2)}`;
    if (one) { const w = sizes(one).w, cell = Math.floor(f * w); text += ` · cell ${cell} raw ${short(one.values()[cell])}`; }
    if (c.signal) text += ' · signal ' + Array.from({ length: Math.min(4, c.signal.c) }, (_, k) => short(c.signal.values()[k * c.signal.n + Math.floor(f * c.signal.n)])).join(', ');
    return text;
  }
  const fx = Math.max(0, Math.min(.9999, zoom.x + px / zoom.k)), fy = Math.max(0, Math.min(.9999, zoom.y + py / zoom.k));
  let text = `heat ${heat.values[Math.floor(fy * heat.h) * heat.w + Math.floor(fx * heat.w)].toFixed(2)}`;
  if (one) {
    const { w, h, d } = sizes(one), x = Math.floor(fx * w), y = Math.floor(fy * h), z = Math.min(d - 1, Math.floor(depth * d));
    text += ` · cell (${d > 1 ? `${x}, ${y}, ${z}` : `${x}, ${y}`}) raw ${short(one.values()[z * w * h + y * w + x])}`;
  }
  if (c.picture) text += ` · pixel (${Math.floor(fx * c.picture.w)}, ${Math.floor(fy * c.picture.h)})`;
  return text;
}

async function copyLink() {
  if (location.protocol === 'about:') return announce('This page lies in another one and has no address of its own.');
  try {
    await navigator.clipboard.writeText(location.href);
    announce('Link copied');
  } catch {
    announce('The browser does not let the page copy: the link is in the address bar.');
  }
}

export { partnerOf };
