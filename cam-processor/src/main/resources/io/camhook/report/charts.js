// The sections "Layers", "Metrics" and "About".

function nothing(title, text) {
  return el('div', { class: 'empty' }, el('h2', {}, title), el('p', {}, text));
}

function layersPage() {
  const all = index.statistics;
  if (!all.length) {
    return nothing('No statistics', 'Activations and gradients of recorded layers, or the stats hook, fill this page.');
  }
  const chart = el('div', {});
  let chosen = 0, quantity = 'values';
  const body = el('tbody', {});
  const select = i => {
    [...body.children].forEach((row, k) => row.setAttribute('aria-selected', String(k === i)));
    chosen = i;
    fill(chart, seriesChart(all[i], quantity, q => { quantity = q; select(chosen); }));
  };
  fill(body, all.map((s, i) => {
    const [mean, std, min, max, zeros, bad, norm] = s.total;
    return el('tr', { class: 'pick', tabindex: '0', onclick: () => select(i), onkeydown: e => { if (e.key === 'Enter') select(i); } },
      el('td', {}, el('code', {}, s.layer)), el('td', {}, s.kind),
      ...[mean, std, min, max, norm].map(v => el('td', { class: 'num' }, short(v))),
      el('td', { class: 'num' }, percent(zeros)), el('td', { class: 'num' }, bad ? count(bad) : '0'), el('td', { class: 'num' }, count(s.steps)));
  }));
  select(0);
  return el('div', { class: 'inner' },
    el('div', {}, el('h2', {}, 'Layers'), el('p', { class: 'lede' }, 'What each layer’s activations and gradients look like, and how they change over the steps: the model’s passes where a stats hook looked on, else the captures. Choose a row to see its course.')),
    el('section', { class: 'card' }, chart),
    el('section', { class: 'card scrollx' }, el('table', { id: 'statistics' },
      el('thead', {}, el('tr', {}, el('th', {}, 'Layer'), el('th', {}, 'Of'),
        ['Mean', 'Std', 'Min', 'Max', 'Norm', 'Zeros', 'NaN, ∞', 'Steps'].map(h => el('th', { class: 'num' }, h)))), body)));
}

