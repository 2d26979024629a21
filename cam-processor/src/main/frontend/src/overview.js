// Where the captures come from, whether they are whole, and where to look first. Every mark filters.

import { base64, index, methodName, R, verdict } from './data.js';
import { coloured, css, isLight, tableNow } from './colour.js';
import { bars, binned, cardHead, histogram, takeAlong } from './charts.js';
import { matching, numberColumns, ranges, setRange, tally } from './filter.js';
import { exportNotes, importNotes, size } from './notes.js';
import { tile } from './list.js';
import { set, state } from './store.js';
import { barsFigure, histogramFigure, tableFigure, tilesFigure, tilesOf } from './cardfigure.js';
import { $, announce, button, count, el, fill, percent, plural, short, when } from './dom.js';

/** What is wrong with the recordings, one line each: shown on every tab. @returns {string[]} */
export function troubles() {
  const all = [];
  for (const s of index.sources) {
    const name = index.sources.length > 1 ? `${s.path}: ` : '';
    if (s.damage.length) all.push(`${name}${s.damage.length === 1 ? s.damage[0] : `${s.damage[0]} (and ${s.damage.length - 1} more)`}`);
    if (!s.complete) all.push(name + (s.runs.length ? 'the recording was not closed: it is still written, or its program was killed.' : 'the recording has not begun yet.'));
    const lost = s.runs.reduce((sum, run) => sum + (run.counters ? run.counters.dropped + run.counters.failed : 0), 0);
    if (lost) all.push(`${name}${plural(lost, 'capture')} of the run ${lost === 1 ? 'was' : 'were'} dropped or failed and ${lost === 1 ? 'is' : 'are'} not here.`);
  }
  return all;
}

/** @param {HTMLElement} root */
export function drawOverview(root) {
  const rows = matching();
  const labels = [...tally(row => row[R.LABEL], rows)].sort((a, b) => b[1] - a[1]);
  fill(root, el('div', { class: 'inner' },
    el('div', {}, el('h2', {}, index.title || 'Overview'), el('p', { class: 'lede' }, 'Where these captures come from, whether they are whole, and where to look first. Every mark filters all tabs.')),
    el('div', { class: 'tilesrow' }, facts(rows)),
    el('div', { class: 'two' },
      labels.length ? classes(labels) : null,
      index.models.length > 1 ? models(rows) : null,
      rows.some(i => index.captures[i][R.P] !== null) ? confidence(rows) : null,
      confusion(rows), el('div', { class: 'stack' }, agreement(), times(rows))),
    worst(rows), meanMaps(), provenanceCard(), notesCard(), howTo()));
}

function facts(rows) {
  const n = rows.length, known = rows.filter(i => verdict(index.captures[i])), wrong = known.filter(i => verdict(index.captures[i]) === 'wrong').length;
  const runs = index.sources.flatMap(s => s.runs).filter(r => r.counters), sum = key => runs.reduce((total, r) => total + r.counters[key], 0);
  const fact = (value, what, onclick) => onclick ? el('button', { type: 'button', class: 'fact', onclick }, el('b', {}, value), el('span', {}, what)) : el('div', { class: 'fact' }, el('b', {}, value), el('span', {}, what));
  const flips = index.pairs ? index.pairs.filter(([a, b]) => index.captures[a][R.LABEL] !== index.captures[b][R.LABEL]).length : 0;
  return [
    fact(count(n), n === index.captures.length ? 'captures' : `of ${count(index.captures.length)} captures`, () => set({ tab: 'captures', view: 'grid' })),
    index.pairs ? fact(count(flips), `of ${plural(index.pairs.length, 'pair')} changed the answer`, () => set({ changed: '1', tab: 'captures', view: 'one' })) : null,
    known.length ? fact(percent((known.length - wrong) / known.length), 'named right', () => set({ verdict: 'right' })) : null,
    known.length ? fact(count(wrong), 'wrong', () => set({ verdict: 'wrong', tab: 'captures', view: 'grid', sort: '-p' })) : null,
    runs.length ? fact(count(sum('dropped') + sum('failed')), `of ${count(sum('fired'))} passes dropped or failed`, toProvenance) : null,
    fact(count(index.sources.reduce((total, s) => total + s.damage.length, 0)), 'damaged places', toProvenance),
    index.models.length > 1 ? fact(String(index.models.length), 'models', toProvenance) : null,
  ];
}

