// Charts by hand: histograms of buttons, lines with hover values, ridges, scatter plots.

import { count, el, fill, percent, short, svg } from './dom.js';
import { saveChart, saveCsv } from './figure.js';

/** Buttons that take a chart or a table along. @param {{ chart?: () => SVGElement | null, rows?: () => any[][], name: string }} what */
export function takeAlong({ chart, rows, name }) {
  return el('span', { class: 'take' },
    chart ? [el('button', { type: 'button', class: 'link', onclick: () => { const c = chart(); if (c) saveChart(c, name, 'png'); }, 'aria-label': `${name} as PNG` }, 'PNG'),
      el('button', { type: 'button', class: 'link', onclick: () => { const c = chart(); if (c) saveChart(c, name, 'svg'); }, 'aria-label': `${name} as SVG` }, 'SVG')] : null,
    rows ? el('button', { type: 'button', class: 'link', onclick: () => saveCsv(name, rows()), 'aria-label': `${name} as CSV` }, 'CSV') : null);
}

/** A heading with what is beside it. */
export const cardHead = (title, ...beside) => el('div', { class: 'cardhead' }, el('h3', {}, title), el('span', { class: 'grow' }), ...beside);

/**
 * Horizontal bars, each a button. @param {{ label: string, n: number, mark: string, pressed?: boolean, note?: string, onclick: () => void }[]} bars
 */
export function bars(bars) {
  const most = Math.max(1, ...bars.map(b => b.n));
  return el('div', { class: 'hbars' }, bars.map(b => {
    const fillBar = el('span', { class: 'fill' });
    fillBar.style.width = 100 * b.n / most + '%';
    return el('button', { type: 'button', class: 'hbar', 'data-mark': b.mark, 'aria-pressed': String(!!b.pressed), onclick: b.onclick },
      el('span', { class: 'label', title: b.label }, b.label), el('span', { class: 'track' }, fillBar), el('span', { class: 'val' }, b.note || count(b.n)));
  }));
}

/**
 * A histogram whose bins are buttons. @param {{ low: number, high: number, n: number }[]} bins @param {(v: number) => string} print
 * @param {{ choose: (range: [number, number]) => void, pressed: (range: [number, number]) => boolean }} filter takes ranges that include their ends
 */
export function histogram(bins, print, filter, name) {
  // a bin ends before the next one begins; the last one includes its end
  const range = (b, k) => /** @type {[number, number]} */ ([b.low, k === bins.length - 1 ? b.high : b.high - 1e-9 * (b.high - b.low)]);
  const most = Math.max(1, ...bins.map(b => b.n));
  return el('div', { class: 'histogram' },
    el('div', { class: 'bins' }, bins.map((b, k) => {
      const bar = el('span', { class: 'fill' });
      bar.style.height = Math.max(b.n ? 3 : 0, 100 * b.n / most) + '%';
      return el('button', { type: 'button', class: 'bin', disabled: b.n === 0, 'data-mark': `${name} ${b.low}`, 'aria-pressed': String(filter.pressed(range(b, k))), 'aria-label': `${name} ${print(b.low)} to ${print(b.high)}: ${count(b.n)}`, title: `${print(b.low)} to ${print(b.high)}: ${count(b.n)}`, onclick: () => filter.choose(range(b, k)) }, bar);
    })),
    el('div', { class: 'ends muted small' }, el('span', {}, print(bins[0].low)), el('span', {}, `at most ${count(most)} a bin`), el('span', {}, print(bins[bins.length - 1].high))));
}

/** Bins of equal width. @param {number[]} values */
export function binned(values, low, high, n) {
  const bins = Array.from({ length: n }, (_, k) => ({ low: low + (high - low) * k / n, high: low + (high - low) * (k + 1) / n, n: 0 }));
  for (const v of values) {
    let k = Math.max(0, Math.min(n - 1, Math.floor((v - low) / (high - low || 1) * n)));
    if (k < n - 1 && v >= bins[k + 1].low) k++; // the division was rounded
    else if (k > 0 && v < bins[k].low) k--;
    bins[k].n++;
  }
  return bins;
}

