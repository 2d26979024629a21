// Captures as a list beside one of them, as a grid, or as a table: only what is in view exists.

import { base64, decoded, index, methodName, R, shortName, thumbnail, verdict } from './data.js';
import { drawThumbnail } from './draw.js';
import { flipped, matching, numberColumns, partner } from './filter.js';
import { noteOf } from './notes.js';
import { set, state } from './store.js';
import { $, count, el, fill, percent } from './dom.js';

/**
 * Rows of equal height, of which only those in view exist.
 * @param {HTMLElement} box what scrolls @param {HTMLElement} spacer as high as all rows
 * @param {{ height: () => number, total: () => number, row: (at: number) => HTMLElement, drawn?: (first: number, last: number) => void }} options
 */
function virtual(box, spacer, { height, total, row, drawn }) {
  /** @type {Map<number, HTMLElement>} */
  const rows = new Map();
  const draw = () => {
    if (!box.clientHeight) return;
    const h = height(), first = Math.max(0, Math.floor(box.scrollTop / h) - 2);
    const last = Math.min(total(), Math.ceil((box.scrollTop + box.clientHeight) / h) + 2);
    for (const [at, element] of rows) if (at < first || at >= last) { element.remove(); rows.delete(at); }
    for (let at = first; at < last; at++) {
      if (rows.has(at)) continue;
      const element = row(at);
      element.style.top = at * h + 'px';
      rows.set(at, element);
      spacer.append(element);
    }
    if (drawn) drawn(Math.min(total(), Math.floor(box.scrollTop / h + .5)), Math.min(total(), Math.floor((box.scrollTop + box.clientHeight) / h + .5)));
  };
  const renew = (/** @type {boolean} */ top) => {
    for (const element of rows.values()) element.remove();
    rows.clear();
    if (top) box.scrollTop = 0;
    spacer.style.height = total() * height() + 'px';
    draw();
  };
  box.addEventListener('scroll', draw, { passive: true });
  new ResizeObserver(() => draw()).observe(box);
  const reveal = (/** @type {number} */ at) => {
    const h = height(), top = at * h;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + h > box.scrollTop + box.clientHeight) box.scrollTop = top + h - box.clientHeight;
  };
  return { draw, renew, reveal, rows };
}

/** What is said of a capture under its name. */
function says(row) {
  const other = partner(row);
  if (other && flipped(row)) {
    const [before, after] = row[R.SOURCE] === 1 ? [other, row] : [row, other];
    return `${before[R.LABEL] || 'no class'} → ${after[R.LABEL] || 'no class'}`;
  }
  return row[R.LABEL] || 'no class';
}

const badge = row => verdict(row) === 'wrong' ? el('span', { class: 'wrong', title: `shows ${row[R.TRUTH].join(', ')}` }, '✕ wrong') : null;
const star = row => noteOf(row[R.NAME]).star ? el('span', { class: 'starred', title: 'starred' }, '★') : noteOf(row[R.NAME]).note ? el('span', { class: 'starred', title: 'has a note' }, '✎') : null;

const ROW = 62;

/** The list beside the capture. */
export class CaptureList {
  constructor() {
    this.box = $('list');
    this.virtual = virtual(this.box, $('spacer'), { height: () => ROW, total: () => matching().length, row: at => this.row(at), drawn: (first, last) => this.paged(first, last) });
    $('page-prev').addEventListener('click', () => this.page(-1));
    $('page-next').addEventListener('click', () => this.page(1));
    this.box.addEventListener('keydown', e => this.key(e));
  }

  row(at) {
    const i = matching()[at], row = index.captures[i];
    const thumb = el('div', { class: 'thumb', 'aria-hidden': 'true' });
    thumbnail(i).then(t => { if (t && t[0]) thumb.style.backgroundImage = `url(${t[0]})`; else thumb.textContent = '∿'; });
    return el('div', {
      class: 'row', role: 'option', id: 'row-' + i, 'aria-selected': String(i === state.capture),
      'aria-posinset': String(at + 1), 'aria-setsize': String(matching().length), onclick: () => set({ capture: i }),
    }, thumb, el('div', { class: 'text' },
      el('div', { class: 'name', title: row[R.NAME] }, star(row), shortName(row[R.NAME])),
      el('div', { class: 'what' }, el('span', {}, badge(row), badge(row) ? ' ' : null, says(row)), el('span', { class: 'num' }, row[R.P] === null ? '' : percent(row[R.P])))));
  }