const toProvenance = () => { $('provenance').scrollIntoView({ block: 'start' }); $('provenance').focus({ preventScroll: true }); };

function classes(labels) {
  const top = labels.slice(0, 12), rest = labels.length - top.length;
  return el('section', { class: 'card', 'aria-label': 'Predicted classes' },
    cardHead('Predicted classes', takeAlong({ name: 'predicted classes', chart: () => barsFigure(labels.slice(0, 40)), rows: () => [['class', 'captures'], ...labels] })),
    bars(top.map(([label, n]) => ({ label, n, mark: `label ${label}`, pressed: state.label === label, onclick: () => set({ label: state.label === label ? '' : label }) }))),
    rest > 0 ? el('p', { class: 'small muted' }, `and ${plural(rest, 'class').replace('classs', 'classes')} more; the list under Captures has all.`) : null);
}

function models(rows) {
  const counts = [...tally(row => index.models[row[R.MODEL]], rows)].sort((a, b) => b[1] - a[1]);
  return el('section', { class: 'card', 'aria-label': 'Models' },
    cardHead('Models', takeAlong({ name: 'models', chart: () => barsFigure(counts), rows: () => [['model', 'captures'], ...counts] })),
    bars(counts.map(([model, n]) => ({ label: model, n, mark: `model ${model}`, pressed: state.model === model, onclick: () => set({ model: state.model === model ? '' : model }) }))));
}

function confidence(rows) {
  const values = rows.map(i => index.captures[i][R.P]).filter(p => p !== null);
  return el('section', { class: 'card', 'aria-label': 'Confidence' },
    cardHead('Confidence of the best class', takeAlong({ name: 'confidence', chart: () => histogramFigure(binned(values, 0, 1, 20), v => `${Math.round(100 * v)} %`), rows: () => [['from', 'to', 'captures'], ...binned(values, 0, 1, 20).map(b => [b.low, b.high, b.n])] })),
    histogram(binned(values, 0, 1, 20), v => `${Math.round(100 * v)} %`, rangeOf('p'), 'confidence'),
    el('p', { class: 'small muted' }, `median ${percent(values.slice().sort((a, b) => a - b)[Math.floor(values.length / 2)])}`));
}

/** What a bin of a number does: filters by it, or lifts the filter. @param {string} id */
function rangeOf(id) {
  const now = ranges().get(id);
  const pressed = ([low, high]) => !!now && now[0] === low && now[1] === high;
  return { pressed, choose: range => setRange(id, pressed(range) ? null : range) };
}

function times(rows) {
  const values = rows.map(i => index.captures[i][R.TIME]).filter(t => t >= 0);
  if (values.length < 2) return null;
  let low = Infinity, high = -Infinity;
  for (const t of values) { if (t < low) low = t; if (t > high) high = t; }
  if (low === high) return null;
  const print = numberColumns().find(c => c.id === 'time').print;
  const spoken = v => { const text = print(v); return print(low).slice(0, 10) === print(high).slice(0, 10) ? text.slice(11) : text.slice(0, 16); };
  return el('section', { class: 'card', 'aria-label': 'Time' }, cardHead('Captures over time', takeAlong({ name: 'captures over time', chart: () => histogramFigure(binned(values, low, high, 24), spoken), rows: () => [['from', 'to', 'captures'], ...binned(values, low, high, 24).map(b => [print(b.low), print(b.high), b.n])] })),
    histogram(binned(values, low, high, 24), spoken, rangeOf('time'), 'time'));
}

