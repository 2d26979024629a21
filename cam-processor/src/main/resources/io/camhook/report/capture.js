// One capture: the picture under its heatmap, what was predicted, all maps at a glance, channels.

const state = {
  target: 0, method: '', layer: null, colours: '', opacity: .5,
  cells: false, signed: false, fade: false, truth: true,
  sort: 'weight', channelScale: 'own', channelColours: '',
};

const methodNames = new Map(index.methods);
const methodName = id => methodNames.get(id) || id;

class CaptureView {
  constructor(root, list) {
    this.root = root;
    this.list = list;
  }

  async show(i) {
    this.i = i;
    const c = await capture(i);
    if (this.i !== i) return;
    if (!c) {
      fill(this.root, el('div', { class: 'empty' }, el('h2', {}, 'This capture cannot be read'),
        el('p', {}, 'The file seems to be cut off: make the report again.')));
      return;
    }
    this.c = c;
    const scroll = this.root.scrollTop;
    this.settle();
    this.draw();
    this.root.scrollTop = scroll;
    capture(Math.min(i + 1, index.captures.length - 1));
  }

  /** Keeps the choices of the last capture where this one has them. */
  settle() {
    const { c } = this;
    if (state.target >= c.targets.length) state.target = 0;
    this.methods = [...new Set(c.maps.map(m => m.m))];
    const known = index.methods.map(m => m[0]).filter(m => this.methods.includes(m));
    this.methods = [...known, ...this.methods.filter(m => !known.includes(m))];
    if (!this.methods.includes(state.method)) state.method = this.methods[0] || '';
    this.settleLayer();
    if (!colormaps.has(state.colours)) state.colours = colormaps.keys().next().value;
    if (!colormaps.has(state.channelColours)) state.channelColours = colormaps.has('viridis') ? 'viridis' : state.colours;
  }

  settleLayer() {
    const maps = this.c.maps.filter(m => m.m === state.method);
    const named = [...new Set(maps.map(m => m.l).filter(l => l !== undefined))];
    this.layers = named.map(l => [l, l]);
    if (named.length !== 1 && maps.length) this.layers.unshift(['', 'all layers']);
    if (!this.layers.some(l => l[0] === state.layer)) state.layer = this.layers.length ? this.layers[0][0] : '';
  }

  /** The layer whose channels are shown: the chosen one, else the last recorded. */
  channelLayer() {
    const { channels } = this.c;
    if (channels.some(ch => ch.l === state.layer)) return state.layer;
    return channels.length ? channels[channels.length - 1].l : '';
  }

  draw() {
    const { c } = this;
    const many = c.targets.length * this.methods.length > 8;
    this.cells = null;
    fill(this.root, this.heading(),
      el('div', { class: 'cols' },
        el('div', { class: 'stack' }, this.stage(), this.metadata()),
        el('div', { class: 'stack' }, this.controls(), this.predictions(), many ? null : this.matrix())),
      many ? el('div', { class: 'gap' }, this.matrix()) : null,
      conceptsCard(c),
      this.channelSlot = el('div', {}));
    this.channels();
    this.paint();
  }

