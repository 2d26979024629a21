// Stars and notes on captures: kept by the browser, carried from person to person as a file.

import { index } from './data.js';
import { download } from './dom.js';

/** @type {Map<string, { star?: boolean, note?: string }>} */
let notes = new Map();
/** @type {(() => void)[]} */
const listeners = [];
const key = () => 'camhook:notes:' + index.title + ':' + index.sources.map(s => s.path).join('|');

export function loadNotes() {
  try {
    notes = new Map(Object.entries(JSON.parse(localStorage.getItem(key()) || '{}')));
  } catch { /* no storage: notes live as long as the page */ }
}

function keep() {
  try { localStorage.setItem(key(), JSON.stringify(Object.fromEntries(notes))); } catch { /* as above */ }
  listeners.forEach(run => run());
}

/** @param {() => void} run */
export const onNotes = run => { listeners.push(run); };
/** @param {string} name */
export const noteOf = name => notes.get(name) || {};
export const starred = () => new Set([...notes].filter(([, n]) => n.star).map(([name]) => name));
export const size = () => notes.size;

/** @param {string} name @param {{ star?: boolean, note?: string }} change */
export function annotate(name, change) {
  const next = { ...noteOf(name), ...change };
  if (!next.star) delete next.star;
  if (!next.note) delete next.note;
  if (Object.keys(next).length) notes.set(name, next);
  else notes.delete(name);
  keep();
}

export function exportNotes() {
  const file = { camhook: 'notes', report: index.title, notes: Object.fromEntries(notes) };
  download('camhook-notes.json', new Blob([JSON.stringify(file, null, 1)], { type: 'application/json' }));
}

/** Adds the notes of a file; what it says of a capture replaces what was there. @param {string} text @returns {string} what happened */
export function importNotes(text) {
  let file;
  try { file = JSON.parse(text); } catch { return 'That is no file of notes: it is not JSON.'; }
  if (!file || file.camhook !== 'notes' || typeof file.notes !== 'object') return 'That is no file of notes: expected {"camhook": "notes", …}.';
  let n = 0;
  for (const [name, note] of Object.entries(file.notes)) {
    if (!note || typeof note !== 'object') continue;
    notes.set(name, { ...(note.star ? { star: true } : {}), ...(note.note ? { note: String(note.note) } : {}) });
    n++;
  }
  keep();
  return `${n} notes read.`;
}