/** What can be drawn of a layer: name, and from a step its line and, where there is one, its band and its extremes. */
export const quantities = {
  values: ['Values', v => ({ line: v[0], band: [v[0] - v[1], v[0] + v[1]], edges: [v[2], v[3]] })],
  norm: ['Norm', v => ({ line: v[6] })],
  zeros: ['Zeros', v => ({ line: v[4] })],
  ridges: ['Histograms', null],
};

/** Units across a chart: fewer on a phone, so that its text can be read. */
const across = () => innerWidth <= 720 ? 460 : 1040;

/**
 * One quantity of a layer over the steps. @param {import('./types').Series} s
 * @param {{ quantity: string, log: boolean, open: (step: number) => void }} options
 */
export function seriesChart(s, { quantity, log, open }) {
  const W = across(), H = 280, L = 62, R = 14, T = 12, B = 30;
  const [name, read] = quantities[quantity];
  const steps = s.series.map((v, i) => v[0] === null ? { i, bad: v[5] } : { i, bad: v[5], ...read(v) });
  const finite = steps.filter(v => v.line !== undefined && v.line !== null);
  if (!finite.length) return el('p', { class: 'muted' }, 'No finite values.');
  const useLog = log && finite.every(v => (v.edges || [v.line]).every(x => x >= 0)) && finite.some(v => v.line > 0);
  const least = Math.min(...finite.flatMap(v => [v.line, ...(v.edges || [])]).filter(x => x > 0));
  const scale = v => useLog ? Math.log10(Math.max(v, least / 10)) : v;
  const extent = finite.flatMap(v => v.edges || [v.line]).map(scale);
  let low = Math.min(...extent), high = Math.max(...extent);
  if (low === high) { const room = Math.abs(low) / 2 || .5; low -= room; high += room; }
  const n = s.series.length;
  const x = i => n === 1 ? (L + W - R) / 2 : L + (W - L - R) * i / (n - 1);
  const y = v => T + (H - T - B) * (high - Math.max(low, Math.min(high, scale(v)))) / (high - low);
  const points = (list, f) => list.map(v => `L${x(v.i).toFixed(1)} ${y(f(v)).toFixed(1)}`).join('');
  const path = (list, f) => 'M' + points(list, f).slice(1);
  const picture = svg('svg', { class: 'chart', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `${name} of ${s.layer} ${s.kind} over ${s.steps} steps` });
  for (let k = 0; k <= 4; k++) {
    const v = low + (high - low) * k / 4, value = useLog ? 10 ** v : v;
    picture.append(svg('line', { class: 'axis', x1: L, x2: W - R, y1: y(value), y2: y(value) }),
      svg('text', { x: L - 8, y: y(value) + 4, 'text-anchor': 'end' }, quantity === 'zeros' ? percent(value) : short(value)));
  }
  stepAxis(picture, s, n, x, H);
  if (finite[0].band) {
    picture.append(
      svg('path', { class: 'band', d: path(finite, v => v.band[1]) + points([...finite].reverse(), v => v.band[0]) + 'Z' }),
      svg('path', { class: 'edge', d: path(finite, v => v.edges[0]) }), svg('path', { class: 'edge', d: path(finite, v => v.edges[1]) }));
  }
  picture.append(svg('path', { class: 'line', d: path(finite, v => v.line) }));
  if (finite.length === 1) picture.append(svg('circle', { cx: x(finite[0].i), cy: y(finite[0].line), r: 4, class: 'dot' }));
  for (const v of steps) if (v.bad) picture.append(svg('path', { class: 'badmark', d: `M${x(v.i) - 4} ${T}l8 0l-4 7z` }, svg('title', {}, `step ${stepOf(s, v.i, n)}: ${count(v.bad)} values are NaN or infinite`)));
  return hovering(picture, s, n, x, v => v[0] === null ? `no finite value, ${count(v[5])} NaN or infinite`
    : `mean ${short(v[0])}, std ${short(v[1])}, ${short(v[2])} to ${short(v[3])}, norm ${short(v[6])}, zeros ${percent(v[4])}${v[5] ? `, ${count(v[5])} NaN or infinite` : ''}`, { T, bottom: H - B, open });
}

