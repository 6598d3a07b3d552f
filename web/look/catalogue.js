// The catalogue (GET /api/looks.json of the server, or that file of a static site): shades,
// finishes, complete looks, patterns; and the shades kept as favourites on this device.
import { labOf, suits } from './palette.js';

const storageKey = 'lacquer.favourites';
const favouritesMax = 200;

const plain = (text) =>
    text
        .normalize('NFD')
        .replace(/\p{M}/gu, '')
        .toLowerCase();

// Emits "change" when the shades or the favourites changed.
export class Catalogue extends EventTarget {
    shades = []; // {id, name: to display, color, family}
    finishes = []; // names
    looks = []; // {name, title, look}
    patterns = []; // {name, image}
    #favourites = new Set();

    constructor() {
        super();
        try {
            const saved = JSON.parse(localStorage.getItem(storageKey) ?? '[]');
            for (const color of saved.slice(0, favouritesMax))
                if (/^#[0-9a-f]{6}$/.test(color)) this.#favourites.add(color);
        } catch {
            /* storage may be blocked: no favourites */
        }
    }

    async load(base) {
        const answer = await fetch(new URL('api/looks.json', base), { cache: 'no-store' });
        const { shades, finishes, looks, patterns } = await answer.json();
        // With the shop's data about it: sku, brand, price, …
        this.shades = shades.map(({ name: id, title, lab, ...rest }) => ({
            id,
            name: title,
            ...rest,
        }));
        this.finishes = finishes.map(({ name }) => name);
        this.looks = looks;
        this.patterns = patterns;
        this.dispatchEvent(new Event('change'));
    }

    get families() {
        return [...new Set(this.shades.map(({ family }) => family))];
    }

    shadeOf(color) {
        return this.shades.find((shade) => shade.color === color);
    }

    // The shade whose colour is nearest.
    nearestTo(color) {
        const lab = labOf(color);
        const apart = (shade) => Math.hypot(...labOf(shade.color).map((v, k) => v - lab[k]));
        return [...this.shades].sort((a, b) => apart(a) - apart(b))[0];
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
            /* storage may be blocked: favourites last as long as the page */
        }
        this.dispatchEvent(new Event('change'));
    }

    // Shades for which every word of the query begins a word of the name or family, or is contained
    // in the colour code. group: 'all', 'favourites', a family, a season or a skin tone
    // (palette.js); familyText: family → its name in the user's language; nameText: shade → the
    // same.
    find({
        query = '',
        group = 'all',
        familyText = (family) => family,
        nameText = ({ name }) => name,
    } = {}) {
        const words = plain(query).split(/\s+/).filter(Boolean);
        const matches = (shade) => {
            const { name, family, color } = shade;
            const said = `${name} ${nameText(shade)} ${family ? familyText(family) : ''}`;
            const text = ` ${plain(`${said} ${color}`)}`;
            return words.every((word) => text.includes(word[0] === '#' ? word : ` ${word}`));
        };
        if (group === 'favourites') return this.#favouriteShades().filter(matches);
        return this.shades.filter(
            (shade) =>
                (suits(shade, group) ?? (group === 'all' || shade.family === group)) &&
                matches(shade),
        );
    }

    // Favourites that are in no catalogue have a colour and no name.
    #favouriteShades() {
        return [...this.#favourites].map(
            (color) =>
                this.shades.find((shade) => shade.color === color) ?? { name: '', color },
        );
    }
}
