// What cards ask to show, and which of them the reader can see: the newest wish of a card wins, and
// only cards in sight are given out.
const [width, height] = [112, 128];

export class Wishes {
    #wishes = new Map(); // card's canvas → polish
    #seen = new Set();
    #watcher = new IntersectionObserver((entries) => this.#look(entries));
    #oncome;

    // oncome: called when there may be one to take.
    constructor(oncome) {
        this.#oncome = oncome;
    }

    // A canvas for a card; it is painted when it is to be seen.
    canvas() {
        const canvas = Object.assign(document.createElement('canvas'), { width, height });
        this.#watcher.observe(canvas);
        return canvas;
    }

    // Of a card that is taken out of the page.
    drop(canvas) {
        this.#watcher.unobserve(canvas);
        this.#seen.delete(canvas);
        this.#wishes.delete(canvas);
    }

    add(canvas, polish) {
        this.#wishes.set(canvas, polish);
        this.#oncome();
    }

    // The next [canvas, polish] in sight, taken from the list; undefined when there is none.
    take() {
        const next = [...this.#wishes].find(([canvas]) => this.#seen.has(canvas));
        if (next) this.#wishes.delete(next[0]);
        return next;
    }

    // Gives back what could not be painted now, unless the card has a newer wish.
    giveBack([canvas, polish]) {
        if (this.#seen.has(canvas) && !this.#wishes.has(canvas)) this.#wishes.set(canvas, polish);
    }

    #look(entries) {
        for (const { target, isIntersecting } of entries) {
            if (isIntersecting) this.#seen.add(target);
            else this.#seen.delete(target);
        }
        this.#oncome();
    }
}
