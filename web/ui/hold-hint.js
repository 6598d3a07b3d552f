// A hint, shown once per visit, that holding the picture shows the original: nothing else says so.

const shownMs = 6000;

export class HoldHint {
    #hint;
    #told = false;

    constructor({ find }) {
        this.#hint = find('hold-hint');
    }

    // Called after a change of the mode.
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
