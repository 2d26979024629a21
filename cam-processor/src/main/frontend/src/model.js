// The module tree with what is known of each layer, linked both ways with captures.

import { capture, index, R } from './data.js';
import { channelsCard } from './channels.js';
import { cardHead, quantities, ridges, seriesChart, takeAlong } from './charts.js';
import { matching } from './filter.js';
import { set, state } from './store.js';
import { tableFigure } from './cardfigure.js';
import { button, check, choice, count, el, fill, nothing, percent, plural, short } from './dom.js';

/** @typedef {{ path: string, name: string, depth: number, type: string, parameters: number | null, shape: string | null, model: string }} Module */

/** Modules of all models; layers that have numbers but no module come last. @returns {Module[]} */
function modules() {
  const all = [], seen = new Set(), several = new Set(index.sources.flatMap(s => s.models.map(m => m.name))).size > 1;
  for (const model of index.sources.flatMap(s => s.models)) {
    for (const { path, type, parameters, outputShape } of model.modules) {
      const key = several ? `${model.name} ${path}` : path;
      if (seen.has(key)) continue;
      seen.add(key);
      all.push({ path: key, name: path === '.' ? model.name : path.split('.').pop(), depth: path === '.' ? 0 : path.split('.').length, type, parameters: parameters ?? null, shape: outputShape ? outputShape.join('×') : null, model: model.name });
    }
  }
  const also = [...new Set([...index.statistics.map(s => s.layer), ...index.layers])].filter(l => !seen.has(l));
  for (const layer of also) {
    const base = layer.replace(/[#:][^.]*$/, ''), at = all.findLastIndex(m => m.path === base || m.path.startsWith(base + '#') || m.path.startsWith(base + ':'));
    const entry = { path: layer, name: layer, depth: at >= 0 ? all[at].depth : 0, type: at >= 0 ? 'further call or output' : '', parameters: null, shape: null, model: '' };
    if (at >= 0) { entry.name = layer.slice(layer.lastIndexOf('.') + 1); all.splice(at + 1, 0, entry); } else all.push(entry);
  }
  return all;
}

/** [id, name, value of a module and its numbers, how a number is printed] @type {[string, string, (m: Module, s?: any) => any, ((v: any) => string)?][]} */
const columns = [
  ['type', 'Type', m => m.type], ['shape', 'Output', m => m.shape || ''], ['parameters', 'Parameters', m => m.parameters, count],
  ['mean', 'Mean', (m, s) => s && s.total[0], short], ['std', 'Std', (m, s) => s && s.total[1], short], ['min', 'Min', (m, s) => s && s.total[2], short], ['max', 'Max', (m, s) => s && s.total[3], short],
  ['norm', 'Norm', (m, s) => s && s.total[6], short], ['zeros', 'Zeros', (m, s) => s && s.total[4], percent], ['bad', 'NaN, ∞', (m, s) => s && s.total[5], count],
  ['dead', 'Dead', (m, s) => s && s.dead ? s.dead[0] : null, count], ['steps', 'Steps', (m, s) => s && s.steps, count],
];

/** @param {HTMLElement} root */
export function drawModel(root) {
  const list = modules();
  if (!list.length) {
    fill(root, nothing('Nothing is known of the model', 'A recording has its module tree; activations and gradients of recorded layers, or the stats hook, fill this page.'));
    return;
  }
  const kinds = [...new Set(index.statistics.map(s => s.kind))], kind = kinds.includes(state.kind) ? state.kind : kinds[0] || 'activation';
  const of = new Map(index.statistics.filter(s => s.kind === kind).map(s => [s.layer, s]));
  const first = list.find(m => of.has(m.path)) || list[0];
  const chosen = list.find(m => m.path === state.module) || first;
  const down = state.msort.startsWith('-'), by = down ? state.msort.slice(1) : state.msort;
  const shown = columns.filter(([, , value]) => list.some(m => { const v = value(m, of.get(m.path)); return v !== null && v !== undefined && v !== ''; }));
  const rows = list.slice();
  const column = columns.find(c => c[0] === by);
  if (column || by === 'module') {
    const value = m => by === 'module' ? m.path : column[2](m, of.get(m.path));
    rows.sort((a, b) => {
      const x = value(a), y = value(b), none = v => v === null || v === undefined || v === '';
      if (none(x) || none(y)) return none(x) === none(y) ? 0 : none(x) ? 1 : -1;
      const order = typeof x === 'number' ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true });
      return down ? -order : order;
    });
  }
  const head = (id, name, number) => el('th', { scope: 'col', class: number ? 'num' : null, 'aria-sort': by === id ? (down ? 'descending' : 'ascending') : 'none' },
    el('button', { type: 'button', class: 'sorter', onclick: () => set({ msort: by !== id ? (number ? '-' : '') + id : down === !!number ? (down ? id : '-' + id) : '' }) }, name, by === id ? (down ? ' ↓' : ' ↑') : ''));
  const focus = document.activeElement && document.activeElement.id;
  const table = el('table', { id: 'statistics' },
    el('thead', {}, el('tr', {}, head('module', 'Module', false), shown.map(([id, name, , print]) => head(id, name, !!print)))),
    el('tbody', {}, rows.map(m => {
      const s = of.get(m.path), has = index.layers.includes(m.path);
      return el('tr', { class: 'pick', 'aria-selected': String(m === chosen), onclick: () => set({ module: m.path }) },
        el('th', { scope: 'row', style: by ? null : `padding-left:${10 + 14 * m.depth}px` },
          el('button', { type: 'button', class: 'link', id: 'module-' + m.path, title: m.path, onclick: e => { e.stopPropagation(); set({ module: m.path }); } }, el('code', {}, by ? m.path : m.name)),
          has || s ? el('span', { class: 'mark', title: has ? 'captures have it' : 'a stats hook looked on' }, has ? ' ●' : ' ○') : null),
        shown.map(([id, , value, print]) => {
          const v = value(m, s);
          const text = v === null || v === undefined || v === '' ? '' : print ? print(v) : v;
          return el('td', { class: (print ? 'num' : '') + (id === 'bad' && v > 0 ? ' wrong' : '') }, id === 'dead' && s && s.dead && v !== null ? `${count(v)} of ${count(s.dead[1])}` : text);
        }));
    })));
  fill(root, el('div', { class: 'inner wide' },
    el('div', { class: 'cardhead' }, el('div', { class: 'headtext' }, el('h2', {}, 'Model'), el('p', { class: 'lede' }, 'The modules, and what their activations and gradients look like: of the model’s passes where a stats hook looked on, else of the captures. ● has captures, ○ was looked on.')),
      kinds.length > 1 ? choice('kind', 'Of what the numbers are', kinds.map(k => [k, k]), kind, v => set({ kind: v })) : null),
    layerCard(chosen, of.get(chosen.path), kind),
    el('section', { class: 'card' },
      cardHead('Modules', takeAlong({ name: `modules ${kind}`, chart: () => tableFigure(table), rows: () => [['module', ...shown.map(c => c[1])], ...rows.map(m => [m.path, ...shown.map(c => c[2](m, of.get(m.path)))])] })),
      el('div', { class: 'scrollx tall', tabindex: '0', role: 'region', 'aria-label': 'Modules, scrolls' }, table))));
  const again = focus && document.getElementById(focus);
  if (again && root.contains(again)) again.focus({ preventScroll: true });
}

