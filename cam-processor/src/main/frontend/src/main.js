// Puts the parts together.

import { index, loadIndex, refreshIndex, served } from './data.js';
import { begin, set, state, watch } from './store.js';
import { loadNotes, onNotes, annotate, noteOf } from './notes.js';
import { selectionKeys } from './filter.js';
import { beginCaptures, drawChips, moreCaptures, showCaptures, view } from './captures.js';
import { drawOverview, troubles } from './overview.js';
import { drawModel } from './model.js';
import { drawMethods } from './methods.js';
import { beginKeys, bind, showKeys } from './keys.js';
import { move } from './list.js';
import { $, count, el, fill, redraw } from './dom.js';

const tabs = ['overview', 'captures', 'model', 'methods'];
const pages = { overview: drawOverview, model: drawModel, methods: drawMethods };

function theme(/** @type {string} */ name) {
  document.documentElement.dataset.theme = name;
  try { localStorage.setItem('camhook:theme', name); } catch { /* for this page then */ }
}

function savedTheme() {
  try { return localStorage.getItem('camhook:theme'); } catch { return null; }
}

function open() {
  const tab = tabs.includes(state.tab) ? state.tab : 'captures';
  for (const name of tabs) {
    $('tab-' + name).setAttribute('aria-selected', String(name === tab));
    $('tab-' + name).tabIndex = name === tab ? 0 : -1;
    $(name).hidden = name !== tab;
  }
  if (pages[tab]) redraw($(tab), pages[tab]);
  else showCaptures();
}

/** Counts beside the tabs, and what is wrong with the recordings. */
function frame() {
  $('title').textContent = index.title;
  document.title = (index.title ? index.title + ' · ' : '') + 'camhook report';
  $('n-captures').textContent = count(index.captures.length);
  $('n-model').textContent = index.statistics.length ? String(new Set(index.statistics.map(s => s.layer)).size) : '';
  $('n-methods').textContent = index.metrics ? String(index.metrics.rows.length) : '';
  const wrong = troubles();
  $('troubles').hidden = !wrong.length;
  fill($('troubles'), el('b', {}, 'Not whole: '), wrong.join(' · '), ' ', el('button', { type: 'button', class: 'link', onclick: () => set({ tab: 'overview' }) }, 'Provenance'));
}

async function main() {
  theme(savedTheme() || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));
  try {
    await loadIndex();
  } catch {
    fill($('capture'), el('div', { class: 'empty' }, el('h2', {}, 'The report cannot be read'), el('p', {}, 'The file seems to be cut off: make it again.')));
    $('captures').hidden = false;
    return;
  }
  begin();
  loadNotes();
  $('theme').addEventListener('click', () => { theme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'); open(); });
  $('keys').addEventListener('click', showKeys);
  tabs.forEach(name => $('tab-' + name).addEventListener('click', () => set({ tab: name })));
  document.querySelector('.tabs').addEventListener('keydown', (/** @type {any} */ e) => {
    const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (!step) return;
    const name = tabs[(tabs.indexOf(state.tab) + step + tabs.length) % tabs.length];
    set({ tab: name });
    $('tab-' + name).focus();
    e.preventDefault();
    e.stopPropagation();
  });
  if (!index.captures.length && index.statistics.length && !location.hash) state.tab = 'model';
  frame();
  beginCaptures();
  drawChips();
  open();

  watch(['tab'], open);
  watch([...selectionKeys], () => { drawChips(); if (pages[state.tab]) redraw($(state.tab), pages[state.tab]); });
  watch(['module', 'kind', 'quantity', 'msort', 'log', 'chsort', 'chscale'], () => { if (state.tab === 'model') drawModel($('model')); });
  watch(['x', 'y', 'method'], () => { if (state.tab === 'methods') redraw($('methods'), drawMethods); });
  onNotes(() => { if (state.tab === 'overview') drawOverview($('overview')); });

  bind(['j'], 'next capture', () => move(1));
  bind(['k'], 'previous capture', () => move(-1));
  bind(['g'], 'the grid and back', () => set({ tab: 'captures', view: state.view === 'grid' ? 'one' : 'grid' }));
  bind(['c'], 'next class', () => view && view.next('class'));
  bind(['m'], 'next method', () => view && view.next('method'));
  bind(['l'], 'next layer', () => view && view.next('layer'));
  bind(['[', ']'], 'less, more heatmap', key => set({ opacity: Math.max(0, Math.min(100, state.opacity + (key === '[' ? -5 : 5))) }));
  bind(['p'], 'pin the map to compare', () => view && view.c && view.pin());
  bind(['x'], 'compare what is pinned', () => set({ tab: 'captures', view: 'compare' }));
  bind(['s'], 'star', () => { if (view && view.c) annotate(view.c.name, { star: !noteOf(view.c.name).star }); });
  bind(['n'], 'note', () => view && view.c && view.editNote());
  bind(['1', '2', '3', '4'], 'Overview, Captures, Model, Methods', key => set({ tab: tabs[Number(key) - 1] }));
  bind(['t'], 'light or dark', () => $('theme').click());
  bind(['/'], 'search', () => { set({ tab: 'captures', view: state.view === 'compare' ? 'one' : state.view }); requestAnimationFrame(() => $('search').focus()); });
  bind(['?'], 'this list', showKeys);
  beginKeys();
  if (served) live();
}

/** Asks now and then what has come since. */
async function live() {
  for (;;) {
    await new Promise(resolve => setTimeout(resolve, 2000));
    try {
      if (!await refreshIndex()) continue;
    } catch { continue; }
    frame();
    moreCaptures();
    drawChips();
    if (pages[state.tab]) redraw($(state.tab), pages[state.tab]);
  }
}

main();
