// The data: the index is read at once, everything else only when it is looked at.

const index = JSON.parse(document.getElementById('index').textContent);

/** The JSON of a data element. While the file is still being read it may not be there yet: waits. */
async function block(id) {
  for (;;) {
    const element = document.getElementById(id);
    // The parser may be in the middle of the element; it is complete when something follows it.
    if (element && (element.nextSibling || document.readyState !== 'loading')) {
      return JSON.parse(element.textContent);
    }
    if (document.readyState !== 'loading') return null;
    await new Promise(resolve => setTimeout(resolve, 15));
  }
}

/** Remembers the last few results of an asynchronous function of one key. */
function remembered(size, load) {
  const kept = new Map();
  return key => {
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
}

const thumbnails = remembered(60, number => block('t' + number));

/** Data URL of the small picture of capture `i`, '' if it has none. */
async function thumbnail(i) {
  const all = await thumbnails(Math.floor(i / index.thumbsPerBlock));
  return all ? all[i % index.thumbsPerBlock] : '';
}

/** Capture `i`, with its picture decoded. */
const capture = remembered(8, async i => {
  const c = await block('c' + i);
  if (!c) return null;
  for (const map of c.maps) map.values = lazily(() => words(map));
  for (const ch of c.channels) ch.bytes = lazily(() => base64(ch.data));
  for (const mask of c.masks) mask.bytes = lazily(() => base64(mask.bits));
  c.image = c.picture ? await decoded(c.picture.src) : null;
  return c;
});

function lazily(make) {
  let value;
  return () => value === undefined ? (value = make()) : value;
}

function decoded(src) {
  return new Promise(resolve => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = src;
  });
}

function base64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** A map's values: 16-bit levels between its min and max. */
function words(map) {
  const bytes = base64(map.data);
  const out = new Float32Array(map.w * map.h);
  const step = (map.max - map.min) / 65535;
  for (let i = 0; i < out.length; i++) out[i] = map.min + step * (bytes[2 * i] | bytes[2 * i + 1] << 8);
  return out;
}
