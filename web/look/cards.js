// Cards with a small painted picture each: finishes in the chosen shade, and complete looks. They
// are native radio buttons, so keyboards and screen readers can use them.
import { finishName } from './look.js';
import { LookStrip } from './look-strip.js';
import { Previews } from './preview.js';
import { ServedPreviews } from './preview-served.js';

// JSON with sorted keys: two looks with the same content give the same text.
const spelled = (value) =>
    JSON.stringify(value, (key, part) =>
        part && typeof part === 'object' && !Array.isArray(part)
            ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
            : part,
    );

export class Cards {
    #find;
    #lookStore;
    #catalogue;
    #words;
    #previews = new Previews();
    #painted = new Map(); // card's canvas → the polish it shows, as JSON with sorted keys
    #strip;

    // base: the server's URL, or null if no server may be contacted.
    constructor({ find, lookStore, catalogue, words, base }) {
        this.#find = find;
        this.#lookStore = lookStore;
        this.#catalogue = catalogue;
        this.#words = words;
        this.#strip = new LookStrip({ find, words });
        if (this.#previews.able || !base) return;
        this.#previews = new ServedPreviews(base);
        this.#previews.onfail = () => this.build();
    }

    // Whether polish is drawn here, by the page's own painter.
    get drawn() {
        return this.#previews instanceof Previews && this.#previews.able;
    }

    takePatterns(patterns) {
        return this.#previews.takePatterns(patterns);
    }

    finishText(name) {
        const key = `finish.${name}`;
        if (this.#words.has(key)) return this.#words.t(key);
        return name.charAt(0).toUpperCase() + name.slice(1).replaceAll(/[_-]/g, ' ');
    }

    // A look from a shop's catalogue keeps the title that the shop gave it.
    #lookText(name, title) {
        const key = `title.${name}`;
        return this.#words.means(key, title) ? this.#words.t(key) : title;
    }

    // Called after a change of language or of the catalogue.
    build() {
        for (const canvas of this.#painted.keys()) this.#previews.drop(canvas);
        this.#painted.clear();
        const { finishes, looks } = this.#catalogue;
        this.#find('finishes').replaceChildren(
            ...finishes.map((name) => {
                const change = { finish: name, gloss: undefined };
                const put = () => this.#lookStore.set(change);
                return this.#card('finish', name, this.finishText(name), put);
            }),
        );
        this.#find('looks').replaceChildren(
            ...looks.map(({ name, title, look }) =>
                this.#card('look', name, this.#lookText(name, title), () =>
                    this.#lookStore.wear(look),
                ),
            ),
        );
        this.#find('look-field').hidden = !looks.length;
        this.#strip.build(looks);
        this.show();
    }

    #card(group, value, text, choose) {
        const input = document.createElement('input');
        Object.assign(input, { type: 'radio', name: group, value });
        input.addEventListener('change', choose);
        const nails = group === 'look' ? 4 : 1;
        const face = this.#previews.able
            ? this.#previews.canvas(nails)
            : document.createElement('i');
        face.dataset.finish = value;
        face.ariaHidden = 'true';
        const span = document.createElement('span');
        const name = document.createElement('b');
        name.textContent = text;
        span.append(face, name);
        const label = document.createElement('label');
        label.append(input, span);
        return label;
    }

    show() {
        const { fields } = this.#lookStore;
        for (const input of this.#find('finishes').querySelectorAll('input')) {
            input.checked = input.value === finishName(fields);
            this.#paint(input, { color: fields.color, finish: input.value });
        }
        const worn = spelled(this.#lookStore.json);
        this.#catalogue.looks.forEach(({ name, look }) => {
            const input = this.#find('looks').querySelector(`input[value="${CSS.escape(name)}"]`);
            if (!input) return;
            input.checked = spelled(look) === worn;
            this.#paint(input, look);
        });
    }

    #paint(input, polish) {
        const canvas = input.parentElement.querySelector('canvas');
        if (!canvas) {
            input.parentElement.querySelector('i').style.setProperty('--c', polish.color);
            return;
        }
        const wanted = spelled(polish);
        if (this.#painted.get(canvas) === wanted) return;
        if (this.#previews.request(canvas, polish)) this.#painted.set(canvas, wanted);
    }
}
