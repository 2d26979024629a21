// Small helpers to make elements and print numbers.

const $ = id => document.getElementById(id);

/** An element: `el('p', {class: 'x', onclick: f}, child, 'text')`; null children are left out. */
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key in element && typeof value !== 'string') element[key] = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined) element.append(child);
  return element;
}

function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(child => child !== null && child !== undefined));
}

const percent = p => p === null || p === undefined ? '–' : (p > 0 && p < .001 ? '<0.1' : (100 * p).toFixed(1)) + ' %';

function short(v) {
  if (v === null || v === undefined) return '–';
  if (v === 0) return '0';
  const a = Math.abs(v);
  if (a >= 1e5 || a < 1e-3) return v.toExponential(1).replace('e+', 'e');
  return a >= 100 ? v.toFixed(0) : a >= 10 ? v.toFixed(1) : a >= 1 ? v.toFixed(2) : String(Number(v.toPrecision(3)));
}

const count = n => n.toLocaleString('en-US').replace(/,/g, '\u202f');

/**
 * A choice of one: buttons when there are few short options, else a drop-down.
 * Options are [value, label] or [value, label, remark].
 */
function choice(name, label, options, value, onchange) {
  const letters = options.reduce((sum, o) => sum + o[1].length + (o[2] || '').length + 3, 0);
  if (options.length > 4 || letters > 46) {
    return el('select', { id: name, 'aria-label': label, onchange: e => onchange(e.target.value) },
      options.map(o => el('option', { value: String(o[0]), selected: String(o[0]) === String(value) }, o[1])));
  }
  return el('div', { class: 'seg', id: name, role: 'radiogroup', 'aria-label': label },
    options.map(o => el('label', {},
      el('input', { type: 'radio', name, value: String(o[0]), checked: String(o[0]) === String(value), onchange: () => onchange(String(o[0])) }),
      el('span', {}, o[1], o[2] ? el('span', { class: 'dim' }, o[2]) : null))));
}
