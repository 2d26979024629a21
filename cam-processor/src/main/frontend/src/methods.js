// Methods compared: metrics with their spread, curves with bands, and a metric against another number of the captures.

import { index, methodName, R, shortName, verdict } from './data.js';
import { cardHead, curvesChart, scatter, takeAlong } from './charts.js';
import { lineColours } from './colour.js';
import { matching, numberColumns, setRange } from './filter.js';
import { set, state } from './store.js';
import { tableFigure } from './cardfigure.js';
import { $, choice, dropdown, el, fill, nothing, percent, short } from './dom.js';

/** @typedef {import('./types').Metric} Metric @typedef {import('./types').MetricRow} MetricRow */

/**
 * The best methods of a metric: all that cannot be told apart from the best. Of one input no method is best; where the
 * spread is known, methods whose means lie within the standard error of the difference are tied.
 * @param {Metric} metric @param {MetricRow[]} rows @returns {{ best: Set<string>, tied: boolean }}
 */
export function bestOf(metric, rows) {
  const known = rows.filter(r => typeof r.values[metric.id] === 'number');
  const none = { best: new Set(), tied: false };
  if (known.length < 2) return none;
  const sign = metric.better === 'lower' ? -1 : 1, value = r => sign * r.values[metric.id];
  const top = known.reduce((a, b) => value(b) > value(a) ? b : a);
  const spread = r => r.spreads[metric.id];
  if (known.some(r => spread(r) && spread(r)[0] < 2)) return none;
  const error = (a, b) => { const x = spread(a), y = spread(b); return x && y ? Math.sqrt((x[1] || 0) ** 2 / x[0] + (y[1] || 0) ** 2 / y[0]) : 0; };
  const best = new Set(known.filter(r => value(top) - value(r) <= Math.max(error(top, r), 1e-9 * Math.abs(value(top)))).map(r => r.method));
  return best.size === known.length ? none : { best, tied: best.size > 1 };
}

/** @param {HTMLElement} root */
export function drawMethods(root) {
  const m = index.metrics;
  fill(root, el('div', { class: 'inner' },
    el('div', {}, el('h2', {}, 'Methods'), el('p', { class: 'lede' }, m && m.rows.length ? m.title : 'Which method to trust.')),
    m && m.rows.length ? [table(m), curves(m), described(m)] : el('section', { class: 'card' }, nothing('No metrics', [el('code', { class: 'nowrap' }, 'camhook explain --metrics'), ' measures methods, ', el('code', { class: 'nowrap' }, 'camhook report --metrics FILE'), ' shows a table of them here.'])),
    scatterCard()));
}

const print = (c, v, decimals = -1) => v === undefined || v === null ? '–' : c.unit === '%' ? percent(v) : (decimals >= 0 ? v.toFixed(decimals) : short(v)) + (c.unit ? ' ' + c.unit : '');

/** Decimals that all values of a metric are printed with: as many as the most exact one has; -1 where one has an exponent. @param {Metric} c @param {MetricRow[]} rows */
function decimalsOf(c, rows) {
  const texts = rows.map(r => r.values[c.id]).filter(v => typeof v === 'number').map(short);
  return texts.some(t => t.includes('e')) ? -1 : Math.max(0, ...texts.map(t => (t.split('.')[1] || '').length));
}

const chooseMethod = method => set({ method: state.method === method ? '' : method });

/** Chooses a method: its maps are what the other tabs show. @param {string} method @param {string} [where] */
const methodButton = (method, where = 'table') => el('button', { type: 'button', class: 'link', 'data-mark': `method ${where} ${method}`, 'aria-pressed': String(state.method === method), onclick: e => { e.stopPropagation(); chooseMethod(method); } }, methodName(method));

