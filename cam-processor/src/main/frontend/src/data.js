// The data: the index is read at once, everything else only when it is looked at. In a file it lies in inert
// <script> elements; `camhook serve` gives the same texts over HTTP.

/** @typedef {import('./types').Index} Index @typedef {import('./types').Capture} Capture @typedef {import('./types').Row} Row */

/** @type {Index} */
export let index;

/** Of `camhook serve`: the path with its token, else null. */
export const served = document.documentElement.dataset.served || null;

export async function loadIndex() {
  index = served ? await (await fetch(`${served}/index`)).json() : JSON.parse(document.getElementById('index').textContent);
  return index;
}

/** Asks a server for what has come since; true if something has. */
export async function refreshIndex() {
  const newer = await (await fetch(`${served}/index?from=${index.captures.length}`)).json();
  const grown = newer.captures.length > 0;
  if (!grown && JSON.stringify(newer.sources) === JSON.stringify(index.sources)) return false;
  // models and layers are named by position: rows of before keep theirs by name
  if (String(newer.models) !== String(index.models) || String(newer.layers) !== String(index.layers)) {
    index = await (await fetch(`${served}/index`)).json();
  } else {
    newer.captures = index.captures.concat(newer.captures);
    index = newer;
  }
  thumbnailBlocks.forget();
  return true;
}

/** The JSON of a data element. While the file is still being read it may not be there yet: waits. */
async function block(id) {
  if (served) {
    const answer = await fetch(`${served}/${id}`);
    return answer.ok ? answer.json() : null;
  }
  for (;;) {
    const element = document.getElementById(id);
    // The parser may be in the middle of the element; it is complete when something follows it.
    if (element && (element.nextSibling || document.readyState !== 'loading')) return JSON.parse(element.textContent);
    if (document.readyState !== 'loading') return null;
    await new Promise(resolve => setTimeout(resolve, 15));
  }
}

/**
 * Remembers the last few results of an asynchronous function of one key.
 * @template T @param {number} size @param {(key: number) => Promise<T>} load
 */
function remembered(size, load) {
  /** @type {Map<number, Promise<T>>} */
  const kept = new Map();
  const get = (/** @type {number} */ key) => {
    let value = kept.get(key);
    if (value === undefined) {
      value = load(key);
      if (kept.size >= size) kept.delete(kept.keys().next().value);
    } else {
      kept.delete(key);
    }
    kept.set(key, value);
    return value;
  };
  get.forget = () => kept.clear();
  return get;
}

const thumbnailBlocks = remembered(60, number => block('t' + number));

/**
 * `[data URL or '', {method: [width, height, levels]}]` of capture `i`; null if it cannot be read.
 * @param {number} i @returns {Promise<[string, Record<string, [number, number, string]>] | null>}
 */
export async function thumbnail(i) {
  const all = await thumbnailBlocks(Math.floor(i / index.thumbsPerBlock));
  return (all && all[i % index.thumbsPerBlock]) || null;
}

/** Capture `i`, with its picture decoded; null if it cannot be read. */
export const capture = remembered(16, async i => {
  /** @type {Capture} */
  const c = await block('c' + i).catch(() => null);
  if (!c) return null;
  c.i = i;
  const sizes = c.maps.map(map => map.s.reduce((a, b) => a * b, 1)), all = sizes.reduce((a, b) => a + b, 0);
  /** @type {Uint8Array} */
  let levels;
  c.maps.forEach((map, k) => {
    const from = sizes.slice(0, k).reduce((a, b) => a + b, 0);
    map.values = lazily(() => scaledWords(map, sizes[k], i => levels[from + i] << 8 | levels[all + from + i]));
  });
  if (c.signal) { const s = c.signal; s.values = lazily(() => words(s, s.c * s.n)); }
  await Promise.all([
    unpacked(c.levels).then(bytes => { levels = bytes; c.levels = ''; }),
    ...c.channels.map(async ch => { ch.bytes = await unpacked(ch.data); ch.data = ''; }),
    ...c.masks.map(async mask => { mask.bytes = await unpacked(mask.bits); mask.bits = ''; }),
    c.volume && unpacked(c.volume.data).then(bytes => { c.volume.bytes = bytes; }),
    c.segmentation && unpacked(c.segmentation.data).then(bytes => { c.segmentation.bytes = bytes; }),
    c.picture ? decoded(c.picture.src).then(image => { c.image = image; }) : null,
  ]);
  if (!c.picture) c.image = null;
  return c;
});

/** @template T @param {() => T} make @returns {() => T} */
function lazily(make) {
  /** @type {T} */
  let value;
  return () => value === undefined ? (value = make()) : value;
}

/** @param {string} src @returns {Promise<HTMLImageElement | null>} */
export function decoded(src) {
  return new Promise(resolve => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = src;
  });
}

/** @param {string} text */
export function base64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** @param {string} text */
async function unpacked(text) {
  const stream = new Blob([base64(text)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** 16-bit levels between min and max. @param {{ min: number, max: number }} range @param {number} n @param {(i: number) => number} level */
function scaledWords({ min, max }, n, level) {
  const out = new Float32Array(n);
  const step = (max - min) / 65535;
  for (let i = 0; i < n; i++) out[i] = min + step * level(i);
  return out;
}

/** The same, low byte first. */
function words(what, n) {
  const bytes = base64(what.data);
  return scaledWords(what, n, i => bytes[2 * i] | bytes[2 * i + 1] << 8);
}

/** Names of a row's entries. */
export const R = /** @type {const} */ ({ NAME: 0, LABEL: 1, P: 2, TARGETS: 3, TIME: 4, MODEL: 5, TRUTH: 6, SOURCE: 7, NUMBERS: 8, LAYERS: 9 });

/** @param {string} id */
export const methodName = id => (index.methods.find(m => m[0] === id) || [id, id])[1];

/** Production captures are named by their ids, which all begin alike: what tells them apart comes first. @param {string} name */
export function shortName(name) {
  const id = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})\d*Z-[0-9a-f]+-([0-9a-f]+)(-\d+)?$/.exec(name);
  return id ? `#${parseInt(id[8], 16)}${id[9] ? '.' + id[9].slice(1) : ''} · ${id[4]}:${id[5]}:${id[6]}.${id[7]}` : name;
}

/** Right, wrong, or '' where nobody knows. @param {Row} row */
export const verdict = row => row[R.TRUTH].length && row[R.LABEL] ? (row[R.TRUTH].includes(row[R.LABEL]) ? 'right' : 'wrong') : '';