const stepOf = (s, i, n) => n === 1 ? 1 : 1 + Math.round(i * (s.steps - 1) / (n - 1));

function stepAxis(picture, s, n, x, H) {
  for (const i of [...new Set([0, .25, .5, .75, 1].map(f => Math.round(f * (n - 1))))]) {
    picture.append(svg('text', { x: x(i), y: H - 10, 'text-anchor': i === 0 && n > 1 ? 'start' : i === n - 1 && n > 1 ? 'end' : 'middle' }, count(stepOf(s, i, n))));
  }
}

/** Says what is under the pointer, or where the arrow keys are; Enter and a click open the capture of the step. */
function hovering(picture, s, n, x, say, { T, bottom, open }) {
  const cursor = svg('line', { class: 'cursor', y1: T, y2: bottom, x1: -9, x2: -9 });
  picture.append(cursor);
  const links = !!s.at;
  const readout = el('p', { class: 'readout', 'aria-live': 'polite' }, links ? 'Point at a step for its numbers; a click opens its capture.' : 'Point at a step for its numbers.');
  let at = -1;
  const show = i => {
    at = Math.max(0, Math.min(n - 1, i));
    cursor.setAttribute('x1', String(x(at)));
    cursor.setAttribute('x2', String(x(at)));
    readout.textContent = `step ${count(stepOf(s, at, n))}: ${say(s.series[at])}`;
  };
  const step = e => { const box = picture.getBoundingClientRect(), px = (e.clientX - box.left) / box.width * picture.viewBox.baseVal.width; return n === 1 ? 0 : Math.round((px - x(0)) / (x(n - 1) - x(0)) * (n - 1)); };
  picture.addEventListener('mousemove', e => show(step(e)));
  const go = () => { if (links && at >= 0) open(s.at[Math.min(s.at.length - 1, at)]); };
  picture.addEventListener('click', e => { show(step(e)); go(); });
  picture.setAttribute('tabindex', '0');
  picture.addEventListener('keydown', e => {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (e.key in moves) { show(at < 0 ? 0 : at + moves[e.key]); e.preventDefault(); e.stopPropagation(); }
    if (e.key === 'Enter') go();
  });
  return [picture, readout];
}

