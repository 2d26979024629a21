// Paper: a contact sheet of the selection, or the capture with the settings it is shown with.

import { captionOf, provenance, settings } from './figure.js';
import { index, R, shortName } from './data.js';
import { paintTile } from './list.js';
import { matching, summary } from './filter.js';
import { state } from './store.js';
import { $, el, fill, percent } from './dom.js';

const SHEET = 200;

/** Fills the sheet that is printed in the place of the page. */
export async function contactSheet() {
  const rows = matching().slice(0, SHEET), waits = [];
  fill($('sheet'), el('h1', {}, index.title || 'camhook report'), el('p', {}, `${summary()} captures${matching().length > SHEET ? `, the first ${SHEET} of them` : ''} · ${state.method || 'first method'} · ${settings()}`), el('p', {}, provenance()),
    el('div', { class: 'sheetgrid' }, rows.map(i => {
      const row = index.captures[i], canvas = el('canvas', { width: 160, height: 160 });
      waits.push(paintTile(canvas, i));
      return el('figure', {}, canvas, el('figcaption', {}, shortName(row[R.NAME]), el('br'), `${row[R.LABEL]}${row[R.P] === null ? '' : ' ' + percent(row[R.P])}`));
    })));
  await Promise.all(waits);
  document.body.classList.add('printing');
  const done = () => { document.body.classList.remove('printing'); removeEventListener('afterprint', done); };
  addEventListener('afterprint', done);
  print();
}

export { captionOf };
