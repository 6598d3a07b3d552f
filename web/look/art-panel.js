// Controls for what is laid over the polish (docs/LOOKS.md): French tip, ombre, the server's
// patterns, and the user's own design, each with its colour and positions.
import { isOwnDesign } from './designs.js';
import { Slider } from './slider.js';

const tipColor = '#fbf8f2';
const french = (shape, width) => ({ french: { color: tipColor, width, curve: 0.5, shape } });
const arts = {
    french: french('smile', 0.25),
    micro: french('smile', 0.1),
    straight: french('straight', 0.25),
    chevron: french('chevron', 0.3),
    diagonal: french('diagonal', 0.35),
    ombre: { ombre: { color: '#faf7f0', from: 0.35, to: 0.95 } },
};
const none = { french: undefined, ombre: undefined, pattern: undefined };
const least = 0.05; // minimum length of an ombre's transition

function shows({ french: tip, ombre }, art) {
    if (art.ombre) return Boolean(ombre);
    return tip?.shape === art.french.shape && tip.width < 0.15 === art.french.width < 0.15;
}

// The select's name for the art that is worn.
function artOf(fields) {
    const image = fields.pattern?.image ?? fields.pattern;
    if (image) return isOwnDesign(image) ? 'own' : image;
    const known = Object.keys(arts).find((name) => shows(fields, arts[name]));
    return known ?? (fields.french ? 'french' : 'none');
}

export class ArtPanel {
    #find;
    #lookStore;
    #words;
    #sliders;

    constructor({ find, lookStore, words }) {
        this.#find = find;
        this.#lookStore = lookStore;
        this.#words = words;
        const part = (key, name) => (value) => {
            const old = lookStore.fields[key];
            lookStore.set({ [key]: { ...old, [name]: value } });
        };
        const slider = (name, read, write) => new Slider({ name, find, words, read, write });
        this.#sliders = [
            slider(
                'tip-width',
                (f) => f.french && (f.french.width ?? 0.25),
                part('french', 'width'),
            ),
            slider(
                'tip-curve',
                (f) => f.french && (f.french.curve ?? 0.5),
                part('french', 'curve'),
            ),
            slider(
                'ombre-from',
                (f) => f.ombre && (f.ombre.from ?? 0.2),
                (v) => this.#ombre('from', v),
            ),
            slider(
                'ombre-to',
                (f) => f.ombre && (f.ombre.to ?? 0.9),
                (v) => this.#ombre('to', v),
            ),
        ];
        this.#wire();
    }

    #wire() {
        const art = this.#find('art');
        art.addEventListener('change', () => {
            if (art.value === 'own') return;
            const pattern = { pattern: { image: art.value, opacity: 1 } };
            const change = art.value === 'none' ? {} : (arts[art.value] ?? pattern);
            this.#lookStore.set({ ...none, ...change });
        });
        this.#find('art-color').addEventListener('input', ({ target }) =>
            this.#color(target.value),
        );
        this.#find('art-own-colors').addEventListener('click', () => this.#color(undefined));
    }

    // Moves one end of the transition, which pushes the other end along.
    #ombre(name, value) {
        const ombre = { from: 0.2, to: 0.9, ...this.#lookStore.fields.ombre };
        if (name === 'from') {
            ombre.from = Math.min(value, 1 - least);
            ombre.to = Math.max(ombre.to, ombre.from + least);
        } else {
            ombre.to = Math.max(value, least);
            ombre.from = Math.min(ombre.from, ombre.to - least);
        }
        this.#lookStore.set({ ombre });
    }

    // Sets the colour of the tip, the ombre's end or the whole pattern; undefined: the pattern's
    // own colours.
    #color(color) {
        const { french: tip, ombre, pattern } = this.#lookStore.fields;
        if (pattern) {
            const { color: _, ...own } = { opacity: 1, ...pattern };
            this.#lookStore.set({ pattern: color ? { ...own, color } : own });
        } else if (tip) this.#lookStore.set({ french: { ...tip, color } });
        else if (ombre) this.#lookStore.set({ ombre: { ...ombre, color } });
    }

    // Called after a change of language or of the catalogue. patterns: their names.
    build(patterns) {
        const { t, has } = this.#words;
        const said = (name) => (has(`art.${name}`) ? t(`art.${name}`) : name.replaceAll('-', ' '));
        this.#find('art').replaceChildren(
            ...['none', ...Object.keys(arts), ...patterns].map(
                (name) => new Option(said(name), name),
            ),
        );
        const own = new Option(t('art.own'), 'own');
        own.hidden = true;
        this.#find('art').append(own);
    }

    show(fields) {
        const art = artOf(fields);
        const own = this.#find('art').querySelector('[value=own]');
        if (own) own.hidden = art !== 'own';
        this.#find('art').value = art;
        const offered = this.#sliders.map((slider) => slider.show(fields));
        this.#find('art-numbers').hidden = !offered.includes(true);
        const { pattern, french: tip, ombre } = fields;
        const color = pattern ? pattern.color : (tip?.color ?? ombre?.color);
        const input = this.#find('art-color');
        input.disabled = art === 'none';
        input.value = color ?? (tip ? tipColor : fields.color);
        input.parentElement.toggleAttribute('data-own', Boolean(pattern && !pattern.color));
        this.#find('art-own-colors').hidden = !pattern?.color;
    }
}
