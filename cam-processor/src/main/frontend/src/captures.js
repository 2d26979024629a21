// The tab "Captures": what it is filtered and sorted by, and the list, grid, table, capture or comparison below.

import { index, R, served, shortName, verdict } from './data.js';
import { chips, clear, flipped, matching, numberColumns, partner, ranges, selectionKeys, setRange, summary, tally } from './filter.js';
import { CaptureGrid, CaptureList, CaptureTable } from './list.js';
import { CaptureView, choiceKeys, paintKeys } from './capture.js';
import { CompareView } from './compare.js';
import { contactSheet } from './print.js';
import { noteOf, onNotes } from './notes.js';
import { saveCsv } from './figure.js';
import { pins } from './pick.js';
import { set, state, watch } from './store.js';
import { $, button, choice, count, dropdown, el, fill, nothing, plural } from './dom.js';

/** @type {CaptureView} */
export let view = null;
/** @type {CaptureList} */
let list = null;
/** @type {CaptureGrid} */
let grid = null;
/** @type {CaptureTable} */
let table = null;
/** @type {CompareView} */
let compare = null;

const views = [['one', 'One'], ['grid', 'Grid'], ['list', 'List'], ['compare', 'Compare']];

export function beginCaptures() {
  const pane = $('capture');
  if (!index.captures.length) {
    document.querySelector('.side').setAttribute('hidden', '');
    $('captures').classList.add('alone');
    $('toolbar').hidden = true;
    fill(pane, served ? nothing('No captures yet', 'They appear here as they are recorded.') : nothing('No captures in this report', 'The recording holds none. Was the model called, and does sampling let calls through? The agent says at exit how many passes it saw and captured.'));
    return;
  }
  view = new CaptureView(pane);
  list = new CaptureList();
  grid = new CaptureGrid($('gridview'));
  table = new CaptureTable($('tableview'));
  compare = new CompareView($('compareview'));
  $('search').addEventListener('input', e => set({ q: e.target.value }));
  $('class').addEventListener('change', e => set({ label: e.target.value }));
  watch([...selectionKeys], selectionChanged);
  watch(['tab', 'view', 'capture'], placeChanged);
  watch(choiceKeys, () => { if (shows('one')) { view.draw(); } if (shows('grid')) grid.renew(false); });
  watch(['chsort', 'chscale'], () => view.channels());
  watch(paintKeys, keys => {
    if (shows('one')) { if (keys.has('look') || keys.has('segments')) view.draw(); else view.paint(); }
    if (shows('compare')) compare.draw();
    if (shows('grid') && (keys.has('colours') || keys.has('opacity') || keys.has('fade'))) grid.renew(false);
  });
  watch(['pins'], () => { toolbar(); if (shows('one')) view.draw(); if (shows('compare')) compare.draw(); });
  onNotes(() => { list.renew(false); if (shows('one')) view.draw(); else if (shows('grid')) grid.renew(false); else if (shows('list')) table.renew(false); });
  classes();
  toolbar();
  if (!matching().includes(state.capture) && matching().length && location.hash.includes('capture=') === false) set({ capture: matching()[0] }, true);
  if (state.capture >= index.captures.length) set({ capture: index.captures.length - 1 }, true);
}

const shows = what => state.tab === 'captures' && state.view === what && !!view;

export function showCaptures() {
  if (!view) return;
  $('search').value = state.q;
  list.renew(false);
  placeChanged();
}

/** More captures have come. */
export function moreCaptures() {
  if (!view) { if (index.captures.length) location.reload(); return; }
  classes();
  toolbar();
  list.renew(false);
  if (shows('grid')) grid.renew(false);
  if (shows('list')) table.renew(false);
}

