// The state of the page, and the address that names it. Whoever shows a part of the state watches its keys and is
// called once after all changes of a turn, so only what changed is drawn.

/** What the address leaves out. */
export const defaults = {
  tab: 'captures', view: 'one', capture: 0,
  // filter
  q: '', model: '', label: '', truth: '', verdict: '', layerHas: '', source: '', star: '', changed: '', range: '', sort: '',
  // look
  class: 0, method: '', layer: '', colours: '', opacity: 50, look: 'overlay', contour: 0, scale: 'own',
  cells: false, fade: false, outline: true, boxes: true, segments: false, slice: -1, rows: 'class', columns: 'method',
  chsort: 'weight', chscale: 'own', pins: '',
  // model and methods
  module: '', kind: 'activation', quantity: 'values', msort: '', x: '', y: '', log: false,
};

/** @type {typeof defaults} */
export const state = { ...defaults };

/** Keys whose change is a place to come back to: not what is typed or slid. */
const places = new Set(['tab', 'view', 'capture', 'model', 'label', 'truth', 'verdict', 'layerHas', 'source', 'star', 'changed', 'range', 'sort', 'class', 'method', 'layer', 'module']);
/** @type {{ keys: Set<string>, run: (changed: Set<string>) => void }[]} */
const watchers = [];
/** @type {Set<string>} */
let changed = new Set();
let scheduled = false, push = false;

/** @param {string[]} keys @param {(changed: Set<string>) => void} run */
export function watch(keys, run) {
  watchers.push({ keys: new Set(keys), run });
}

/**
 * Changes some keys. `keep` replaces the entry of the history also where a place changes: for keys held down.
 * @param {Partial<typeof defaults>} patch @param {boolean} [keep]
 */
export function set(patch, keep) {
  for (const [key, value] of Object.entries(patch)) {
    if (state[key] === value) continue;
    state[key] = value;
    changed.add(key);
    if (places.has(key) && !keep) push = true;
  }
  schedule();
}

function schedule() {
  if (scheduled || !changed.size) return;
  scheduled = true;
  queueMicrotask(flush);
}

function flush() {
  scheduled = false;
  const now = changed, pushing = push;
  changed = new Set();
  push = false;
  write(pushing);
  for (const { keys, run } of watchers) if ([...now].some(key => keys.has(key))) run(now);
}

/** @returns {string} the address's part after # */
export function address(overrides = {}) {
  return Object.entries({ ...state, ...overrides }).filter(([key, value]) => value !== defaults[key] || (key === 'capture' && state.tab === 'captures'))
    .map(([key, value]) => `${key}=${encodeURIComponent(key === 'capture' ? Number(value) + 1 : value === true ? 1 : value === false ? 0 : value)}`)
    .join('&').replace(/%2C/g, ',').replace(/%3A/g, ':');
}

function write(pushing) {
  const hash = '#' + address();
  if (hash === location.hash) return;
  try {
    if (pushing) history.pushState(null, '', hash);
    else history.replaceState(null, '', hash);
  } catch { /* a page in an iframe without an address of its own */ }
}

/** Sections of reports of before: their links still lead somewhere. */
const formerly = { layers: 'model', metrics: 'methods', about: 'overview', captures: 'captures' };

/** Takes the state from the address. */
export function read() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const patch = { ...defaults };
  for (const [key, fallback] of Object.entries(defaults)) {
    const text = parts.get(key);
    if (text === null) continue;
    if (key === 'capture') patch.capture = Math.max(0, (parseInt(text, 10) || 1) - 1);
    else if (typeof fallback === 'number') patch[key] = Number.isFinite(Number(text)) ? Number(text) : fallback;
    else if (typeof fallback === 'boolean') patch[key] = text === '1';
    else patch[key] = text;
  }
  const section = parts.get('section');
  if (section && formerly[section]) patch.tab = formerly[section];
  return patch;
}

export function begin() {
  Object.assign(state, read());
  const back = () => set(read(), true);
  addEventListener('popstate', back);
  addEventListener('hashchange', back);
}
