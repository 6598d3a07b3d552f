// Length and shape of the nails, for the whole hand.
import { Slider } from './slider.js';

const shapes = ['natural', 'square', 'squoval', 'oval', 'almond', 'stiletto', 'coffin'];
const lengthAtFirst = 0.45;

// Outlines of a nail for the buttons, tip up.
const outlines = {
    natural: 'M6 27V15C6 8 9 6 13 6s7 2 7 9v12',
    square: 'M6 29V4h14v25',
    squoval: 'M6 29V8c0-3 1-4 4-4h6c3 0 4 1 4 4v21',
    oval: 'M6 29V13c0-7 4-10 7-10s7 3 7 10v16',
    almond: 'M6 29V16C7 8 11 2 13 2s6 6 7 14v13',
    stiletto: 'M6 29V17L13 1l7 16v12',
    coffin: 'M6 29V16L9 3h8l3 13v13',
};

function drawing(name) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 26 32');
    svg.setAttribute('aria-hidden', 'true');
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', outlines[name]);
    svg.append(path);
    return svg;
}

export class ShapePanel {
    #find;
    #lookStore;
    #words;
    #length;

    constructor({ find, lookStore, words }) {
        this.#find = find;
        this.#lookStore = lookStore;
        this.#words = words;
        this.#length = new Slider({
            name: 'length',
            find,
            words,
            read: ({ shape }) => (shape?.length > 0 ? shape.length : undefined),
            write: (length) =>
                lookStore.setShape({ ...lookStore.fields.shape, length: Math.max(0.02, length) }),
        });
        find('shape').addEventListener('change', ({ target }) => this.#choose(target.value));
    }

    #choose(kind) {
        const length = this.#lookStore.fields.shape?.length || lengthAtFirst;
        this.#lookStore.setShape(kind === 'natural' ? undefined : { kind, length });
    }

    build() {
        this.#find('shape').replaceChildren(
            ...shapes.map((name) => {
                const input = document.createElement('input');
                Object.assign(input, { type: 'radio', name: 'shape', value: name });
                const text = document.createElement('b');
                text.textContent = this.#words.t(`shape.${name}`);
                const span = document.createElement('span');
                span.append(drawing(name), text);
                const label = document.createElement('label');
                label.append(input, span);
                return label;
            }),
        );
    }

    show(fields) {
        const kind = fields.shape?.length > 0 ? fields.shape.kind : 'natural';
        for (const input of this.#find('shape').querySelectorAll('input'))
            input.checked = input.value === kind;
        this.#length.show(fields);
    }
}
