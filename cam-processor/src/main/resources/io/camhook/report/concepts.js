// What a layer sees, without any target: its concepts, each in its colour.

function conceptsCard(c) {
  const found = c.concepts;
  if (!found) return null;
  return el('section', { class: 'card gap', 'aria-label': 'Concepts', id: 'concepts' },
    el('div', { class: 'cardhead' }, el('h3', {}, 'Concepts of ', el('code', {}, found.l)),
      el('span', { class: 'muted', style: 'font-size:12.5px' }, `${found.list.length} directions of the activation, found without a class; they leave ${percent(found.rest)} unexplained`)),
    el('div', { class: 'cols' },
      el('img', { src: found.src, alt: 'The picture with each concept in its colour', style: 'width:100%;max-width:420px;border-radius:6px' }),
      el('table', { class: 'meta' }, el('thead', {}, el('tr', {}, el('th', {}, 'Concept'), el('th', { class: 'num' }, 'Share'), el('th', {}, 'The model says'))),
        el('tbody', {}, found.list.map((k, i) => el('tr', {},
          el('td', {}, el('i', { style: `display:inline-block;width:12px;height:12px;border-radius:3px;vertical-align:-1px;margin-right:7px;background:${k.colour}` }), String(i + 1)),
          el('td', { class: 'num' }, percent(k.share)), el('td', {}, k.says.length ? k.says.map(text => el('div', {}, text)) : '–')))))));
}
