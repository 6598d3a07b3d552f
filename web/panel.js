// The polish controls beside the shades: side, finish, sliders. Native inputs, so keyboards and
// screen readers know them.
import { finishName } from './look.js';

const sliders = ['texture', 'opacity'];

export class Panel {
    #find;
    #wardrobe;
    #words;

    constructor({ find, wardrobe, words }) {
        this.#find = find;
        this.#wardrobe = wardrobe;
        this.#words = words;
        for (const name of sliders) {
            const input = find(name);
            input.addEventListener('input', () => wardrobe.set({ [name]: input.value / 100 }));
        }
        find('sheen').addEventListener('change', () =>
            wardrobe.set({ sheen: find('sheen').checked }),
        );
        find('sides').addEventListener('change', (event) =>
            wardrobe.edit({ second: event.target.value === '0' }),
        );
        find('panel').addEventListener('submit', (event) => event.preventDefault());
    }

    finishText(name) {
        const key = `finish.${name}`;
        if (this.#words.has(key)) return this.#words.t(key);
        return name.charAt(0).toUpperCase() + name.slice(1).replaceAll(/[_-]/g, ' ');
    }

    buildFinishes(names) {
        this.#find('finishes').replaceChildren(...names.map((name) => this.#card(name)));
        if (!names.includes(finishName(this.#wardrobe.fields))) this.#wardrobe.set({ finish: names[0] });
        this.show();
    }

    #card(name) {
        const input = document.createElement('input');
        Object.assign(input, { type: 'radio', name: 'finish', value: name });
        input.addEventListener('change', () => this.#wardrobe.set({ finish: name }));
        const chip = document.createElement('i');
        chip.dataset.finish = name;
        chip.ariaHidden = 'true';
        const text = document.createElement('span');
        text.append(chip, this.finishText(name));
        const label = document.createElement('label');
        label.append(input, text);
        return label;
    }

    show() {
        const fields = this.#wardrobe.fields;
        for (const input of this.#find('finishes').querySelectorAll('input'))
            input.checked = input.value === finishName(fields);
        for (const input of this.#find('sides').querySelectorAll('input'))
            input.checked = (input.value === '0') === this.#wardrobe.editsSecond;
        for (const name of sliders) this.#showSlider(name, fields[name]);
        this.#find('sheen').checked = fields.sheen;
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
