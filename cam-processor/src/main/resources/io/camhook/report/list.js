// The list: only the rows in view exist.

const ROW = 62;

class CaptureList {
  constructor(onselect) {
    this.onselect = onselect;
    this.rows = new Map();
    this.words = index.captures.map(([name, label, , targets]) => `${name}\n${label}\n${targets.join('\n')}`.toLowerCase());
    this.shown = index.captures.map((_, i) => i);
    this.selected = -1;
    this.list = $('list');
    this.list.addEventListener('scroll', () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.list);
    $('search').addEventListener('input', () => this.filter());
    $('class').addEventListener('change', () => this.filter());
    $('page-prev').addEventListener('click', () => this.page(-1));
    $('page-next').addEventListener('click', () => this.page(1));
    this.classes();
    this.resize();
  }

  classes() {
    const counts = new Map();
    for (const [, label] of index.captures) if (label) counts.set(label, (counts.get(label) || 0) + 1);
    const sorted = [...counts].sort((a, b) => a[0].localeCompare(b[0]));
    fill($('class'), el('option', { value: '' }, `All classes (${sorted.length})`),
      sorted.map(([label, n]) => el('option', { value: label }, `${label} (${count(n)})`)));
  }

  filter() {
    const parts = $('search').value.toLowerCase().split(/\s+/).filter(Boolean);
    const label = $('class').value;
    this.shown = [];
    for (let i = 0; i < this.words.length; i++) {
      if (label && index.captures[i][1] !== label) continue;
      if (parts.every(part => this.words[i].includes(part))) this.shown.push(i);
    }
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this.list.scrollTop = 0;
    this.resize();
    if (this.shown.length && !this.shown.includes(this.selected)) this.select(this.shown[0]);
  }

  resize() {
    $('spacer').style.height = this.shown.length * ROW + 'px';
    this.draw();
  }

  draw() {
    const first = Math.max(0, Math.floor(this.list.scrollTop / ROW) - 4);
    const last = Math.min(this.shown.length, Math.ceil((this.list.scrollTop + this.list.clientHeight) / ROW) + 4);
    for (const [at, row] of this.rows) {
      if (at < first || at >= last) { row.remove(); this.rows.delete(at); }
    }
    for (let at = first; at < last; at++) {
      if (!this.rows.has(at)) {
        const row = this.row(at);
        this.rows.set(at, row);
        $('spacer').append(row);
      }
    }
    const top = Math.floor(this.list.scrollTop / ROW + .5);
    const bottom = Math.min(this.shown.length, top + this.perPage());
    $('range').textContent = this.shown.length ? `${count(top + 1)}–${count(bottom)} of ${count(this.shown.length)}` : 'no match';
    $('page-prev').disabled = top === 0;
    $('page-next').disabled = bottom >= this.shown.length;
  }

  row(at) {
    const i = this.shown[at];
    const [name, label, p] = index.captures[i];
    const thumb = el('div', { class: 'thumb', 'aria-hidden': 'true' });
    thumbnail(i).then(url => { if (url) thumb.style.backgroundImage = `url(${url})`; else thumb.textContent = '∿'; });
    const row = el('div', {
      class: 'row', role: 'option', id: 'row-' + i, 'aria-selected': String(i === this.selected),
      'aria-posinset': String(at + 1), 'aria-setsize': String(this.shown.length), onclick: () => this.select(i),
    }, thumb, el('div', { style: 'min-width:0' },
      el('div', { class: 'name', title: name }, name),
      el('div', { class: 'what' }, el('span', {}, label || 'no class'), el('span', { class: 'num' }, p === null ? '' : percent(p)))));
    row.style.top = at * ROW + 'px';
    return row;
  }

  perPage() { return Math.max(1, Math.floor(this.list.clientHeight / ROW)); }

  page(direction) {
    const top = Math.round(this.list.scrollTop / ROW) + direction * this.perPage();
    this.list.scrollTop = Math.max(0, top * ROW);
    this.draw();
  }

  /** Moves the selection by `steps` rows. */
  move(steps) {
    if (!this.shown.length) return;
    const at = this.shown.indexOf(this.selected);
    this.select(this.shown[Math.max(0, Math.min(this.shown.length - 1, at + steps))]);
  }

  select(i) {
    this.selected = i;
    const at = this.shown.indexOf(i);
    const top = at * ROW, view = this.list.clientHeight;
    if (at >= 0 && (top < this.list.scrollTop || top + ROW > this.list.scrollTop + view)) {
      this.list.scrollTop = top < this.list.scrollTop ? top : top + ROW - view;
    }
    this.draw();
    for (const [place, row] of this.rows) row.setAttribute('aria-selected', String(this.shown[place] === i));
    this.list.setAttribute('aria-activedescendant', 'row-' + i);
    this.onselect(i);
  }
}