function table(m) {
  const best = new Map(m.metrics.map(c => [c.id, bestOf(c, m.rows)]));
  const decimals = new Map(m.metrics.map(c => [c.id, decimalsOf(c, m.rows)]));
  const tied = [...best.values()].some(b => b.tied), spreads = m.rows.some(r => Object.keys(r.spreads).length);
  return el('section', { class: 'card', 'aria-label': 'Metrics' },
    cardHead('Metrics', takeAlong({ name: 'metrics', chart: () => tableFigure($('metrics-table')), rows: () => [['method', ...m.metrics.flatMap(c => [c.id, `${c.id} n`, `${c.id} std`])], ...m.rows.map(r => [r.method, ...m.metrics.flatMap(c => [r.values[c.id], ...(r.spreads[c.id] || ['', ''])])])] })),
    el('div', { class: 'scrollx', tabindex: '0', role: 'region', 'aria-label': 'Metrics, scrolls' }, el('table', { id: 'metrics-table' },
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Method'), m.metrics.map(c => el('th', { scope: 'col', class: 'num', title: c.description }, `${c.name} ${c.better === 'lower' ? '↓' : '↑'}`)))),
      el('tbody', {}, m.rows.map(r => el('tr', { 'aria-selected': String(state.method === r.method), class: 'pick', onclick: () => chooseMethod(r.method) }, el('th', { scope: 'row' }, methodButton(r.method)), m.metrics.map(c => {
        const s = r.spreads[c.id], b = best.get(c.id);
        const number = `${c.id} of ${r.method}`, value = print(c, r.values[c.id], decimals.get(c.id)), worst = (c.better === 'lower' ? '-' : '') + number;
        return el('td', { class: 'num' + (b.best.has(r.method) ? b.tied ? ' tie' : ' best' : '') },
          index.numbers.includes(number) ? el('button', { type: 'button', class: 'link', 'data-mark': number, title: 'its captures, the worst first', 'aria-label': `${c.name} of ${methodName(r.method)}: ${value}; its captures, the worst first`,
            onclick: e => { e.stopPropagation(); set({ method: r.method, sort: worst, tab: 'captures', view: 'grid' }); } }, value) : value,
          s ? el('span', { class: 'muted small' }, s[0] > 1 && s[1] !== null ? ` ± ${print(c, s[1], decimals.get(c.id))}` : '', ` n=${s[0]}`) : null);
      })))))),
    el('p', { class: 'small muted' }, 'A method chooses whose maps the other tabs show. ↑ more is better, ↓ less is better. Bold: the best.', tied ? ' Underlined: tied, their difference is within its standard error or none.' : '', spreads ? ' ± is the standard deviation over the n inputs.' : '',
      m.rows.length > 1 && m.metrics.some(c => !best.get(c.id).best.size) ? ' Without bold: all alike, or measured on one input, which decides nothing.' : ''));
}

function curves(m) {
  return m.metrics.map(c => [c, (m.curves || []).filter(curve => curve.metric === c.id)]).filter(([, list]) => list.length).map(([c, list]) => {
    const chart = curvesChart(c, list, methodName, lineColours, { chosen: state.method, choose: chooseMethod });
    return el('section', { class: 'card', 'aria-label': c.name },
      el('div', { class: 'cardhead' }, el('h3', {}, c.name), el('span', { class: 'grow' }),
        el('span', { class: 'muted key small' }, list.map((curve, k) => el('span', { class: 'nowrap' }, el('i', { style: `background:${lineColours[k % lineColours.length]};height:3px;vertical-align:3px` }), methodButton(curve.method, c.id)))),
        takeAlong({ name: c.name, chart: () => chart, rows: () => [['method', 'at', 'value', 'std'], ...list.flatMap(curve => curve.points.map(p => [curve.method, p[0], p[1], p[2] ?? '']))] })),
      c.description ? el('p', { class: 'small muted' }, c.description) : null, chart);
  });
}

function described(m) {
  const list = m.metrics.filter(c => c.description);
  return list.length ? el('section', { class: 'card' }, el('h3', {}, 'What is measured'), el('table', { class: 'meta' }, el('tbody', {}, list.map(c => el('tr', {}, el('th', { scope: 'row' }, c.name), el('td', {}, c.description)))))) : null;
}

function scatterCard() {
  const columns = numberColumns().filter(c => index.captures.some(row => c.of(row) !== null));
  if (columns.length < 2) return null;
  const x = columns.find(c => c.id === state.x) || columns.find(c => c.id === 'p') || columns[0];
  // what the confidence does not already say: a measured metric, else what the maps look like
  const measured = c => (index.metrics ? index.metrics.metrics : []).some(m => c.name.startsWith(m.id + ' of '));
  const y = columns.find(c => c.id === state.y) || columns.find(measured) || columns.find(c => !['p', 'time', 'margin', 'score', x.id].includes(c.id)) || columns.find(c => c.id !== x.id && c.id !== 'time') || columns[1];
  const dots = matching().map(i => { const row = index.captures[i]; return { i, name: shortName(row[R.NAME]), x: x.of(row), y: y.of(row), bad: verdict(row) === 'wrong', on: false }; }).filter(d => d.x !== null && d.y !== null);
  const options = columns.map(c => [c.id, c.name]);
  const body = dots.length ? scatter(dots, x, y, i => set({ capture: i, tab: 'captures', view: 'one' }), (rx, ry) => { setRange(x.id, rx); setRange(y.id, ry); }) : [el('p', { class: 'muted' }, 'No capture has both numbers.')];
  return el('section', { class: 'card', 'aria-label': 'Captures by two numbers', id: 'scatter' },
    el('div', { class: 'cardhead' }, el('h3', {}, 'Captures by two numbers'), el('span', { class: 'grow' }),
      el('span', { class: 'inline' }, 'across', dropdown('scatter-x', 'Number across', options, x.id, v => set({ x: v }))),
      el('span', { class: 'inline' }, 'up', dropdown('scatter-y', 'Number up', options, y.id, v => set({ y: v }))),
      takeAlong({ name: `${y.name} against ${x.name}`, chart: () => /** @type {any} */ (body[0]), rows: () => [['capture', x.name, y.name], ...dots.map(d => [d.name, d.x, d.y])] })),
    body);
}

export { choice };