  heading() {
    const { c, i } = this;
    const parts = [c.model, c.time && c.time.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC'), `${count(i + 1)} of ${count(index.captures.length)}`];
    return el('div', { class: 'head' },
      el('div', {}, el('h2', { id: 'name' }, c.name), el('div', { class: 'sub' }, parts.filter(Boolean).join(' · '))),
      el('button', { class: 'icon', 'aria-label': 'Previous capture', title: 'Previous capture (↑)', onclick: () => this.list.move(-1) }, '↑'),
      el('button', { class: 'icon', 'aria-label': 'Next capture', title: 'Next capture (↓)', onclick: () => this.list.move(1) }, '↓'));
  }

  stage() {
    const { c } = this;
    const [width, height] = drawingSize(c, 560);
    this.canvas = el('canvas', {
      id: 'overlay', width, height, role: 'img', onmousemove: e => this.read(e), onmouseleave: () => this.read(null),
    });
    this.bar = el('canvas', { width: 256, height: 1, 'aria-hidden': 'true' });
    this.low = el('span', {}, '0');
    this.high = el('span', {}, '1');
    this.readout = el('div', { class: 'readout', id: 'readout' });
    return el('section', { class: 'card stage', 'aria-label': 'Heatmap' },
      el('figure', {}, el('div', { class: 'frame' }, this.canvas),
        this.layers.length ? el('div', { class: 'scale' }, this.low, this.bar, this.high) : null, this.readout));
  }

  controls() {
    const { c } = this;
    if (!c.targets.length && !this.methods.length) return null;
    const repaint = () => { this.heat = null; this.paint(); this.minis(); };
    const controls = el('div', { class: 'controls' });
    const add = (name, control) => controls.append(el('span', { class: 'k' }, name), control);
    const redraw = () => { this.settleLayer(); this.draw(); };
    if (c.targets.length) {
      add('Class', choice('target', 'Class that is explained', c.targets.map((t, k) => [k, t.label]), state.target,
        v => { state.target = +v; redraw(); this.focus('target'); }));
    }
    if (this.methods.length) {
      add('Method', choice('method', 'CAM method', this.methods.map(m => [m, methodName(m)]), state.method,
        v => { state.method = v; redraw(); this.focus('method'); }));
    }
    if (this.layers.length) {
      add('Layer', choice('layer', 'Layer', this.layers, state.layer,
        v => { state.layer = v; redraw(); this.focus('layer'); }));
      add('Opacity', el('div', { class: 'slide' },
        this.slider = el('input', {
          type: 'range', id: 'opacity', min: '0', max: '100', 'aria-label': 'Opacity of the heatmap',
          oninput: e => { state.opacity = e.target.value / 100; this.opacity(); this.paint(); },
          onchange: () => this.minis(),
        }), this.output = el('output', { for: 'opacity' })));
      this.slider.value = Math.round(100 * state.opacity);
      this.opacity();
      add('Colours', choice('colours', 'Colours', [...colormaps.keys()].map(k => [k, k]), state.colours,
        v => { state.colours = v; repaint(); }));
      const check = (id, text, title) => el('label', { title },
        el('input', { type: 'checkbox', id, checked: state[id], onchange: e => { state[id] = e.target.checked; repaint(); } }), text);
      add('Show', el('div', { class: 'checks' },
        check('cells', 'cells', 'The map as it is, without interpolation'),
        check('signed', 'negative', 'Keep the sign: red speaks for the class, blue against it'),
        check('fade', 'fade cold', 'Cold areas let the picture through'),
        c.masks.length ? check('truth', 'ground truth', 'Outline of the object') : null));
    }
    return el('section', { class: 'card', 'aria-label': 'What is shown' }, controls);
  }

  /** After a redraw the control that was used has the keyboard again. */
  focus(id) {
    const control = $(id);
    const target = control && (control.matches('select') ? control : control.querySelector('input:checked'));
    if (target) target.focus({ preventScroll: true });
  }

  opacity() { this.output.textContent = Math.round(100 * state.opacity) + ' %'; }

  key() { return [state.target, state.method, state.layer, state.colours, state.cells, state.signed, state.fade].join('|'); }

  paint() {
    const { c, canvas } = this;
    if (!this.heat || this.heat.key !== this.key() || this.heat.c !== c) {
      const map = heatmap(c, state.target, state.method, state.layer, state, canvas.width, canvas.height);
      this.heat = {
        key: this.key(), c, map,
        picture: map && coloured(map, canvas.width, canvas.height, colormaps.get(state.colours), state.fade),
      };
      this.legend(map);
    }
    compose(canvas, c.image, this.heat.picture, state.opacity);
    if (state.truth) for (const mask of c.masks) outline(canvas, mask);
    const t = c.targets[state.target];
    canvas.setAttribute('aria-label', this.heat.map
      ? `${methodName(state.method)} of ${t ? t.label : 'the output'} at ${state.layer || 'all layers'} over the picture`
      : 'The picture');
    this.read(null);
    remember(this.i);
  }

  legend(map) {
    if (!map) return;
    const values = Float32Array.from({ length: 256 }, (_, i) => map.signed ? (i - 128) / 127 : i / 255);
    this.bar.getContext('2d').drawImage(
      coloured({ values, signed: map.signed }, 256, 1, colormaps.get(state.colours), false), 0, 0);
    this.low.textContent = map.signed ? 'against' : 'cold';
    this.high.textContent = map.signed ? 'for' : 'hot';
  }

  /** Value under the pointer; without a pointer the range of the map. */
  read(event) {
    const map = this.heat && this.heat.map;
    if (!map) {
      this.readout.textContent = this.c.maps.length ? 'No map for this choice.' : 'No maps in this capture.';
      return;
    }
    const one = map.maps.length === 1 ? map.maps[0] : null;
    if (!event) {
      this.readout.textContent = one
        ? (one.l === undefined ? `finished heatmap ${one.w}×${one.h}` : `raw map ${one.w}×${one.h}, ${short(one.min)} to ${short(one.max)}`)
        : `mean of ${map.maps.length} layers`;
      return;
    }
    const box = this.canvas.getBoundingClientRect();
    const fx = (event.clientX - box.left) / box.width, fy = (event.clientY - box.top) / box.height;
    const x = Math.min(this.canvas.width - 1, Math.max(0, Math.floor(fx * this.canvas.width)));
    const y = Math.min(this.canvas.height - 1, Math.max(0, Math.floor(fy * this.canvas.height)));
    let text = `heat ${map.values[y * this.canvas.width + x].toFixed(2)}`;
    if (one) {
      const cx = Math.min(one.w - 1, Math.floor(fx * one.w)), cy = Math.min(one.h - 1, Math.floor(fy * one.h));
      text += ` · cell (${cx}, ${cy}) raw ${short(one.values()[cy * one.w + cx])}`;
    }
    this.readout.textContent = text;
  }

  predictions() {
    const { c } = this;
    if (!c.predictions.length) return null;
    const explained = new Set(c.targets.map(t => t.i));
    const chosen = c.targets[state.target];
    return el('section', { class: 'card', 'aria-label': 'Predictions' }, el('h3', {}, 'Predictions'),
      el('ol', { class: 'preds', id: 'predictions' }, c.predictions.map(p => {
        const bar = el('div', { class: 'fill' });
        bar.style.width = Math.max(0, Math.min(100, 100 * (p.p || 0))) + '%';
        return el('li', { class: chosen && chosen.i === p.i ? 'target' : null, title: `class ${p.i}, score ${short(p.score)}` + (explained.has(p.i) ? ', explained' : '') },
          el('span', { class: 'label' }, p.label), el('span', { class: 'track' }, bar),
          el('span', { class: 'val' }, p.p === null ? short(p.score) : percent(p.p)));
      })));
  }

  /** Every target and method at the chosen layer. */
  matrix() {
    const { c } = this;
    if (c.maps.length < 2) return null;
    this.cells = [];
    const groups = c.targets.map((t, k) => el('div', { class: 'group' }, el('p', {}, t.label),
      el('div', { class: 'minis' }, this.methods.map(m => {
        const [width, height] = drawingSize(c, 208);
        const canvas = el('canvas', { width, height });
        const button = el('button', {
          class: 'mini', 'data-target': String(k), 'data-method': m, 'aria-pressed': String(k === state.target && m === state.method),
          'aria-label': `Show ${methodName(m)} of ${t.label}`,
          onclick: () => { state.target = k; state.method = m; this.settleLayer(); this.draw(); },
        }, canvas, methodName(m));
        this.cells.push({ canvas, k, m, button });
        return button;
      }))));
    setTimeout(() => this.minis(), 0);
    return el('section', { class: 'card', 'aria-label': 'All maps' }, el('h3', {}, 'All maps'), groups);
  }

  minis() {
    if (!this.cells) return;
    const { c } = this;
    for (const { canvas, k, m, button } of this.cells) {
      const layers = c.maps.filter(x => x.m === m && x.t === k);
      const layer = layers.some(x => x.l === state.layer) ? state.layer : '';
      const side = [Math.ceil(canvas.width / 2), Math.ceil(canvas.height / 2)];
      const map = layers.length ? heatmap(c, k, m, layer, state, ...side) : null;
      button.hidden = !map;
      if (map) compose(canvas, c.image, coloured(map, ...side, colormaps.get(state.colours), state.fade), state.opacity);
    }
  }

  channels() {
    fill(this.channelSlot, channelsCard(this.c, this.channelLayer(), state.target, state, () => this.channels()));
  }

  metadata() {
    const { c } = this;
    const rows = [...c.meta];
    if (c.picture) rows.unshift(['picture', `${c.picture.w} × ${c.picture.h}`]);
    c.targets.forEach(t => { if (t.score !== null) rows.unshift([`score of ${t.label}`, short(t.score)]); });
    rows.push(['capture', c.id]);
    return el('section', { class: 'card', 'aria-label': 'Metadata' }, el('h3', {}, 'Details'),
      el('table', { class: 'meta' }, el('tbody', {}, rows.map(([k, v]) => el('tr', {}, el('th', { scope: 'row' }, k), el('td', {}, v))))));
  }

  /** The next value of a choice: `next('method', this.methods)`. */
  next(what, values) {
    if (values.length < 2) return;
    state[what] = values[(values.indexOf(state[what]) + 1) % values.length];
    this.settleLayer();
    this.draw();
  }
}

/** The address names what is shown, so that a reload or a bookmark comes back to it. */
function remember(i) {
  if ($('captures').hidden) return;
  const parts = { capture: i + 1, class: state.target, method: state.method, layer: state.layer };
  address(Object.entries(parts).filter(([, v]) => v !== '' && v !== null).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&'));
}

function address(hash) {
  try { history.replaceState(null, '', '#' + hash); } catch { /* some browsers forbid it for files */ }
}

function recalled() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (parts.has('class')) state.target = Math.max(0, parseInt(parts.get('class'), 10) || 0);
  if (parts.has('method')) state.method = parts.get('method');
  if (parts.has('layer')) state.layer = parts.get('layer');
  const i = (parseInt(parts.get('capture'), 10) || 1) - 1;
  return Math.max(0, Math.min(index.captures.length - 1, i));
}