  paged(first, last) {
    const n = matching().length;
    $('range').textContent = n ? `${count(first + 1)}–${count(Math.max(first + 1, last))} of ${count(n)}` : 'no match';
    $('page-prev').disabled = first === 0;
    $('page-next').disabled = last >= n;
  }

  perPage() { return Math.max(1, Math.floor(this.box.clientHeight / ROW)); }

  page(direction) {
    this.box.scrollTop = Math.max(0, (Math.round(this.box.scrollTop / ROW) + direction * this.perPage()) * ROW);
    this.virtual.draw();
  }

  renew(top) {
    this.virtual.renew(top);
    this.mark();
  }

  /** The chosen row is marked and in view. */
  mark() {
    const at = matching().indexOf(state.capture);
    if (at >= 0) this.virtual.reveal(at);
    this.virtual.draw();
    for (const [place, row] of this.virtual.rows) row.setAttribute('aria-selected', String(matching()[place] === state.capture));
    if (document.getElementById('row-' + state.capture)) this.box.setAttribute('aria-activedescendant', 'row-' + state.capture);
    else this.box.removeAttribute('aria-activedescendant');
  }

  /** Keys of a list; they do nothing elsewhere. @param {KeyboardEvent} e */
  key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const moves = { ArrowUp: -1, ArrowDown: 1, PageUp: -this.perPage(), PageDown: this.perPage(), Home: -Infinity, End: Infinity };
    if (!(e.key in moves)) return;
    move(moves[e.key]);
    e.preventDefault();
    e.stopPropagation();
  }
}

/** Chooses the capture `steps` further in the selection. @param {number} steps */
export function move(steps) {
  const rows = matching();
  if (!rows.length) return;
  const at = rows.indexOf(state.capture);
  const next = at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + steps));
  set({ capture: rows[next] }, true);
}

const TILE = { side: 148, gap: 12, text: 40 };

/** Thumbnails with their heat. */
export class CaptureGrid {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Promise<void>[]} */
    this.paints = [];
    this.spacer = el('div', { class: 'spacer' });
    this.virtual = virtual(root, this.spacer, { height: () => this.rowHeight(), total: () => Math.ceil(matching().length / this.columns()), row: at => this.row(at) });
    new ResizeObserver(() => { if (this.drawnColumns && this.drawnColumns !== this.columns()) this.virtual.renew(false); }).observe(root);
    fill(root, this.spacer);
    root.addEventListener('keydown', e => this.key(e));
  }

  width() { return Math.max(100, this.root.clientWidth - 24); }
  columns() { return Math.max(2, Math.floor((this.width() + TILE.gap) / (TILE.side + TILE.gap))); }
  tile() { return Math.floor((this.width() - (this.columns() - 1) * TILE.gap) / this.columns()); }
  rowHeight() { return this.tile() + TILE.text + TILE.gap; }

  row(at) {
    const columns = this.columns(), side = this.tile(), rows = matching();
    this.drawnColumns = columns;
    const line = el('div', { class: 'tiles', role: 'presentation' });
    line.style.gridTemplateColumns = `repeat(${columns}, ${side}px)`;
    line.style.gap = TILE.gap + 'px';
    for (const i of rows.slice(at * columns, (at + 1) * columns)) line.append(tile(i, side, this.paints));
    return line;
  }

  renew(top) {
    const start = performance.now(), paints = this.paints = [];
    this.virtual.renew(top);
    // for benchmarks: how long the tiles in view take, and how many they are
    Promise.all(paints).then(() => requestAnimationFrame(() => performance.measure('camhook:grid', { start, detail: paints.length })));
  }

  key(e) {
    const at = matching().indexOf(Number(e.target.dataset?.capture ?? -1));
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns(), ArrowDown: this.columns() };
    if (at < 0 || !(e.key in moves)) return;
    const next = Math.max(0, Math.min(matching().length - 1, at + moves[e.key]));
    this.virtual.reveal(Math.floor(next / this.columns()));
    this.virtual.draw();
    const target = this.root.querySelector(`[data-capture="${matching()[next]}"]`);
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
    e.preventDefault();
  }
}