function selectionChanged() {
  if (document.activeElement !== $('search')) $('search').value = state.q;
  classes();
  toolbar();
  const rows = matching();
  if (state.tab === 'captures' && rows.length && !rows.includes(state.capture)) set({ capture: rows[0] }, true);
  list.renew(true);
  list.mark();
  if (shows('grid')) grid.renew(true);
  if (shows('list')) table.renew(true);
  if (shows('one') && view.c) view.draw();
}

/** @type {number} */
let shown = -1;
function placeChanged() {
  if (!view || state.tab !== 'captures') return;
  const name = views.some(v => v[0] === state.view) ? state.view : 'one';
  $('captures').dataset.view = name;
  for (const [id, part] of [['gridview', 'grid'], ['tableview', 'list'], ['compareview', 'compare']]) $(id).hidden = name !== part;
  $('capture').hidden = name !== 'one';
  document.querySelector('.side').toggleAttribute('hidden', name === 'grid' || name === 'list');
  toolbar();
  list.mark();
  if (name === 'grid') grid.renew(false);
  else if (name === 'list') table.renew(false);
  else if (name === 'compare') compare.draw();
  else if (shown !== state.capture || view.i !== state.capture) {
    shown = state.capture;
    view.show(state.capture).then(() => {
      if (!performance.getEntriesByName('camhook:ready').length) requestAnimationFrame(() => performance.mark('camhook:ready'));
    });
  } else if (view.c) view.draw();
}

/** The drop-down of predicted classes. */
function classes() {
  const counts = tally(row => row[R.LABEL], index.captures.map((_, i) => i));
  const sorted = [...counts].sort((a, b) => a[0].localeCompare(b[0], 'en', { numeric: true }));
  fill($('class'), el('option', { value: '' }, `All classes (${sorted.length})`),
    sorted.map(([label, n]) => el('option', { value: label, selected: label === state.label }, `${label} (${count(n)})`)));
  $('class').value = state.label;
}

/** Views, sorting, further filters, and what to take along. */
function toolbar() {
  const focus = document.activeElement && $('toolbar').contains(document.activeElement) ? document.activeElement.id || null : null;
  const open = $('morefilters') && $('morefilters').open;
  const number = numberColumns();
  const sorts = [['', index.pairs ? 'changed first' : 'recorded order'], ['name', 'name'], ['label', 'prediction'], ...number.flatMap(c => [['-' + c.id, `${c.name}, high first`], [c.id, `${c.name}, low first`]])];
  const n = pins().length;
  fill($('toolbar'),
    choice('view', 'View', views.map(([id, name]) => [id, id === 'compare' && n ? `${name} ${n}` : name]), state.view, v => set({ view: v })),
    el('span', { class: 'inline' }, el('label', { for: 'sortby' }, 'sort'), dropdown('sortby', 'Sort by', sorts, state.sort, v => set({ sort: v }))),
    el('details', { class: 'more', id: 'morefilters', open }, el('summary', {}, 'Filters'), filters(number)),
    el('span', { class: 'grow' }),
    el('span', { class: 'muted small', id: 'shown' }, summary()),
    button('CSV', () => saveTable(), { title: 'The selection as a table', 'aria-label': 'Selection as CSV' }),
    button('Print', contactSheet, { title: 'A contact sheet of the selection', 'aria-label': 'Print a contact sheet of the selection' }));
  if (focus && $(focus)) $(focus).focus({ preventScroll: true });
}