function confusion(rows) {
  const counts = new Map(), truths = new Map();
  for (const i of rows) {
    const row = index.captures[i];
    if (row[R.TRUTH].length !== 1 || !row[R.LABEL]) continue;
    const key = row[R.TRUTH][0] + '\n' + row[R.LABEL];
    counts.set(key, (counts.get(key) || 0) + 1);
    truths.set(row[R.TRUTH][0], (truths.get(row[R.TRUTH][0]) || 0) + 1);
  }
  if (!truths.size) return null;
  const seen = new Set([...truths.keys(), ...[...counts.keys()].map(k => k.split('\n')[1])]);
  const all = [...seen].sort((a, b) => (truths.get(b) || 0) - (truths.get(a) || 0)), labels = all.slice(0, 14).sort();
  const cell = (truth, label) => {
    const n = counts.get(truth + '\n' + label) || 0;
    if (!n) return el('td', { class: 'num zero' }, '·');
    const share = n / truths.get(truth);
    return el('td', { class: 'num' }, el('button', {
      type: 'button', 'data-mark': `confusion ${truth} ${label}`, class: 'cell ' + (truth === label ? 'good' : 'bad'), style: `--share:${Math.round(15 + 85 * share)}%`,
      'aria-label': `shows ${truth}, predicted ${label}: ${n}`, onclick: () => set({ truth, label, tab: 'captures', view: 'grid' }),
    }, count(n)));
  };
  return el('section', { class: 'card', 'aria-label': 'Confusion matrix' },
    cardHead('Shown and predicted', takeAlong({ name: 'confusion matrix', chart: () => tableFigure($('confusion')), rows: () => [['shows', 'predicted', 'captures'], ...[...counts].map(([k, n]) => [...k.split('\n'), n])] })),
    el('div', { class: 'scrollx', tabindex: '0', role: 'region', 'aria-label': 'Confusion matrix, scrolls' }, el('table', { class: 'matrix', id: 'confusion' },
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'shows \\ predicted'), labels.map(l => el('th', { scope: 'col', class: 'num' }, l)))),
      el('tbody', {}, labels.map(t => el('tr', {}, el('th', { scope: 'row' }, t), labels.map(l => cell(t, l))))))),
    all.length > labels.length ? el('p', { class: 'small muted' }, `The ${labels.length} most frequent of ${all.length} classes.`) : null);
}

function agreement() {
  if (!index.agreement.length) return null;
  const methods = [...new Set(index.agreement.flatMap(a => [a[0], a[1]]))];
  const of = (a, b) => index.agreement.find(x => (x[0] === a && x[1] === b) || (x[0] === b && x[1] === a));
  return el('section', { class: 'card', 'aria-label': 'Agreement between methods' },
    cardHead('Agreement between methods', takeAlong({ name: 'agreement of methods', chart: () => tableFigure($('agreement')), rows: () => [['method', 'method', 'correlation', 'captures'], ...index.agreement] })),
    el('div', { class: 'scrollx', tabindex: '0', role: 'region', 'aria-label': 'Agreement, scrolls' }, el('table', { class: 'matrix', id: 'agreement' },
      el('thead', {}, el('tr', {}, el('td', {}), methods.map(m => el('th', { scope: 'col', class: 'num' }, methodName(m))))),
      el('tbody', {}, methods.map(a => el('tr', {}, el('th', { scope: 'row' }, methodName(a)), methods.map(b => {
        const pair = of(a, b);
        if (a === b || !pair) return el('td', { class: 'num zero' }, a === b ? '1' : '·');
        const v = Math.max(0, pair[2]);
        const style = `background:${css(v, false)};color:${isLight(v, false) ? '#14161c' : '#fff'}`;
        const number = [`agreement of ${pair[0]} and ${pair[1]}`, 'agreement of methods'].find(name => index.numbers.includes(name));
        return el('td', { class: 'num' }, el('button', {
          type: 'button', class: 'cell', style, title: `over ${plural(pair[3], 'capture')}: those below the mean`, 'data-mark': `agreement ${a} ${b}`,
          'aria-label': `${methodName(a)} and ${methodName(b)}: ${pair[2].toFixed(2)}; captures where they agree less`,
          onclick: () => { setRange(number, [-Infinity, pair[2]]); set({ sort: number, tab: 'captures', view: 'grid' }); },
        }, pair[2].toFixed(2)));
      })))))),
    el('p', { class: 'small muted' }, 'Mean correlation (Pearson) of the heatmaps of the first class, all captures. A cell shows the captures where two methods agree less. ',
      index.numbers.includes('agreement of methods') ? el('button', { type: 'button', class: 'link', onclick: () => set({ sort: 'agreement of methods', tab: 'captures', view: 'grid' }) }, 'Where they disagree most') : null));
}