/** A capture as a picture with its heat. @param {number} i @param {number} side @param {Promise<void>[]} [paints] takes what is done when it is painted */
export function tile(i, side, paints = []) {
  const row = index.captures[i], scale = Math.min(2, devicePixelRatio || 1), px = Math.min(160, Math.round(side * scale));
  const canvas = el('canvas', { width: px, height: px, 'aria-hidden': 'true' });
  paints.push(paintTile(canvas, i));
  return el('button', {
    class: 'tile', type: 'button', 'data-capture': String(i),
    title: row[R.NAME], onclick: () => set({ capture: i, view: 'one', tab: 'captures' }),
  }, canvas, el('span', { class: 'name' }, star(row), badge(row) ? el('span', { class: 'wrong' }, '✕ ', el('span', { class: 'hiddentext' }, 'wrong: ')) : null, shortName(row[R.NAME])),
  el('span', { class: 'what' }, el('span', {}, says(row)), el('span', { class: 'num' }, row[R.P] === null ? '' : percent(row[R.P]))));
}

/** Draws the thumbnail of a capture with the heat of the chosen method. @param {HTMLCanvasElement} canvas @param {number} i */
export async function paintTile(canvas, i) {
  const thumb = await thumbnail(i);
  if (!thumb) return;
  const image = thumb[0] ? await decoded(thumb[0]) : null;
  const heats = thumb[1], method = state.method in heats ? state.method : Object.keys(heats)[0];
  const heat = method ? heats[method] : null;
  drawThumbnail(canvas, image, heat, state.opacity / 100, heat && Float32Array.from(base64(heat[2]), v => v / 255));
}

const LINE = 44;

/** All that is known of each capture, sortable by every column. */
export class CaptureTable {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.head = el('div', { class: 'thead', role: 'row' });
    this.spacer = el('div', { class: 'spacer', role: 'rowgroup' });
    this.root = root;
    this.table = el('div', { class: 'ctable', role: 'table', 'aria-label': 'Captures' }, el('div', { role: 'rowgroup', class: 'theadgroup' }, this.head), this.spacer);
    fill(root, this.table);
    this.virtual = virtual(root, this.spacer, { height: () => LINE, total: () => matching().length, row: at => this.row(at) });
  }

  /** [id, name, width, cell, is a number] @returns {[string, string, number, (row: any) => any, boolean?][]} */
  columns() {
    const truth = index.captures.some(row => row[R.TRUTH].length);
    const numbers = numberColumns();
    /** @type {any} */
    const columns = [
      ['name', 'capture', 230, row => [star(row), shortName(row[R.NAME])]],
      ['label', 'prediction', 130, row => says(row)],
      ...(truth ? [['truth', 'shows', 110, row => row[R.TRUTH].join(', ')], ['verdict', 'verdict', 80, row => badge(row) || verdict(row)]] : []),
      ...(index.models.length > 1 ? [['model', 'model', 120, row => index.models[row[R.MODEL]]]] : []),
      ...numbers.map(c => [c.id, c.name, c.id === 'time' ? 160 : Math.max(110, 7.5 * c.name.length + 24), row => { const v = c.of(row); return v === null ? '–' : c.print(v); }, true]),
    ];
    return columns;
  }

  row(at) {
    const i = matching()[at], row = index.captures[i];
    const line = el('div', { class: 'tline', role: 'row', 'aria-selected': String(i === state.capture), onclick: () => set({ capture: i, view: 'one' }) },
      this.columns().map(([id, , , cell, number], k) => el('span', { role: 'cell', class: number ? 'num' : null },
        k === 0 ? el('button', { type: 'button', class: 'link', title: row[R.NAME] }, cell(row)) : cell(row))));
    line.style.gridTemplateColumns = this.template;
    return line;
  }

  renew(top) {
    const columns = this.columns();
    this.template = columns.map(c => `minmax(${c[2]}px, ${c[2]}fr)`).join(' ');
    this.head.style.gridTemplateColumns = this.template;
    this.table.style.minWidth = columns.reduce((sum, c) => sum + Number(c[2]) + 12, 0) + 'px';
    const down = state.sort.startsWith('-'), by = down ? state.sort.slice(1) : state.sort;
    fill(this.head, columns.map(([id, name, , , number]) => el('span', { role: 'columnheader', class: number ? 'num' : null, 'aria-sort': by === id ? (down ? 'descending' : 'ascending') : 'none' },
      el('button', { type: 'button', class: 'sorter', onclick: () => set({ sort: by !== id ? (number ? '-' + id : id) : down === !!number ? (down ? id : '-' + id) : '' }) },
        name, by === id ? (down ? ' ↓' : ' ↑') : ''))));
    this.virtual.renew(top);
  }
}

export { methodName };
