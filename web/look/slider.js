// One slider of the panel: a parameter of the look, shown as percent or degrees.

export class Slider {
    #name;
    #find;
    #words;
    #read;
    #scale;
    #unit;

    // read: fields of the look → the number, or undefined if the look does not have it (then the
    // slider is hidden); write: number → nothing.
    constructor({ name, find, words, read, write, degrees = false }) {
        this.#name = name;
        this.#find = find;
        this.#words = words;
        this.#read = read;
        this.#scale = degrees ? 1 : 100;
        this.#unit = degrees ? { style: 'unit', unit: 'degree' } : { style: 'percent' };
        const input = find(name);
        input.addEventListener('input', () => write(input.value / this.#scale));
    }

    // Returns whether the slider is offered.
    show(fields) {
        const value = this.#read(fields);
        const offered = value !== undefined;
        this.#find(`${this.#name}-box`).hidden = !offered;
        if (offered) this.#set(value);
        return offered;
    }

    #set(value) {
        const input = this.#find(this.#name);
        const steps = Math.round(value * this.#scale);
        const text = new Intl.NumberFormat(this.#words.language, this.#unit).format(value);
        if (Number(input.value) !== steps) input.value = steps;
        const { min, max } = input;
        input.setAttribute('aria-valuetext', text);
        input.style.setProperty('--fill', `${(100 * (steps - min)) / (max - min)}%`);
        this.#find(`${this.#name}-out`).textContent = text;
    }
}
