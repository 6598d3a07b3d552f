// The look: what polish is painted, and the shades and finishes offered.

export const shades = [
    ['Milk', '#f3ece6'],
    ['Ballet', '#ebc7c1'],
    ['Bare', '#c9977f'],
    ['Mauve', '#a8737f'],
    ['Rosewater', '#ee8fa9'],
    ['Peony', '#e8487f'],
    ['Fuchsia', '#c71585'],
    ['Coral', '#ff6f59'],
    ['Scarlet', '#d0112b'],
    ['Cherry', '#8a0f26'],
    ['Fig', '#4c1d37'],
    ['Cocoa', '#5b372a'],
    ['Lilac', '#b7a2dc'],
    ['Sage', '#93ab8c'],
    ['Lagoon', '#1f8a8c'],
    ['Ink', '#22336b'],
    ['Onyx', '#19171b'],
];

const finishTexts = { creme: 'Crème', gloss: 'Glossy' };
export const finishText = (name) =>
    finishTexts[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');

export const shadeText = (color) => shades.find(([, hex]) => hex === color)?.[0] ?? 'Your colour';

// "c71585", "#f0a", "#C71585" → "#rrggbb"; anything else → null.
export function parseHex(text) {
    const m = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim());
    if (!m) return null;
    const hex = m[1].toLowerCase();
    return '#' + (hex.length === 3 ? [...hex].map((c) => c + c).join('') : hex);
}

const key = 'lacquer.look';
const defaults = { color: '#c71585', finish: 'creme', texture: 0.5, sheen: true, opacity: 1 };

// Emits "change" after every change. Remembered on this device only.
export class Look extends EventTarget {
    #fields = { ...defaults };

    constructor() {
        super();
        try {
            const saved = JSON.parse(localStorage.getItem(key) ?? '{}');
            for (const name of Object.keys(defaults)) {
                if (typeof saved[name] === typeof defaults[name]) this.#fields[name] = saved[name];
            }
            if (!parseHex(this.#fields.color)) this.#fields.color = defaults.color;
        } catch {
            /* storage may be blocked: the defaults do */
        }
    }

    get fields() {
        return { ...this.#fields };
    }

    set(change) {
        Object.assign(this.#fields, change);
        try {
            localStorage.setItem(key, JSON.stringify(this.#fields));
        } catch {
            /* not remembered */
        }
        this.dispatchEvent(new Event('change'));
    }
}