/** Histograms of a layer over the steps, one line behind the other; the axis is logarithmic to both sides of zero. @param {import('./types').Series} s */
export function ridges(s, open) {
  const all = s.histograms || [];
  if (!all.length) return el('p', { class: 'muted' }, 'Histograms are made of captures; of this layer the report has the numbers of a stats hook alone.');
  const used = all[0].map((_, b) => all.some(h => h[b] > 0));
  const from = Math.max(0, used.indexOf(true) - 1), to = Math.min(all[0].length - 1, used.lastIndexOf(true) + 1);
  const W = across(), rows = all.length, gap = Math.max(5, Math.min(26, 260 / rows)), T = 46, H = T + gap * rows + 34, L = 62, R = 14, height = Math.min(44, gap * 3.2);
  const x = b => L + (W - L - R) * (b - from) / Math.max(1, to - from);
  const picture = svg('svg', { class: 'chart', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `Histograms of ${s.layer} ${s.kind} over ${s.steps} steps` });
  const middle = (all[0].length - 1) / 2;
  for (let d = -4; d <= 4; d++) {
    for (const sign of [-1, 1]) {
      const b = middle + sign * ((d + 4) * 5 + 1);
      if (b > from && b < to && Math.abs(x(b) - x(middle)) > 24) picture.append(svg('line', { class: 'axis', x1: x(b), x2: x(b), y1: 8, y2: H - 26 }), svg('text', { x: x(b), y: H - 10, 'text-anchor': 'middle' }, `${sign < 0 ? '−' : ''}1e${d}`));
    }
  }
  if (middle >= from && middle <= to) picture.append(svg('text', { x: x(middle), y: H - 10, 'text-anchor': 'middle' }, '0'));
  const said = el('p', { class: 'readout', 'aria-live': 'polite' }, 'Each line is the histogram of a step, the first behind; heights are relative to the highest bin of the line, without the zeros. A click, or Enter after the arrow keys, opens its capture.');
  const lines = [], firsts = [], texts = [];
  all.forEach((h, k) => {
    const most = Math.max(1, ...h.map((v, b) => b === middle ? 0 : v)), y0 = T + gap * (k + 1);
    const y = b => y0 - height * Math.min(1.15, h[b] / most);
    let d = `M${x(from)} ${y0}`;
    for (let b = from; b <= to; b++) d += `L${x(b).toFixed(1)} ${y(b).toFixed(1)}`;
    const first = s.at ? s.at[Math.min(s.at.length - 1, Math.floor(k * s.at.length / rows))] : -1;
    const total = h.reduce((a, v) => a + v, 0);
    // the series may be finer than the histograms
    const bad = s.series.slice(Math.floor(k * s.series.length / rows), Math.max(Math.floor(k * s.series.length / rows) + 1, Math.floor((k + 1) * s.series.length / rows))).reduce((sum, v) => sum + v[5], 0);
    texts.push(`step ${count(1 + Math.round(k * (s.steps - 1) / Math.max(1, rows - 1)))}: ${total ? percent(h[middle] / total) : '–'} zeros of ${count(total)} values${bad ? `, ${count(bad)} NaN or infinite` : ''}`);
    firsts.push(first);
    lines.push(svg('path', { class: 'ridge', d: d + `L${x(to)} ${y0}Z`, style: `--k:${(k + 1) / rows}`, onmouseenter: () => show(k), onclick: () => { if (first >= 0) open(first); } }));
    picture.append(lines[k]);
    if (k === 0 || k === rows - 1 || k === Math.floor(rows / 2)) picture.append(svg('text', { x: L - 16, y: y0, 'text-anchor': 'end' }, count(1 + Math.round(k * (s.steps - 1) / Math.max(1, rows - 1)))));
    if (bad) picture.append(svg('path', { class: 'badmark', d: `M${L - 12} ${y0 - 8}l10 0l-5 8z` }, svg('title', {}, texts[k])));
  });
  let at = -1;
  const show = k => {
    at = Math.max(0, Math.min(rows - 1, k));
    lines.forEach((line, i) => line.classList.toggle('on', i === at));
    said.textContent = texts[at];
  };
  picture.setAttribute('tabindex', '0');
  picture.addEventListener('keydown', e => {
    const moves = { ArrowUp: -1, ArrowDown: 1, Home: -rows, End: rows };
    if (e.key in moves) { show(at < 0 ? (e.key === 'End' ? rows - 1 : 0) : at + moves[e.key]); e.preventDefault(); e.stopPropagation(); }
    if (e.key === 'Enter' && at >= 0 && firsts[at] >= 0) open(firsts[at]);
  });
  return [picture, said];
}

/**
 * Curves of a metric, a line a method, with bands where the spread is known.
 * @param {import('./types').Metric} metric @param {import('./types').Curve[]} curves @param {(id: string) => string} nameOf @param {string[]} colours
 * @param {{ chosen: string, choose: (method: string) => void }} method the others are drawn thinner than the chosen one
 */
