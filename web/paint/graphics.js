// A painter that can be replaced: a browser may withdraw the graphics of a page, of one in the
// background for instance, and provide others later.
import { Painter } from './painter.js';

const againMs = 2000; // between attempts: each builds all shaders

export class Graphics {
    painter = null; // null: the browser provides no graphics
    ready = null; // promise: the painter has read the patterns that were there when it was made
    #patterns = [];
    #againAt = 0;

    get able() {
        return this.painter !== null && !this.painter.lost;
    }

    // Whether the browser withdrew the graphics that it had provided.
    get lost() {
        return this.painter?.lost ?? false;
    }

    // Makes a painter if none can draw. → whether it is a new one
    make() {
        const now = performance.now();
        if (this.able || now < this.#againAt) return false;
        this.#againAt = now + againMs;
        const painter = Painter.create();
        if (!painter || painter.lost) return false;
        this.painter = painter;
        this.ready = painter.takePatterns(this.#patterns);
        return true;
    }

    // As of Painter; later painters get them too.
    takePatterns(patterns) {
        this.#patterns = [...this.#patterns, ...patterns];
        return this.painter?.takePatterns(patterns);
    }
}
