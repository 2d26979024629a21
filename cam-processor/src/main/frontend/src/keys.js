// Every function from the keyboard. Single keys can be switched off: speech control and stray typing set them off.

import { $, button, el, fill } from './dom.js';

const storage = 'camhook:single-keys';
let on = true;
try { on = localStorage.getItem(storage) !== 'off'; } catch { /* then they are on */ }

/** @type {[string[], string, (key: string) => void][]} */
const keys = [];

/** Binds single keys. @param {string[]} names @param {string} says @param {(key: string) => void} run */
export function bind(names, says, run) {
  keys.push([names, says, run]);
}

const others = [
  [['↑', '↓', 'PgUp', 'PgDn', 'Home', 'End'], 'in the list: choose a capture; in the grid: move; elsewhere they scroll the page'],
  [['←', '→', '↑', '↓', '+', '−', '0'], 'on the picture: read values, move, zoom, whole picture'],
  [['←', '→', '↑', '↓', 'Enter'], 'in a chart, on words, in a comparison: read values; open the capture of a step or dot'],
  [['Tab', 'Enter'], 'to the next control; use it'],
  [['Esc'], 'leave the search, close what is open'],
];

export function showKeys() {
  const dialog = $('zoom');
  const row = (names, says) => [el('dt', {}, names.map(k => [el('kbd', {}, k), ' '])), el('dd', {}, says)];
  fill(dialog, el('div', { class: 'head' }, el('h2', { class: 'headtext' }, 'Keys'), el('button', { class: 'icon', type: 'button', 'aria-label': 'Close', autofocus: true, onclick: () => dialog.close() }, '×')),
    el('dl', { class: 'keys' }, keys.map(k => row(k[0], k[1])), others.map(([names, says]) => row(names, says))),
    el('p', {}, el('label', {}, el('input', { type: 'checkbox', id: 'single-keys', checked: on, onchange: e => {
      on = e.target.checked;
      try { localStorage.setItem(storage, on ? 'on' : 'off'); } catch { /* for this page then */ }
    } }), ' Single keys work (letters, digits, /, ?)')), button('Close', () => dialog.close()));
  dialog.onclick = e => { if (e.target === dialog) dialog.close(); };
  dialog.showModal();
}

export function beginKeys() {
  document.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey || $('zoom').open || e.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (e.target);
    const typing = target.matches('input[type=search], input[type=number], input[type=text], select, textarea');
    if (e.key === 'Escape' && typing) { target.blur(); return; }
    if (typing) {
      if (target.id === 'search' && ['ArrowDown', 'Enter'].includes(e.key)) { $('list').focus(); e.preventDefault(); }
      return;
    }
    if (!on) return;
    const found = keys.find(k => k[0].includes(e.key));
    if (!found) return;
    found[2](e.key);
    e.preventDefault();
  });
}