function worst(rows) {
  const known = rows.filter(i => verdict(index.captures[i]) === 'wrong');
  const p = i => index.captures[i][R.P];
  const list = known.length ? known.slice().sort((a, b) => (p(b) ?? 0) - (p(a) ?? 0)) : rows.filter(i => p(i) !== null).sort((a, b) => p(a) - p(b));
  if (!list.length || rows.length < 3) return null;
  const name = known.length ? 'Wrong, and most sure of it' : 'Least sure', tiles = el('div', { class: 'tiles auto' }, list.slice(0, 8).map(i => tile(i, 140)));
  return el('section', { class: 'card', 'aria-label': 'Worst captures' },
    cardHead(name, takeAlong({ name, chart: () => tilesFigure(tilesOf(tiles, '.tile'), { low: 'cold', high: 'hot' }), rows: () => [['capture', 'predicted', 'shows', 'confidence'], ...list.map(i => { const r = index.captures[i]; return [r[R.NAME], r[R.LABEL], r[R.TRUTH].join(', '), r[R.P]]; })] }), button('all of them', () => set(known.length ? { verdict: 'wrong', sort: '-p', tab: 'captures', view: 'grid' } : { sort: 'p', tab: 'captures', view: 'grid' }))),
    tiles);
}

function meanMaps() {
  const methods = [...new Set(index.means.map(m => m.m))];
  if (!methods.length) return null;
  const method = methods.includes(state.method) ? state.method : methods[0];
  const list = index.means.filter(m => m.m === method && m.label !== '').sort((a, b) => b.n - a.n);
  if (!list.length) return null;
  const name = `Mean ${methodName(method)} map of each class`;
  const card = el('section', { class: 'card', 'aria-label': 'Mean map of each class' },
    cardHead(name, takeAlong({ name, chart: () => tilesFigure(tilesOf(card, '.mini'), { low: '0', high: '1' }) }), el('span', { class: 'muted small' }, 'where the model looks on average when it says so, all captures')),
    el('div', { class: 'minis means' }, list.map(m => {
      const values = Float32Array.from(base64(m.data), v => v / 255);
      const canvas = coloured({ values, w: m.w, h: m.h, signed: false, low: 0, high: 1, maps: [], raw: false }, false, tableNow());
      canvas.className = m.h === 1 ? 'flat' : '';
      canvas.setAttribute('aria-hidden', 'true');
      return el('button', { type: 'button', class: 'mini', 'data-mark': `mean ${m.label}`, 'aria-pressed': String(state.label === m.label), onclick: () => set({ label: m.label, method: m.m, tab: 'captures', view: 'grid' }) }, canvas, `${m.label} (${count(m.n)})`);
    })));
  return card;
}

