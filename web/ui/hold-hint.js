// A hint, shown once per visit, that the picture can be held: nothing else on the screen says so.

const shownMs = 6000;

export class HoldHint {
    #hint;
    #told = false;

    constructor({ find }) {
        this.#hint = find('hold-hint');
    }

    // After a change of the mode.
    show(mode) {
        this.#hint.hidden = true;
        if (mode === 'empty' || this.#told) return;
        this.#told = true;
        this.#hint.hidden = false;
        setTimeout(() => {
            this.#hint.hidden = true;
        }, shownMs);
    }
}