function svg(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** What can be drawn of a series: name, and from a step its line and, where there is one, its band and its extremes. */
const quantities = {
  values: ['Values', v => ({ line: v[1], band: [v[1] - v[2], v[1] + v[2]], edges: [v[3], v[4]] })],
  norm: ['Norm', v => ({ line: v[7] })],
  zeros: ['Zeros', v => ({ line: v[5] })],
};

/** One quantity of a layer over the steps; for the values their mean with a band of one standard deviation, and the extremes. */
function seriesChart(s, quantity, choose) {
  const W = 1040, H = 280, L = 58, R = 14, T = 12, B = 30;
  const [name, read] = quantities[quantity];
  const steps = s.series.map((v, i) => [i, ...v]).filter(v => v[1] !== null).map(v => ({ i: v[0], ...read(v) }));
  const key = quantity === 'values' ? [el('i', { style: 'background:var(--accent);height:3px;vertical-align:3px' }), 'mean', el('i', { style: 'background:var(--bar);opacity:.5' }), '± std',
    el('i', { style: 'border-top:1px dashed var(--muted);height:0;border-radius:0;vertical-align:4px' }), 'min, max'] : [];
  const heading = el('div', { class: 'cardhead' }, el('h3', {}, el('code', {}, s.layer), ' ' + s.kind), el('span', { class: 'grow' }),
    el('span', { class: 'muted key', style: 'font-size:12px' }, key),
    choice('quantity', 'What is drawn', Object.entries(quantities).map(([id, q]) => [id, q[0]]), quantity, choose));
  if (!steps.length) return [heading, el('p', { class: 'muted' }, 'No finite values.')];
  const extent = steps.flatMap(v => v.edges || [v.line]);
  let low = Math.min(...extent), high = Math.max(...extent);
  if (low === high) { const room = Math.abs(low) / 2 || .5; low -= room; high += room; }
  const n = s.series.length;
  const x = i => n === 1 ? (L + W - R) / 2 : L + (W - L - R) * i / (n - 1);
  const y = v => T + (H - T - B) * (high - Math.max(low, Math.min(high, v))) / (high - low);
  const points = (list, f) => list.map(v => `L${x(v.i).toFixed(1)} ${y(f(v)).toFixed(1)}`).join('');
  const path = (list, f) => 'M' + points(list, f).slice(1);
  const picture = svg('svg', { class: 'chart', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `${name} of ${s.layer} ${s.kind} over ${s.steps} steps` });
  for (let k = 0; k <= 4; k++) {
    const v = low + (high - low) * k / 4;
    picture.append(svg('line', { class: 'axis', x1: L, x2: W - R, y1: y(v), y2: y(v) }),
      svg('text', { x: L - 8, y: y(v) + 4, 'text-anchor': 'end' }, quantity === 'zeros' ? percent(v) : short(v)));
  }
  const at = [...new Set([0, .25, .5, .75, 1].map(f => Math.round(f * (n - 1))))];
  for (const i of at) {
    picture.append(svg('text', { x: x(i), y: H - 10, 'text-anchor': i === 0 && n > 1 ? 'start' : i === n - 1 && n > 1 ? 'end' : 'middle' },
      count(n === 1 ? 1 : 1 + Math.round(i * (s.steps - 1) / (n - 1)))));
  }
  if (steps[0].band) {
    picture.append(
      svg('path', { class: 'band', d: path(steps, v => v.band[1]) + points([...steps].reverse(), v => v.band[0]) + 'Z' }),
      svg('path', { class: 'edge', d: path(steps, v => v.edges[0]) }), svg('path', { class: 'edge', d: path(steps, v => v.edges[1]) }));
  }
  picture.append(svg('path', { class: 'line', d: path(steps, v => v.line) }));
  if (steps.length === 1) picture.append(svg('circle', { cx: x(steps[0].i), cy: y(steps[0].line), r: 4, fill: 'var(--accent)' }));
  return [heading, picture];
}

function metricsPage() {
  const m = index.metrics;
  if (!m || !m.rows.length) {
    return nothing('No metrics', 'Give camhook report a metrics file (--metrics) to compare methods here.');
  }
  const best = new Map(m.metrics.map(c => {
    const values = m.rows.map(r => r.values[c.id]).filter(v => v !== undefined && v !== null);
    return [c.id, c.better === 'lower' ? Math.min(...values) : Math.max(...values)];
  }));
  const print = (c, v) => v === undefined || v === null ? '–' : c.unit === '%' ? percent(v) : short(v) + (c.unit ? ' ' + c.unit : '');
  return el('div', { class: 'inner' },
    el('div', {}, el('h2', {}, 'Metrics'), el('p', { class: 'lede' }, m.title)),
    el('section', { class: 'card scrollx' }, el('table', { id: 'metrics-table' },
      el('thead', {}, el('tr', {}, el('th', {}, 'Method'),
        m.metrics.map(c => el('th', { class: 'num', title: c.description }, `${c.name} ${c.better === 'lower' ? '↓' : '↑'}`)))),
      el('tbody', {}, m.rows.map(r => el('tr', {}, el('td', {}, methodName(r.method)),
        m.metrics.map(c => el('td', { class: 'num' + (r.values[c.id] === best.get(c.id) ? ' best' : '') }, print(c, r.values[c.id])))))))),
    metricCurves(m),
    m.metrics.some(c => c.description) ? el('section', { class: 'card' }, el('table', { class: 'meta' }, el('tbody', {},
      m.metrics.filter(c => c.description).map(c => el('tr', {}, el('th', {}, c.name), el('td', {}, c.description)))))) : null);
}

function aboutPage() {
  const key = (keys, text) => [el('dt', {}, keys.map(k => [el('kbd', {}, k), ' '])), el('dd', {}, text)];
  return el('div', { class: 'inner' },
    el('div', {}, el('h2', {}, 'About this report'), el('p', { class: 'lede' }, 'One file, its data inside; it asks the network for nothing.')),
    el('section', { class: 'card' }, el('table', { class: 'meta' }, el('tbody', {},
      [['made', index.created.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC')], ['by', 'camhook ' + index.camhook], ['captures', count(index.captures.length)],
        ...index.sources.map(s => ['recording', s])].map(([k, v]) => el('tr', {}, el('th', { scope: 'row' }, k), el('td', {}, v)))))),
    el('section', { class: 'card' }, el('h3', {}, 'Keys'), el('dl', { class: 'keys' },
      key(['↑', '↓'], 'previous, next capture'), key(['PgUp', 'PgDn', 'Home', 'End'], 'by pages, to the ends'),
      key(['←', '→'], 'less, more heatmap'), key(['c', 'm', 'l'], 'next class, method, layer'),
      key(['/'], 'search'), key(['Esc'], 'leave the search, close the enlargement'))),
    el('section', { class: 'card' }, el('h3', {}, 'How to read the maps'),
      el('p', { class: 'lede' }, 'A class activation map says where in the picture a layer found what speaks for a class. Shown is the map after ReLU, scaled to its own range and resized bilinearly: hot is the strongest place of this map, not a share of the score. "Negative" keeps the sign, "cells" shows the layer’s own resolution.')));
}
