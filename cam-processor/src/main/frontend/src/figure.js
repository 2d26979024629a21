// What is shown, as a file: pictures with their scale, caption and provenance, charts, tables.

import { index, methodName, R, shortName } from './data.js';
import { draw, drawingSize, heatFor, depthOf, sharedTop } from './draw.js';
import { coloured, paintScale, signedNow, usualColours } from './colour.js';
import { state } from './store.js';
import { download, short, themed, when } from './dom.js';

/** @typedef {import('./types').Capture} Capture @typedef {import('./types').Selection} Selection */

export const provenance = () => `${index.title} · ${index.sources.map(s => s.path).join(', ')} · camhook ${index.camhook} · ${when(index.created)}`;

/** @param {Capture} c @param {Selection} sel */
export function captionOf(c, sel) {
  const t = c.targets[sel.t];
  return [shortName(c.name), sel.method ? `${methodName(sel.method)}${t ? ' of ' + t.label : ''}${sel.layer ? ' at ' + sel.layer : ''}` : null].filter(Boolean).join(' · ');
}

/** @param {import('./types').Capture} [c] */
export const settings = c => [`opacity ${state.opacity} %`, `colours ${state.colours || usualColours(c)}`, state.scale === 'shared' ? 'shared scale' : null, state.cells ? 'cells' : null, state.contour ? `contour at ${state.contour} %` : null].filter(Boolean).join(', ');

const fileName = text => text.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^-+|-+$/g, '').slice(0, 100) || 'figure';

/** Picture, scale, caption, provenance. @returns {{ canvas: HTMLCanvasElement, map: HTMLCanvasElement, heat: any, width: number, height: number }} */
function compose(c, sel, side, top) {
  const [w, h] = drawingSize(c, side);
  const map = document.createElement('canvas');
  map.width = w; map.height = h;
  const heat = sel.method ? heatFor(c, sel, w, h, top) : null;
  draw(map, c, { heat, opacity: state.opacity / 100, look: state.look === 'original' ? 'original' : 'overlay', depth: depthOf(c, sel) });
  return { map, heat, width: w, height: h, canvas: map };
}

const pad = 16, scaleHeight = 34, textHeight = 44;

/** @param {Capture} c @param {Selection} sel @param {number} [top] end of a scale that is shared with other maps */
export function figureCanvas(c, sel, side = 720, top = sharedTop(c, sel)) {
  const { map, heat, width, height } = compose(c, sel, side, top);
  const canvas = document.createElement('canvas');
  canvas.width = width + 2 * pad;
  canvas.height = height + 2 * pad + (heat ? scaleHeight : 0) + textHeight;
  const g = canvas.getContext('2d');
  g.fillStyle = themed('--card');
  g.fillRect(0, 0, canvas.width, canvas.height);
  g.drawImage(map, pad, pad);
  let y = pad + height;
  if (heat) {
    g.drawImage(scaleCanvas(heat), pad, y + 8, width, 10);
    g.fillStyle = themed('--muted');
    g.font = `12px ${themed('--font')}`;
    g.textBaseline = 'top';
    g.fillText(endOf(heat, 'low'), pad, y + 20);
    g.textAlign = 'right';
    g.fillText(endOf(heat, 'high'), pad + width, y + 20);
    g.textAlign = 'left';
    y += scaleHeight;
  }
  g.textBaseline = 'top';
  g.fillStyle = themed('--ink');
  g.font = `600 13px ${themed('--font')}`;
  g.fillText(captionOf(c, sel), pad, y + 8, width);
  g.fillStyle = themed('--muted');
  g.font = `11px ${themed('--font')}`;
  g.fillText(`${provenance()} · ${settings(c)}`, pad, y + 28, width);
  return canvas;
}

/** The ends of a scale in the map's own units, where it has some. */
export const endOf = (heat, end) => heat.raw ? short(heat[end]) : heat.signed ? (end === 'low' ? 'against' : 'for') : end === 'low' ? '0' : '1';

function scaleCanvas(heat) {
  const scale = document.createElement('canvas');
  scale.width = 256; scale.height = 1;
  paintScale(scale, heat.signed);
  return scale;
}

/** @param {Capture} c @param {Selection} sel */
export function figurePng(c, sel) {
  figureCanvas(c, sel).toBlob(blob => blob && download(fileName(captionOf(c, sel)) + '.png', blob), 'image/png');
}

const escaped = text => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');

