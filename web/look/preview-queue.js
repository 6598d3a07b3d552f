// Queue of the card previews to paint: the newest request of a card replaces an older one, and
// only cards in sight are painted.
const sizes = { 1: [112, 128], 4: [224, 128] };

export class PreviewQueue {
    #queue = new Map(); // card's canvas → polish
    #seen = new Set();
    #watcher = new IntersectionObserver((entries) => this.#look(entries));
    #oncome;

    // oncome: called when a preview may be ready to paint.
    constructor(oncome) {
        this.#oncome = oncome;
    }

    // A canvas for a card with one nail or with four nails; it is painted once it is visible.
    canvas(nails = 1) {
        const [width, height] = sizes[nails];
        const canvas = Object.assign(document.createElement('canvas'), { width, height });
        canvas.dataset.of = nails;
        this.#watcher.observe(canvas);
        return canvas;
    }

    // Called when a card is removed from the page.
    drop(canvas) {
        this.#watcher.unobserve(canvas);
        this.#seen.delete(canvas);
        this.#queue.delete(canvas);
    }

    add(canvas, polish) {
        this.#queue.set(canvas, polish);
        this.#oncome();
    }

    // Removes and returns the next visible [canvas, polish]; undefined if there is none.
    take() {
        const next = [...this.#queue].find(([canvas]) => this.#seen.has(canvas));
        if (next) this.#queue.delete(next[0]);
        return next;
    }

    // Puts back what could not be painted now, unless there is a newer request for the card.
    putBack([canvas, polish]) {
        if (this.#seen.has(canvas) && !this.#queue.has(canvas)) this.#queue.set(canvas, polish);
    }

    #look(entries) {
        for (const { target, isIntersecting } of entries) {
            if (isIntersecting) this.#seen.add(target);
            else this.#seen.delete(target);
        }
        this.#oncome();
    }
}