export function curvesChart(metric, curves, nameOf, colours, method) {
  const places = [...new Set(curves.flatMap(c => c.points.map(p => p[0])))];
  const numeric = places.every(p => p !== '' && Number.isFinite(Number(p)));
  const W = across(), H = numeric ? 260 : 300, L = 58, R = 14, T = 12, B = numeric ? 30 : 96;
  const values = curves.flatMap(c => c.points.flatMap(p => p[1] === null ? [] : [p[1] - (p[2] || 0), p[1] + (p[2] || 0)]));
  const step = .25, low = step * Math.floor(Math.min(0, ...values) / step), high = step * Math.ceil(Math.max(1, ...values) / step);
  const firstX = numeric ? Number(places[0]) : 0, lastX = numeric ? Number(places[places.length - 1]) : places.length - 1;
  const x = place => { const v = numeric ? Number(place) : places.indexOf(place); return places.length === 1 ? (L + W - R) / 2 : L + (W - L - R) * (v - firstX) / (lastX - firstX || 1); };
  const y = v => T + (H - T - B) * (high - v) / (high - low);
  const picture = svg('svg', { class: 'chart', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `${metric.name} of ${curves.length} methods: ` + curves.map(c => nameOf(c.method)).join(', ') });
  for (let v = low; v <= high + 1e-9; v += Math.max(step, (high - low) / 8)) {
    picture.append(svg('line', { class: 'axis', x1: L, x2: W - R, y1: y(v), y2: y(v) }), svg('text', { x: L - 8, y: y(v) + 4, 'text-anchor': 'end' }, v.toFixed(2)));
  }
  const shown = numeric && places.length > 12 ? places.filter((_, i) => i % Math.ceil(places.length / 8) === 0 || i === places.length - 1) : places;
  for (const place of shown) {
    picture.append(numeric ? svg('text', { x: x(place), y: H - 10, 'text-anchor': 'middle' }, place)
      : svg('text', { x: x(place), y: H - B + 18, 'text-anchor': 'end', transform: `rotate(-35 ${x(place)} ${H - B + 18})` }, place.length > 22 ? '…' + place.slice(-21) : place));
  }
  curves.forEach((c, k) => {
    const points = c.points.filter(p => p[1] !== null), colour = colours[k % colours.length];
    const at = f => points.map(p => `${x(p[0]).toFixed(1)} ${y(f(p)).toFixed(1)}`);
    if (points.length > 1 && points.some(p => p[2])) picture.append(svg('path', { style: `fill:${colour};opacity:.16`, d: 'M' + [...at(p => p[1] + (p[2] || 0)), ...at(p => p[1] - (p[2] || 0)).reverse()].join('L') + 'Z' }));
    if (points.length > 1) picture.append(svg('path', { class: c.method === method.chosen ? 'line choose on' : 'line choose', style: `stroke:${colour}`, d: 'M' + at(p => p[1]).join('L'), onclick: () => method.choose(c.method) }));
    points.forEach(p => picture.append(svg('circle', { cx: x(p[0]), cy: y(p[1]), r: points.length > 30 ? 1.5 : 3, style: `fill:${colour}`, class: 'choose', onclick: () => method.choose(c.method) },
      svg('title', {}, `${nameOf(c.method)} at ${p[0]}: ${short(p[1])}${p[2] ? ' ± ' + short(p[2]) : ''}`))));
  });
  return picture;
}

/**
 * Dots of two numbers of captures. @param {{ i: number, name: string, x: number, y: number, bad: boolean, on: boolean }[]} dots
 * @param {import('./filter.js').Column} columnX @param {import('./filter.js').Column} columnY
 */