function provenanceCard() {
  const row = (k, v) => v === null || v === undefined || v === '' ? null : el('tr', {}, el('th', { scope: 'row' }, k), el('td', {}, v));
  return el('section', { class: 'card', 'aria-label': 'Provenance', id: 'provenance', tabindex: '-1' }, el('h3', {}, 'Provenance and health'),
    index.sources.map((s, k) => el('table', { class: 'meta' }, el('tbody', {},
      row('recording', index.sources.length > 1 ? el('button', { type: 'button', class: 'link', 'data-mark': `source ${k}`, 'aria-pressed': String(state.source === String(k)), onclick: () => set({ source: state.source === String(k) ? '' : String(k) }) }, s.path) : s.path), row('captures here', count(s.captures || index.captures.filter(r => r[R.SOURCE] === k).length)),
      row('deleted', s.removed ? `${plural(s.removed, 'capture')}, the oldest, by the writer to stay within its limits` : null),
      row('whole', s.damage.length ? el('ul', { class: 'plain wrong' }, s.damage.map(d => el('li', {}, d))) : s.complete ? 'yes: nothing is damaged, the writer has closed it' : !s.runs.length ? 'not begun yet' : 'not closed: still written, or its program was killed'),
      s.models.map(m => [row('model', `${m.name}: ${plural(m.modules.length, 'module')}${rootParameters(m)}`), row('engine', m.engine),
        row('hash', hashOf(m, s.complete)), m.notes.map(n => row('note', n))]),
      s.runs.map(r => [
        row('run', `${when(r.started)} to ${r.ended ? when(r.ended) : 'not ended'} on ${r.host}, process ${r.pid}`),
        row('counted', r.counters ? `${count(r.counters.fired)} passes captured: ${count(r.counters.written)} written, ${count(r.counters.dropped)} dropped, ${count(r.counters.failed)} failed` : r.ended ? null : 'no counters: the run has not ended'),
        row('lost', r.losses ? el('ul', { class: 'plain' }, Object.entries(r.losses).map(([why, n]) => el('li', {}, `${count(n)}: ${why}`))) : null),
        row('sampling', samplingOf(r.config)),
        row('versions', [`camhook ${r.camhookVersion}`, ...Object.entries(r.versions).map(([n, v]) => `${n} ${v}`)].join(', ')),
        row('configuration', r.config ? el('details', {}, el('summary', {}, 'camhook.yaml'), el('pre', {}, r.config)) : null),
      ])))),
    el('table', { class: 'meta' }, el('tbody', {}, row('report made', `${when(index.created)} by camhook ${index.camhook}`))));
}

/** @param {import('./types').ModelInfo} m @param {boolean} complete */
function hashOf(m, complete) {
  const sha256 = m.sha256 || m.parametersSha256;
  if (sha256) return [`SHA-256 of its ${m.sha256 ? 'file' : 'parameters'} `, el('code', {}, sha256)];
  if (m.notes.some(n => n.startsWith('no hash'))) return null; // a note says why
  return complete ? 'not recorded: neither its file nor its parameters are known' : 'not known yet';
}

const rootParameters = m => { const root = m.modules.find(x => x.path === '.'); return root && root.parameters !== undefined ? `, ${count(root.parameters)} parameters` : ''; };

/** The lines of the configuration that say which passes were captured. @param {string | undefined} config */
function samplingOf(config) {
  if (!config) return null;
  const found = /^sampling:[ \t]*(.*(?:\n[ \t]+\S.*)*)/m.exec(config);
  return found ? found[1].replace(/#.*$/gm, '').replace(/\s*\n\s*/g, ', ').replace(/^[{, ]+|[}, ]+$/g, '').trim() : 'every pass';
}

function notesCard() {
  const input = el('input', { type: 'file', accept: '.json,application/json', 'aria-label': 'File of notes', class: 'hiddenfile', onchange: async e => {
    const file = e.target.files[0];
    if (file) announce(importNotes(await file.text()));
    e.target.value = '';
  } });
  return el('section', { class: 'card', 'aria-label': 'Notes' },
    cardHead('Notes and stars', el('span', { class: 'muted small' }, size() ? `${size()} captures have some` : 'none yet: press s or n on a capture')),
    el('div', { class: 'buttons' }, button('Save as a file', exportNotes, { disabled: !size() }), button('Read a file', () => input.click()), input,
      size() ? button('Show starred', () => set({ star: '1', tab: 'captures', view: 'grid' })) : null));
}

function howTo() {
  return el('section', { class: 'card', id: 'about' }, el('h3', {}, 'How to read the maps'),
    el('p', { class: 'lede' }, 'A class activation map says where in the input a layer found what speaks for a class. Shown is the map after ReLU, scaled to its own range and resized linearly: hot is the strongest place of this map, not a share of the score. The bar below a map gives its ends in the map’s own units. A shared scale makes maps comparable; the diverging colours keep the sign; “cells” shows the layer’s own resolution.'),
    el('p', { class: 'lede' }, 'One file, its data inside; it asks the network for nothing. Press ? for the keys.'));
}

export { short };
