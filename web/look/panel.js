// The polish controls beside shades and cards: left or right look, coats, sliders, the finish's own
// parameters. Nail art and shape have their own files. They are native inputs, so keyboards and
// screen readers can use them.
import { ArtPanel } from './art-panel.js';
import { finishName } from './look.js';
import { finishes } from '../paint/film.js';
import { ShapePanel } from './shape-panel.js';
import { Slider } from './slider.js';

export class Panel {
    #find;
    #lookStore;
    #art;
    #shape;
    #sliders;
    #numbers;

    constructor({ find, lookStore, words }) {
        this.#find = find;
        this.#lookStore = lookStore;
        this.#art = new ArtPanel({ find, lookStore, words });
        this.#shape = new ShapePanel({ find, lookStore, words });
        const plain = (name) =>
            new Slider({
                name,
                find,
                words,
                read: (fields) => fields[name],
                write: (value) => lookStore.set({ [name]: value }),
            });
        this.#sliders = ['texture', 'opacity'].map(plain);
        this.#numbers = [this.#number('size', words), this.#number('angle', words)];
        this.#wire();
    }

    // A slider for a parameter of the finish, offered if the finish has that parameter.
    #number(name, words) {
        const find = this.#find;
        const degrees = name === 'angle';
        const read = ({ finish }) => {
            const kind = finishName({ finish });
            if (degrees) return kind === 'cat-eye' ? (finish?.angle ?? 0) : undefined;
            return finish?.[name] ?? finishes[kind]?.[name];
        };
        const write = (value) => {
            const { finish } = this.#lookStore.fields;
            const own = typeof finish === 'object' ? finish : { name: finish };
            this.#lookStore.set({ finish: { ...own, [name]: value } });
        };
        return new Slider({ name, find, words, degrees, read, write });
    }

    #wire() {
        const find = this.#find;
        const lookStore = this.#lookStore;
        find('sheen').addEventListener('change', () =>
            lookStore.set({ sheen: find('sheen').checked }),
        );
        find('coats').addEventListener('change', ({ target }) =>
            lookStore.set({ coats: Number(target.value) }),
        );
        find('sides').addEventListener('change', (event) =>
            lookStore.edit({ second: event.target.value === '0' }),
        );
        find('panel').addEventListener('submit', (event) => event.preventDefault());
    }

    // Called after a change of language or of the catalogue. patterns: their names.
    build(patterns) {
        this.#art.build(patterns);
        this.#shape.build();
        this.show();
    }

    show() {
        const { fields, main, second, editsSecond } = this.#lookStore;
        for (const input of this.#find('sides').querySelectorAll('input')) {
            const left = input.value === '0';
            input.checked = left === editsSecond;
            const { color } = (left ? second : main).fields;
            input.parentElement.querySelector('i').style.setProperty('--shade', color);
        }
        for (const input of this.#find('coats').querySelectorAll('input'))
            input.checked = Number(input.value) === (fields.coats ?? 1);
        for (const slider of this.#sliders) slider.show(fields);
        const offered = this.#numbers.map((slider) => slider.show(fields));
        this.#find('finish-numbers').hidden = !offered.includes(true);
        this.#find('sheen').checked = fields.sheen;
        this.#art.show(fields);
        this.#shape.show(fields);
    }
}
