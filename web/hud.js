// Writes the figures of stats.js into the HUD, four times a second.
import { parts } from './stats.js';

const $ = (id) => document.getElementById(id);
const ms = (value) => (Number.isFinite(value) ? value.toFixed(value < 10 ? 1 : 0) : '–');
const msText = (value) => (Number.isFinite(value) ? `${ms(value)} ms` : '–');
const bytes = (value) =>
    !Number.isFinite(value)
        ? '–'
        : value < 1e6
          ? `${(value / 1000).toFixed(value < 1e4 ? 1 : 0)} kB`
          : `${(value / 1e6).toFixed(2)} MB`;

let rows = null;

function buildRows() {
    rows = new Map();
    for (const [name, text, color] of parts) {
        const bar = document.createElement('span');
        const row = document.createElement('li');
        const value = document.createElement('span');
        bar.style.setProperty('--c', color);
        row.style.setProperty('--c', color);
        row.dataset.part = name;
        row.append(text, value);
        $('bar').append(bar);
        $('stages').append(row);
        rows.set(name, { bar, value });
    }
}

export function showStats(summary) {
    $('fps').textContent = summary.count > 1 ? Math.round(summary.fps) : '–';
    $('p50').textContent = ms(summary.p50);
    if (!$('hud').open) return;
    if (!rows) buildRows();
    $('lat50').textContent = msText(summary.p50);
    $('lat95').textContent = msText(summary.p95);
    $('server-ms').textContent = msText(summary.server);
    $('nails').textContent = summary.count ? summary.nails : '–';
    $('bytes-up').textContent = bytes(summary.bytesUp);
    $('bytes-down').textContent = bytes(summary.bytesDown);
    $('rate-up').textContent = `${bytes(summary.rate)}/s`;
    $('dropped').textContent = summary.lost;
    const total = parts.reduce((sum, [name]) => sum + (summary.parts[name] || 0), 0) || 1;
    for (const [name, { bar, value }] of rows) {
        const part = summary.parts[name];
        bar.style.setProperty('--share', Number.isFinite(part) ? (part / total) * 100 : 0);
        value.textContent = ms(part);
    }
}
