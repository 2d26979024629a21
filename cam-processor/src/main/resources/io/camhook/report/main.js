// Puts the parts together.

const tabs = ['captures', 'layers', 'metrics', 'about'];
const pages = { layers: layersPage, metrics: metricsPage, about: aboutPage };

function open(tab) {
  for (const name of tabs) {
    $('tab-' + name).setAttribute('aria-selected', String(name === tab));
    $('tab-' + name).tabIndex = name === tab ? 0 : -1;
    $(name).hidden = name !== tab;
  }
  if (pages[tab] && !$(tab).firstChild) fill($(tab), pages[tab]());
}

/** Opens a section and lets the address name it. */
function visit(tab) {
  open(tab);
  if (tab === 'captures' && view) remember(view.i);
  else address('section=' + tab);
}

function theme(name) {
  document.documentElement.dataset.theme = name;
}

theme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
$('theme').addEventListener('click', () => theme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
$('title').textContent = index.title;
$('n-captures').textContent = count(index.captures.length);
$('n-layers').textContent = index.statistics.length ? new Set(index.statistics.map(s => s.layer)).size : '';
$('n-metrics').textContent = index.metrics ? index.metrics.rows.length : '';
tabs.forEach(name => $('tab-' + name).addEventListener('click', () => visit(name)));
document.querySelector('.tabs').addEventListener('keydown', e => {
  const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
  if (!step) return;
  const at = tabs.findIndex(name => $('tab-' + name).getAttribute('aria-selected') === 'true');
  const name = tabs[(at + step + tabs.length) % tabs.length];
  visit(name);
  $('tab-' + name).focus();
  e.preventDefault();
  e.stopPropagation();
});
let view = null;
const section = () => new URLSearchParams(location.hash.slice(1)).get('section');

open('captures');
if (!index.captures.length) {
  document.querySelector('.side').hidden = true;
  $('captures').style.gridTemplateColumns = '1fr';
  fill($('capture'), nothing('No captures in this report', 'The recording holds none. Was the model called, and does sampling let calls through? The agent says at exit how many passes it saw and captured.'));
} else {
  view = new CaptureView($('capture'), null);
  let shown = false;
  const list = new CaptureList(async i => {
    await view.show(i);
    if (!shown) requestAnimationFrame(() => performance.mark('camhook:ready'));
    shown = true;
  });
  view.list = list;
  list.select(recalled());

  document.addEventListener('keydown', e => {
    if ($('captures').hidden || $('zoom').open || e.ctrlKey || e.metaKey || e.altKey) return;
    const inField = e.target.matches('input[type=search], select');
    if (e.key === 'Escape' && inField) { $('list').focus(); return; }
    if (inField) {
      if (e.target.id !== 'search' || !['ArrowDown', 'Enter'].includes(e.key)) return;
      $('list').focus();
    }
    if (e.target.matches('input[type=radio], input[type=range]') && e.key.startsWith('Arrow')) return;
    const big = Infinity;
    const moves = { ArrowUp: -1, ArrowDown: 1, PageUp: -list.perPage(), PageDown: list.perPage(), Home: -big, End: big };
    if (e.key in moves) list.move(moves[e.key]);
    else if (e.key === 'ArrowLeft' || e.key === 'ArrowRight') slide(e.key === 'ArrowLeft' ? -.05 : .05);
    else if (e.key === 'c' && view.c) view.next('target', view.c.targets.map((_, k) => k));
    else if (e.key === 'm' && view.c) view.next('method', view.methods);
    else if (e.key === 'l' && view.c) view.next('layer', view.layers.map(l => l[0]));
    else if (e.key === '/') $('search').focus();
    else return;
    e.preventDefault();
  });

  function slide(by) {
    if (!$('opacity')) return;
    state.opacity = Math.max(0, Math.min(1, state.opacity + by));
    $('opacity').value = Math.round(100 * state.opacity);
    view.opacity();
    view.paint();
    view.minis();
  }
}

if (tabs.includes(section())) visit(section());
else if (!index.captures.length && index.statistics.length) open('layers');
window.addEventListener('hashchange', () => {
  if (tabs.includes(section())) return visit(section());
  open('captures');
  if (view) view.list.select(recalled());
});
