// What a layer sees, without any target: its concepts, each in its colour.

import { takeAlong } from './charts.js';
import { tilesFigure, tilesOf } from './cardfigure.js';
import { shortName } from './data.js';
import { el, percent } from './dom.js';

/** @param {import('./types').Capture} c */
export function conceptsCard(c) {
  const found = c.concepts;
  if (!found) return null;
  // Shares are of the activation; together the concepts may rebuild more than there was. Shown is their part of what they rebuild.
  const card = el('section', { class: 'card', 'aria-label': 'Concepts', id: 'concepts' },
    el('div', { class: 'cardhead' }, el('h3', {}, 'Concepts of ', el('code', {}, found.l)),
      el('span', { class: 'muted small' }, `${found.list.length} directions of the activation, found without a class; they leave ${percent(found.rest)} unexplained`), el('span', { class: 'grow' }),
      takeAlong({ name: `concepts of ${found.l} of ${shortName(c.name)}`, chart: () => tilesFigure(tilesOf(card, '.cols').map(t => ({ ...t, caption: `concepts of ${found.l}` }))),
        rows: () => [['concept', 'colour', 'part of what is explained', 'the model says'], ...found.list.map((k, i) => [i + 1, k.colour, k.share, k.says.join('; ')])] })),
    el('div', { class: 'cols even' },
      el('img', { src: found.src, alt: 'The picture with each concept in its colour', class: 'conceptpicture' }),
      el('table', { class: 'meta' }, el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Concept'), el('th', { class: 'num', scope: 'col' }, 'Part of what is explained'), el('th', { scope: 'col' }, 'The model says'))),
        el('tbody', {}, found.list.map((k, i) => el('tr', {},
          el('td', {}, el('i', { class: 'swatch', style: `background:${k.colour}` }), String(i + 1)),
          el('td', { class: 'num' }, percent(Math.max(0, k.share || 0))), el('td', {}, k.says.length ? k.says.map(text => el('div', {}, text)) : '–')))))));
  return card;
}
