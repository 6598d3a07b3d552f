// The shades on offer, their groups, and the ones kept as favourites on this device.

const ownShades = [
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
].map(([name, color]) => ({ name, color }));

const storageKey = 'lacquer.favourites';
const favouritesMax = 200;

const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

// Lightness 0..1, chroma and hue in degrees: OKLCH (Ottosson 2020, "A perceptual color space for
// image processing").
export function oklch(hex) {
    const [r, g, b] = [1, 3, 5].map((i) => linear(parseInt(hex.slice(i, i + 2), 16) / 255));
    const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    const x = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
    const y = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
    return {
        lightness: 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
        chroma: Math.hypot(x, y),
        hue: (Math.atan2(y, x) * 180) / Math.PI,
    };
}

// Upper bounds of hue, in degrees from -180.
const hues = [
    [-78, 'blues'],
    [-28, 'purples'],
    [12, 'pinks'],
    [33, 'reds'],
    [70, 'corals'],
    [112, 'yellows'],
    [172, 'greens'],
    [180, 'blues'],
];

export function groupOf(hex) {
    const { lightness, chroma, hue } = oklch(hex);
    if (chroma < 0.025) return 'greys';
    if (hue > 5 && hue < 85 && chroma < 0.09) return lightness > 0.6 ? 'nudes' : 'browns';
    return hues.find(([most]) => hue <= most)[1];
}

const plain = (text) =>
    text
        .normalize('NFD')
        .replace(/\p{M}/gu, '')
        .toLowerCase();

// Emits "change" when the shades or the favourites changed.
export class Catalogue extends EventTarget {
    #shades = [];
    #favourites = new Set();

    constructor() {
        super();
        this.#take(ownShades);
        try {
            const saved = JSON.parse(localStorage.getItem(storageKey) ?? '[]');
            for (const color of saved.slice(0, favouritesMax))
                if (/^#[0-9a-f]{6}$/.test(color)) this.#favourites.add(color);
        } catch {
            /* storage may be blocked: no favourites */
        }
    }

    #take(shades) {
        this.#shades = shades.map((shade) => ({
            ...shade,
            group: groupOf(shade.color),
            words: plain(`${shade.name} ${shade.color}`),
        }));
    }

    get groups() {
        return [...new Set(this.#shades.map((shade) => shade.group))];
    }

    nameOf(color) {
        return this.#shades.find((shade) => shade.color === color)?.name;
    }

    isFavourite(color) {
        return this.#favourites.has(color);
    }

    setFavourite(color, on) {
        if (on && this.#favourites.size < favouritesMax) this.#favourites.add(color);
        if (!on) this.#favourites.delete(color);
        try {
            localStorage.setItem(storageKey, JSON.stringify([...this.#favourites]));
        } catch {
            /* not remembered */
        }
        this.dispatchEvent(new Event('change'));
    }

    // Every word of the query begins a word of the shade's name, or is in its colour code.
    find({ query = '', group = 'all' } = {}) {
        const words = plain(query).split(/\s+/).filter(Boolean);
        const matches = (shade) =>
            words.every((word) => ` ${shade.words}`.includes(word[0] === '#' ? word : ` ${word}`));
        if (group === 'favourites') return this.#favouriteShades().filter(matches);
        return this.#shades.filter(
            (shade) => (group === 'all' || shade.group === group) && matches(shade),
        );
    }

    // Favourites that are in no catalogue have a colour and no name.
    #favouriteShades() {
        return [...this.#favourites].map(
            (color) =>
                this.#shades.find((shade) => shade.color === color) ?? {
                    name: '',
                    color,
                    words: color,
                },
        );
    }
}
