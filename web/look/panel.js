// The polish controls beside shades and cards: side, nail art, shape, sliders. Native inputs, so
// keyboards and screen readers know them.

const sliders = ['texture', 'opacity'];
const shapes = ['square', 'squoval', 'oval', 'almond', 'stiletto', 'coffin'];

// What is laid over the polish (docs/LOOKS.md), beside the server's patterns.
const french = (shape, width) => ({ french: { color: '#fbf8f2', width, curve: 0.5, shape } });
const arts = {
    french: french('smile', 0.25),
    micro: french('smile', 0.1),
    chevron: french('chevron', 0.3),
    diagonal: french('diagonal', 0.35),
    ombre: { ombre: { color: '#faf7f0', from: 0.35, to: 0.95 } },
};
const shows = ({ french: tip, ombre }, art) =>
    art.ombre
        ? Boolean(ombre)
        : tip?.shape === art.french.shape && tip.width < 0.15 === art.french.width < 0.15;

export class Panel {
    #find;
    #lookStore;
    #words;

    constructor({ find, lookStore, words }) {
        this.#find = find;
        this.#lookStore = lookStore;
        this.#words = words;
        for (const name of sliders) {
            const input = find(name);
            input.addEventListener('input', () => lookStore.set({ [name]: input.value / 100 }));
        }
        find('sheen').addEventListener('change', () =>
            lookStore.set({ sheen: find('sheen').checked }),
        );
        find('sides').addEventListener('change', (event) =>
            lookStore.edit({ second: event.target.value === '0' }),
        );
        this.#wireSelects();
        find('panel').addEventListener('submit', (event) => event.preventDefault());
    }

    // After a change of language or of the catalogue. patterns: their names.
    build(patterns) {
        const { t, has } = this.#words;
        const said = (family, name) =>
            has(`${family}.${name}`) ? t(`${family}.${name}`) : name.replaceAll('-', ' ');
        const options = (id, names, family) =>
            this.#find(id).replaceChildren(
                ...names.map((name) => new Option(said(family, name), name)),
            );
        options('art', ['none', ...Object.keys(arts), ...patterns], 'art');
        options('shape', ['natural', ...shapes], 'shape');
        this.show();
    }

    #wireSelects() {
        const [art, shape] = ['art', 'shape'].map(this.#find);
        const none = { french: undefined, ombre: undefined, pattern: undefined };
        art.addEventListener('change', () => {
            const pattern = { pattern: { image: art.value, opacity: 1 } };
            const change = art.value === 'none' ? {} : (arts[art.value] ?? pattern);
            this.#lookStore.set({ ...none, ...change });
        });
        shape.addEventListener('change', () =>
            this.#lookStore.setShape(
                shape.value === 'natural' ? undefined : { kind: shape.value, length: 0.45 },
            ),
        );
    }

    show() {
        const fields = this.#lookStore.fields;
        const { main, second, editsSecond } = this.#lookStore;
        for (const input of this.#find('sides').querySelectorAll('input')) {
            const left = input.value === '0';
            input.checked = left === editsSecond;
            const { color } = (left ? second : main).fields;
            input.parentElement.querySelector('i').style.setProperty('--shade', color);
        }
        for (const name of sliders) this.#showSlider(name, fields[name]);
        this.#find('sheen').checked = fields.sheen;
        this.#find('art').value =
            fields.pattern?.image ??
            Object.keys(arts).find((name) => shows(fields, arts[name])) ??
            'none';
        this.#find('shape').value = fields.shape?.length > 0 ? fields.shape.kind : 'natural';
    }

    #showSlider(name, value) {
        const percent = Math.round(value * 100);
        const text = new Intl.NumberFormat(this.#words.language, { style: 'percent' }).format(value);
        const input = this.#find(name);
        if (Number(input.value) !== percent) input.value = percent;
        input.setAttribute('aria-valuetext', text);
        input.style.setProperty('--fill', `${percent}%`);
        this.#find(`${name}-out`).textContent = text;
    }
}
