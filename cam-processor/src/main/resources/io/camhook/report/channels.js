// The recorded activation of a layer, channel by channel.

function channelsCard(c, layer, target, state, changed) {
  const ch = c.channels.find(x => x.l === layer) || c.channels[0];
  if (!ch) return null;
  const weights = ch.weights[target];
  const sort = weights ? state.sort : state.sort === 'weight' ? 'max' : state.sort;
  const order = ch.index.map((_, i) => i);
  if (sort === 'weight') order.sort((a, b) => weights[b] - weights[a]);
  if (sort === 'max') order.sort((a, b) => ch.max[b] - ch.max[a]);
  const sorts = [['index', 'index'], ['max', 'strongest']];
  if (weights) sorts.unshift(['weight', 'weight']);
  const table = colormaps.get(state.channelColours) || colormaps.values().next().value;
  return el('section', { class: 'card gap', 'aria-label': 'Channel maps' },
    el('div', { class: 'cardhead' },
      el('h3', {}, 'Channels of ', el('code', {}, ch.l)),
      el('span', { class: 'muted', style: 'font-size:12.5px' },
        (ch.index.length < ch.count ? `${ch.index.length} of ${count(ch.count)} channels, the strongest` : `${count(ch.count)} channels`)
        + `, ${ch.ow}×${ch.oh}` + (ch.w < ch.ow || ch.h < ch.oh ? ` shown at ${ch.w}×${ch.h}` : '')),
      el('span', { class: 'grow' }),
      el('span', { class: 'inline' }, 'sort by', choice('sort', 'Sort channels by', sorts, sort, v => { state.sort = v; changed(); })),
      el('span', { class: 'inline' }, 'scale', choice('channel-scale', 'Scale of the colours', [['own', 'each'], ['layer', 'layer']], state.channelScale, v => { state.channelScale = v; changed(); }))),
    el('div', { class: 'grid', id: 'grid' }, order.map(i => {
      const w = weights ? weights[i] : null;
      return el('button', {
        class: 'chan', 'data-channel': String(ch.index[i]),
        'aria-label': `Channel ${ch.index[i]}, ${short(ch.min[i])} to ${short(ch.max[i])}` + (w === null ? '' : `, weight ${short(w)}`),
        onclick: () => enlarge(c, ch, i, w, table),
      }, channelCanvas(ch, i, table, state.channelScale === 'layer'),
      el('span', { class: 'cap' }, el('span', {}, '#' + ch.index[i]),
        w === null ? null : el('span', { class: w >= 0 ? 'pos' : 'neg' }, (w > 0 ? '+' : '') + short(w))));
    })));
}

/** Values 0..1 of channel `i`: within its own range, or within the layer's. */
function channelValues(ch, i, whole) {
  const n = ch.w * ch.h, bytes = ch.bytes().subarray(i * n, (i + 1) * n);
  const out = new Float32Array(n);
  const low = whole ? Math.min(...ch.min) : ch.min[i], high = whole ? Math.max(...ch.max) : ch.max[i];
  const scale = high > low ? (ch.max[i] - ch.min[i]) / 255 / (high - low) : 0;
  const offset = high > low ? (ch.min[i] - low) / (high - low) : 0;
  for (let k = 0; k < n; k++) out[k] = offset + scale * bytes[k];
  return out;
}

function channelCanvas(ch, i, table, whole) {
  return coloured({ values: channelValues(ch, i, whole), signed: false }, ch.w, ch.h, table, false);
}

function enlarge(c, ch, i, weight, table) {
  const raw = channelCanvas(ch, i, table, false);
  raw.className = 'raw';
  const [width, height] = drawingSize(c, 400);
  const over = el('canvas', { width, height, 'aria-label': 'Channel over the picture', role: 'img' });
  const values = resized(channelValues(ch, i, false), ch.w, ch.h, width, height);
  compose(over, c.image, coloured({ values, signed: false }, width, height, table, false), .6);
  const dialog = $('zoom');
  fill(dialog,
    el('div', { class: 'head' },
      el('div', {}, el('h2', {}, `Channel ${ch.index[i]}`),
        el('div', { class: 'sub' }, el('code', {}, ch.l), ` · ${short(ch.min[i])} to ${short(ch.max[i])}` + (weight === null ? '' : ` · weight ${short(weight)}`))),
      el('button', { class: 'icon', 'aria-label': 'Close', autofocus: true, onclick: () => dialog.close() }, '×')),
    el('div', { class: 'pair' }, el('div', {}, raw), el('div', {}, over)));
  dialog.onclick = e => { if (e.target === dialog) dialog.close(); };
  dialog.showModal();
}