function filters(number) {
  const row = (name, control) => [el('span', { class: 'k' }, name), control];
  const any = (id, name, values, value, key) => row(name, dropdown(id, name, [['', 'any'], ...values.map(v => Array.isArray(v) ? v : [v, v])], value, v => set({ [key]: v })));
  const now = ranges();
  const truths = [...tally(r => r[R.TRUTH][0] || '', index.captures.map((_, i) => i)).keys()].sort();
  const range = c => {
    const [low, high] = now.get(c.id) || [-Infinity, Infinity];
    const input = (end, v) => el('input', { type: 'number', step: 'any', id: `range-${c.id}-${end}`, 'aria-label': `${c.name} ${end}`, value: Number.isFinite(v) ? String(Number(v.toPrecision(6))) : '', placeholder: end === 'from' ? 'least' : 'most', onchange: e => {
      const text = e.target.value, other = now.get(c.id) || [-Infinity, Infinity];
      const next = end === 'from' ? [text === '' ? -Infinity : Number(text), other[1]] : [other[0], text === '' ? Infinity : Number(text)];
      setRange(c.id, Number.isFinite(next[0]) || Number.isFinite(next[1]) ? /** @type {[number, number]} */ (next) : null);
    } });
    const clock = (end, v) => el('input', { type: 'datetime-local', step: '1', id: `range-time-${end}`, 'aria-label': `time ${end} (UTC)`, value: Number.isFinite(v) ? new Date(v).toISOString().slice(0, 19) : '', onchange: e => {
      const t = e.target.value ? Date.parse(e.target.value + 'Z') : NaN, other = now.get('time') || [-Infinity, Infinity];
      const next = end === 'from' ? [Number.isNaN(t) ? -Infinity : t, other[1]] : [other[0], Number.isNaN(t) ? Infinity : t];
      setRange('time', Number.isFinite(next[0]) || Number.isFinite(next[1]) ? /** @type {[number, number]} */ (next) : null);
    } });
    const make = c.id === 'time' ? clock : input;
    return row(c.id === 'p' ? 'confidence (0 to 1)' : c.id === 'time' ? 'time (UTC)' : c.name, el('span', { class: 'range' }, make('from', low), '–', make('to', high)));
  };
  return el('div', { class: 'popover' }, el('div', { class: 'controls' },
    index.models.length > 1 ? any('f-model', 'model', index.models, state.model, 'model') : null,
    index.sources.length > 1 ? any('f-source', 'recording', index.sources.map((s, k) => [String(k), s.path]), state.source, 'source') : null,
    truths.length ? [any('f-verdict', 'verdict', ['right', 'wrong'], state.verdict, 'verdict'), any('f-truth', 'shows', truths, state.truth, 'truth')] : null,
    index.layers.length > 1 ? any('f-layer', 'has layer', index.layers, state.layerHas, 'layerHas') : null,
    index.pairs ? any('f-changed', 'answer', [['1', 'changed']], state.changed, 'changed') : null,
    any('f-star', 'starred', [['1', 'starred']], state.star, 'star'),
    number.filter(c => index.captures.some(r => c.of(r) !== null)).map(range)),
  button('Clear all', clear));
}

function saveTable() {
  const number = numberColumns();
  saveCsv('captures', [['capture', 'name', 'model', 'prediction', 'shows', 'verdict', 'before_or_after', 'star', 'note', ...number.map(c => c.name)],
    ...matching().map(i => {
      const row = index.captures[i], note = noteOf(row[R.NAME]), other = partner(row);
      return [i + 1, row[R.NAME], index.models[row[R.MODEL]], row[R.LABEL], row[R.TRUTH].join(', '), verdict(row), other ? `${other[R.LABEL]}${flipped(row) ? ' (changed)' : ''}` : '', note.star ? '1' : '', note.note || '', ...number.map(c => c.id === 'time' && c.of(row) !== null ? c.print(c.of(row)) : c.of(row))];
    })]);
}

/** The chips of the filter, on every tab. */
export function drawChips() {
  const all = chips();
  $('chips').hidden = !all.length;
  fill($('chips'), el('span', { class: 'muted small' }, `${summary()} captures:`), all.map(chip => el('button', { type: 'button', class: 'chip', onclick: chip.lift, 'aria-label': `Lift filter ${chip.text}` }, chip.text, el('span', { 'aria-hidden': 'true' }, ' ×'))),
    all.length > 1 ? button('clear', clear, { class: 'btn small' }) : null);
}

export { plural, shortName };
