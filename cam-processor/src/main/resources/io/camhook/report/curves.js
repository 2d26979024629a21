// The course of a metric, a line a method: in the section "Metrics".

const curveColours = ['var(--accent)', '#d9822b', '#2e8b57', '#8e5fb5', '#c0392b', '#7a7a7a', '#1f9ea8', '#b08d00'];

function curvesCard(metric, curves) {
  const W = 1040, H = 260, L = 58, R = 14, T = 12, B = 96;
  const places = [...new Set(curves.flatMap(c => c.points.map(p => p[0])))];
  const values = curves.flatMap(c => c.points.map(p => p[1])).filter(v => v !== null);
  const step = .25, low = step * Math.floor(Math.min(0, ...values) / step), high = step * Math.ceil(Math.max(1, ...values) / step);
  const x = i => places.length === 1 ? (L + W - R) / 2 : L + (W - L - R) * i / (places.length - 1);
  const y = v => T + (H - T - B) * (high - v) / (high - low);
  const colour = k => curveColours[k % curveColours.length];
  const picture = svg('svg', { class: 'chart', viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `${metric.name} of ${curves.length} methods` });
  for (let v = low; v <= high; v += step) {
    picture.append(svg('line', { class: 'axis', x1: L, x2: W - R, y1: y(v), y2: y(v) }),
      svg('text', { x: L - 8, y: y(v) + 4, 'text-anchor': 'end' }, v.toFixed(2)));
  }
  places.forEach((place, i) => picture.append(
    svg('text', { x: x(i), y: H - B + 18, 'text-anchor': 'end', transform: `rotate(-35 ${x(i)} ${H - B + 18})` }, place.length > 22 ? '…' + place.slice(-21) : place)));
  curves.forEach((c, k) => {
    const points = c.points.filter(p => p[1] !== null).map(p => [x(places.indexOf(p[0])), y(p[1])]);
    if (points.length > 1) picture.append(svg('path', { class: 'line', style: `stroke:${colour(k)}`, d: 'M' + points.map(p => p.map(v => v.toFixed(1)).join(' ')).join('L') }));
    points.forEach(p => picture.append(svg('circle', { cx: p[0], cy: p[1], r: 3, fill: colour(k) })));
  });
  return el('section', { class: 'card' },
    el('div', { class: 'cardhead' }, el('h3', {}, metric.name), el('span', { class: 'grow' }),
      el('span', { class: 'muted key', style: 'font-size:12px' }, curves.map((c, k) => [el('i', { style: `background:${colour(k)};height:3px;vertical-align:3px` }), methodName(c.method)]))),
    el('p', { class: 'muted' }, metric.description), picture);
}

function metricCurves(m) {
  return m.metrics.map(c => [c, (m.curves || []).filter(curve => curve.metric === c.id)])
    .filter(([, curves]) => curves.length).map(([c, curves]) => curvesCard(c, curves));
}
