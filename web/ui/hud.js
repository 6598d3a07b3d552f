// Shows the values of stats.js in the HUD.
import { parts } from '../live/stats.js';

const ms = (value) => (Number.isFinite(value) ? value.toFixed(value < 10 ? 1 : 0) : '–');
const msText = (value) => (Number.isFinite(value) ? `${ms(value)} ms` : '–');
const bytes = (value) =>
    !Number.isFinite(value)
        ? '–'
        : value < 1e6
          ? `${(value / 1000).toFixed(value < 1e4 ? 1 : 0)} kB`
          : `${(value / 1e6).toFixed(2)} MB`;

export class Hud {
    #find;
    #rows = new Map();

    constructor(find, words) {
        this.#find = find;
        for (const [name, color] of parts) {
            const bar = document.createElement('span');
            const row = document.createElement('li');
            const text = document.createElement('b');
            const value = document.createElement('span');
            bar.style.setProperty('--c', color);
            row.style.setProperty('--c', color);
            row.dataset.part = name;
            row.append(text, value);
            find('bar').append(bar);
            find('stages').append(row);
            this.#rows.set(name, { bar, text, value });
        }
        this.name(words);
    }

    // Called after a change of language.
    name(words) {
        for (const [name, { text }] of this.#rows) text.textContent = words.t(`part.${name}`);
    }

    show(summary) {
        const find = this.#find;
        find('fps').textContent = summary.count > 1 ? Math.round(summary.fps) : '–';
        find('p50').textContent = ms(summary.p50);
        if (!find('hud').open) return;
        find('lat50').textContent = msText(summary.p50);
        find('lat95').textContent = msText(summary.p95);
        find('server-ms').textContent = msText(summary.server);
        find('replies').textContent = Math.round(summary.replies);
        find('nails').textContent = summary.count ? summary.nails : '–';
        find('bytes-up').textContent = bytes(summary.bytesUp);
        find('bytes-down').textContent = bytes(summary.bytesDown);
        find('rate-up').textContent = `${bytes(summary.rate)}/s`;
        find('dropped').textContent = summary.lost;
        const total = parts.reduce((sum, [name]) => sum + (summary.parts[name] || 0), 0) || 1;
        for (const [name, { bar, value }] of this.#rows) {
            const part = summary.parts[name];
            bar.style.setProperty('--share', Number.isFinite(part) ? (part / total) * 100 : 0);
            value.textContent = ms(part);
        }
    }
}
