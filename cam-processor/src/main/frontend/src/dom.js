// Small helpers to make elements and to print numbers.

/** @param {string} id @returns {any} */
export const $ = id => document.getElementById(id);

/**
 * An element: `el('p', {class: 'x', onclick: f}, child, 'text')`; null children are left out.
 * @param {string} name @param {Record<string, any>} [attributes] @param {...any} children @returns {any}
 */
export function el(name, attributes, ...children) {
  /** @type {any} */
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key in element && typeof value !== 'string') element[key] = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

/** @param {Element} element @param {...any} children */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
}

/** @param {string} name @param {Record<string, any>} attributes @param {...any} children @returns {any} */
export function svg(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

export const percent = p => p === null || p === undefined ? '–' : (p > 0 && p < .001 ? '<0.1' : p < 1 && p > .9995 ? '>99.9' : (100 * p).toFixed(1)) + ' %';

/** Three significant digits. @param {number | null} v */
export function short(v) {
  if (v === null || v === undefined || Number.isNaN(v)) return '–';
  if (v === 0) return '0';
  const a = Math.abs(v);
  if (a >= 1e5 || a < 1e-3) return v.toExponential(1).replace('e+', 'e');
  return a >= 100 ? v.toFixed(0) : a >= 10 ? v.toFixed(1) : a >= 1 ? v.toFixed(2) : String(Number(v.toPrecision(3)));
}

/**
 * Round values between two others, and as many decimals as tell them apart. @param {number} low @param {number} high
 * @returns {{ values: number[], decimals: number }}
 */
export function ticks(low, high) {
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find(m => m * power >= rough * .999);
  const values = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) values.push(k * step);
  let decimals = 0;
  while (decimals < 12 && Math.abs(Math.round(step * 10 ** decimals) - step * 10 ** decimals) > 1e-6 * 10 ** decimals * step) decimals++;
  return { values, decimals };
}

export const signed = v => (v > 0 ? '+' : '') + short(v);

/** @param {number} n */
export const count = n => n.toLocaleString('en-US').replace(/,/g, '\u202f');

/** @param {string} iso */
export const when = iso => iso ? iso.replace('T', ' ').replace(/(\.\d{1,3})\d*Z$/, '$1Z').replace(/Z$/, ' UTC') : '';

/** `1 capture`, `2 captures`. @param {number} n @param {string} noun */
export const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;

/**
 * A choice of one: buttons when there are few short options, else a drop-down. Options are [value, label].
 * @param {string} name @param {string} label @param {any[][]} options @param {any} value @param {(v: string) => void} onchange
 */
export function choice(name, label, options, value, onchange) {
  const letters = options.reduce((sum, o) => sum + String(o[1]).length + 3, 0);
  if (options.length > 4 || letters > 40) return dropdown(name, label, options, value, onchange);
  return el('div', { class: 'seg', id: name, role: 'radiogroup', 'aria-label': label },
    options.map(o => el('label', {},
      el('input', { type: 'radio', name, value: String(o[0]), checked: String(o[0]) === String(value), onchange: () => onchange(String(o[0])) }),
      el('span', {}, o[1]))));
}

export function dropdown(name, label, options, value, onchange) {
  return el('select', { id: name, 'aria-label': label, onchange: e => onchange(e.target.value) },
    options.map(o => el('option', { value: String(o[0]), selected: String(o[0]) === String(value) }, o[1])));
}

export const check = (id, text, title, checked, onchange) => el('label', { title },
  el('input', { type: 'checkbox', id, checked, onchange: e => onchange(e.target.checked) }), text);

export const button = (text, onclick, attributes) => el('button', { type: 'button', class: 'btn', onclick, ...attributes }, text);

export function nothing(title, ...text) {
  return el('div', { class: 'empty' }, el('h2', {}, title), text.map(t => el('p', {}, t)));
}

/** Says something to people who listen to the page. @param {string} text */
export function announce(text) {
  const status = $('status');
  if (status) status.textContent = text;
}

/** Draws `root` anew; a mark that had the focus has it again. @param {HTMLElement} root @param {(root: HTMLElement) => void} draw */
export function redraw(root, draw) {
  const mark = root.contains(document.activeElement) ? document.activeElement.getAttribute('data-mark') : null;
  draw(root);
  const again = mark && [...root.querySelectorAll('[data-mark]')].find(e => e.getAttribute('data-mark') === mark);
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

/** Offers bytes as a file. @param {string} name @param {Blob} blob */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = el('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  announce('Saved ' + name);
}

/** A value of the current theme. @param {string} name */
export const themed = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