export function scatter(dots, columnX, columnY, open, select) {
  const nameX = columnX.name, nameY = columnY.name, printX = columnX.print, printY = columnY.print;
  const W = across(), H = 370, L = 70, R = 14, T = 24, B = 40;
  const of = (f, g) => { let a = Math.min(...dots.map(f)), b = Math.max(...dots.map(f)); if (a === b) { a -= .5; b += .5; } return g ? [a, b] : [a, b]; };
  const [x0, x1] = of(d => d.x), [y0, y1] = of(d => d.y);
  const x = v => L + (W - L - R) * (v - x0) / (x1 - x0), y = v => T + (H - T - B) * (y1 - v) / (y1 - y0);
  const picture = svg('svg', { class: 'chart scatter', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `${nameY} against ${nameX} of ${dots.length} captures` });
  for (const [v, text] of columnY.axis(y0, y1)) picture.append(svg('line', { class: 'axis', x1: L, x2: W - R, y1: y(v), y2: y(v) }), svg('text', { x: L - 8, y: y(v) + 4, 'text-anchor': 'end' }, text));
  for (const [u, text] of columnX.axis(x0, x1)) {
    const at = x(u);
    picture.append(svg('text', { x: at, y: H - 20, 'text-anchor': at < L + 40 ? 'start' : at > W - R - 40 ? 'end' : 'middle' }, text));
  }
  picture.append(svg('text', { x: (L + W) / 2, y: H - 4, 'text-anchor': 'middle' }, nameX), svg('text', { x: L, y: T - 6 }, nameY));
  const path = (list, cls) => { if (list.length) picture.append(svg('path', { class: cls, d: list.map(d => `M${x(d.x).toFixed(1)} ${y(d.y).toFixed(1)}h0`).join('') })); };
  path(dots.filter(d => !d.bad), 'dots');
  path(dots.filter(d => d.bad), 'dots bad');
  const readout = el('p', { class: 'readout', 'aria-live': 'polite' }, 'Click a dot to open its capture; drag over dots to select them. The arrow keys go from dot to dot, Enter opens it; Filters under Captures takes ranges as numbers.');
  const ring = svg('circle', { class: 'ring', r: 8, cx: -20, cy: -20 });
  const said = d => { ring.setAttribute('cx', String(x(d.x))); ring.setAttribute('cy', String(y(d.y))); readout.textContent = `${d.name}: ${nameX} ${printX(d.x)}, ${nameY} ${printY(d.y)}`; };
  const brush = svg('rect', { class: 'brush', width: 0, height: 0 });
  picture.append(brush, ring);
  const at = e => { const box = picture.getBoundingClientRect(); return [(e.clientX - box.left) / box.width * W, (e.clientY - box.top) / box.height * H]; };
  const nearest = (/** @type {number[]} */ [px, py]) => { let best = null, least = 15 * 15; for (const d of dots) { const r = (x(d.x) - px) ** 2 + (y(d.y) - py) ** 2; if (r < least) { least = r; best = d; } } return best; };
  let from = null;
  picture.addEventListener('pointerdown', e => { from = at(e); picture.setPointerCapture(e.pointerId); });
  picture.addEventListener('pointermove', e => {
    const here = at(e);
    if (from) {
      for (const [k, v] of Object.entries({ x: Math.min(from[0], here[0]), y: Math.min(from[1], here[1]), width: Math.abs(from[0] - here[0]), height: Math.abs(from[1] - here[1]) })) brush.setAttribute(k, String(v));
    } else {
      const d = nearest(here);
      if (d) said(d);
    }
  });
  picture.addEventListener('pointerup', e => {
    const here = at(e), start = from;
    from = null;
    if (!start) return;
    if (Math.abs(start[0] - here[0]) > 6 || Math.abs(start[1] - here[1]) > 6) {
      const u = px => x0 + (px - L) / (W - L - R) * (x1 - x0), v = py => y1 - (py - T) / (H - T - B) * (y1 - y0);
      select([u(Math.min(start[0], here[0])), u(Math.max(start[0], here[0]))], [v(Math.max(start[1], here[1])), v(Math.min(start[1], here[1]))]);
    } else {
      const d = nearest(here);
      if (d) open(d.i);
    }
  });
  const ordered = dots.slice().sort((a, b) => a.x - b.x || a.y - b.y);
  let chosen = -1;
  picture.setAttribute('tabindex', '0');
  picture.addEventListener('keydown', e => {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -dots.length, End: dots.length };
    if (e.key in moves) {
      chosen = Math.max(0, Math.min(ordered.length - 1, chosen < 0 ? (e.key === 'End' ? ordered.length - 1 : 0) : chosen + moves[e.key]));
      said(ordered[chosen]);
      e.preventDefault();
      e.stopPropagation();
    }
    if (e.key === 'Enter' && chosen >= 0) open(ordered[chosen].i);
  });
  return [picture, readout];
}

export { fill };