function layerCard(module, s, kind) {
  const layer = module.path, at = index.layers.indexOf(layer);
  const having = at < 0 ? [] : matching().filter(i => index.captures[i][R.LAYERS].includes(at));
  const chart = el('div', { class: 'chartslot' });
  const open = i => set({ tab: 'captures', view: 'one', capture: i, layer });
  const quantity = quantities[state.quantity] ? state.quantity : 'values';
  if (s) fill(chart, quantity === 'ridges' ? ridges(s, open) : seriesChart(s, { quantity, log: state.log, open }));
  else fill(chart, el('p', { class: 'muted' }, `No ${kind} of this module was recorded${at >= 0 ? ' in numbers' : ': name it under layers: or in a stats hook of camhook.yaml'}.`));
  const slot = el('div', {});
  const shownCapture = having.includes(state.capture) ? state.capture : having[0];
  if (shownCapture !== undefined) {
    capture(shownCapture).then(c => {
      if (c && c.channels.some(ch => ch.l === layer)) fill(slot, el('p', { class: 'small muted' }, `Channels in ${index.captures[shownCapture][R.NAME]}:`), channelsCard(c, layer, 0));
    });
  }
  const key = quantity === 'values' && s ? el('span', { class: 'muted key small' }, el('i', { class: 'k-line' }), 'mean', el('i', { class: 'k-band' }), '± std', el('i', { class: 'k-edge' }), 'min, max') : null;
  return el('section', { class: 'card', 'aria-label': 'Layer', id: 'layercard' },
    el('div', { class: 'cardhead' }, el('h3', {}, el('code', {}, layer), ` ${kind}`), el('span', { class: 'muted small' }, [module.type, module.shape, s && s.dead && s.dead[0] ? `${s.dead[0]} of ${s.dead[1]} channels are dead` : null].filter(Boolean).join(' · ')), el('span', { class: 'grow' }), key,
      s ? [choice('quantity', 'What is drawn', Object.entries(quantities).map(([id, q]) => [id, q[0]]), quantity, v => set({ quantity: v })),
        quantity === 'ridges' ? null : el('span', { class: 'checks' }, check('log', 'log axis', 'A logarithmic axis, where no value is negative', state.log, v => set({ log: v }))),
        takeAlong({ name: `${layer} ${kind}`, chart: () => chart.querySelector('svg'), rows: () => [['mean', 'std', 'min', 'max', 'zeros', 'not finite', 'norm'], ...s.series] })] : null),
    chart,
    having.length ? el('div', { class: 'buttons' }, button(`${plural(having.length, 'capture')} with this layer`, () => set({ tab: 'captures', layerHas: layer, layer, view: 'grid' })),
      button('maps of it', () => open(shownCapture))) : null,
    slot);
}