/** The same as an SVG: pictures inside, text as text. @param {Capture} c @param {Selection} sel */
export function figureSvgText(c, sel) {
  const { map, heat, width, height } = compose(c, sel, 720, sharedTop(c, sel));
  const W = width + 2 * pad, H = height + 2 * pad + (heat ? scaleHeight : 0) + textHeight;
  let y = pad + height;
  const font = 'font-family="system-ui, sans-serif"';
  const parts = [`<svg xmlns="http://www.w3.org/2000/svg" width="${W}" height="${H}" viewBox="0 0 ${W} ${H}">`,
    `<title>${escaped(captionOf(c, sel))}</title><desc>${escaped(provenance())}</desc>`,
    `<rect width="${W}" height="${H}" fill="${themed('--card')}"/>`,
    `<image x="${pad}" y="${pad}" width="${width}" height="${height}" href="${map.toDataURL('image/png')}"/>`];
  if (heat) {
    parts.push(`<image x="${pad}" y="${y + 8}" width="${width}" height="10" preserveAspectRatio="none" href="${scaleCanvas(heat).toDataURL('image/png')}"/>`,
      `<text x="${pad}" y="${y + 30}" ${font} font-size="12" fill="${themed('--muted')}">${escaped(endOf(heat, 'low'))}</text>`,
      `<text x="${pad + width}" y="${y + 30}" ${font} font-size="12" text-anchor="end" fill="${themed('--muted')}">${escaped(endOf(heat, 'high'))}</text>`);
    y += scaleHeight;
  }
  parts.push(`<text x="${pad}" y="${y + 19}" ${font} font-size="13" font-weight="600" fill="${themed('--ink')}">${escaped(captionOf(c, sel))}</text>`,
    `<text x="${pad}" y="${y + 38}" ${font} font-size="11" fill="${themed('--muted')}">${escaped(`${provenance()} · ${settings(c)}`)}</text>`, '</svg>');
  return parts.join('\n');
}

/** @param {Capture} c @param {Selection} sel */
export function figureSvg(c, sel) {
  download(fileName(captionOf(c, sel)) + '.svg', new Blob([figureSvgText(c, sel)], { type: 'image/svg+xml' }));
}

/** A chart of the page, or one that was drawn to be saved, with its colours written out. @param {SVGElement} chart @param {string} caption */
export function chartSvgText(chart, caption) {
  if (!chart.isConnected) {
    const holder = document.createElement('div');
    holder.className = 'sheet';
    holder.append(chart);
    document.body.append(holder);
    try { return chartSvgText(chart, caption); } finally { holder.remove(); }
  }
  const copy = /** @type {SVGElement} */ (chart.cloneNode(true));
  const from = [chart, ...chart.querySelectorAll('*')], to = [copy, ...copy.querySelectorAll('*')];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'font-size', 'font-family', 'text-anchor']) to[i].setAttribute(name, style.getPropertyValue(name));
    to[i].removeAttribute('class');
    to[i].removeAttribute('tabindex');
  });
  const [, , w, h] = (chart.getAttribute('viewBox') || '0 0 1040 280').split(' ').map(Number);
  const font = 'font-family="system-ui, sans-serif"';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h + 48}" viewBox="0 -26 ${w} ${h + 48}"><rect y="-26" width="${w}" height="${h + 48}" fill="${themed('--card')}"/>`
    + `<text x="8" y="-8" ${font} font-size="13" font-weight="600" fill="${themed('--ink')}">${escaped(caption)}</text>${copy.innerHTML}`
    + `<text x="8" y="${h + 14}" ${font} font-size="11" fill="${themed('--muted')}">${escaped(provenance())}</text></svg>`;
}

/** @param {SVGElement} chart @param {string} caption @param {'svg' | 'png'} form */
export function saveChart(chart, caption, form) {
  const text = chartSvgText(chart, caption), name = fileName(caption);
  if (form === 'svg') return download(name + '.svg', new Blob([text], { type: 'image/svg+xml' }));
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement('canvas');
    canvas.width = 2 * image.width; canvas.height = 2 * image.height;
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(blob => blob && download(name + '.png', blob), 'image/png');
  };
  image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(text);
}

/** @param {any[][]} rows the first one names the columns @returns {string} */
export function csv(rows) {
  const cell = v => {
    if (v === null || v === undefined) return '';
    // text of a recording must not become a formula of a spreadsheet
    const text = typeof v === 'string' && /^[=+\-@\t]/.test(v) ? `'${v}` : String(v);
    return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  return rows.map(row => row.map(cell).join(',')).join('\n') + '\n';
}

export const saveCsv = (name, rows) => download(fileName(name) + '.csv', new Blob([csv(rows)], { type: 'text/csv' }));
export { R, coloured, signedNow };
