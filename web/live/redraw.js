// Draws the picture on the screen again when something other than the camera's frame is new: with
// the next frame or, if none comes (a camera that stands still), after a short wait. Each drawing
// goes through the page's compositor, which without a GPU uses the processor that the detector
// needs.

const waitMs = 100; // cameras of 10 frames a second and more have another frame by then

export class Redraw {
    #draw;
    #timer = 0;
    #waiting = [];

    // draw: () → nothing.
    constructor(draw) {
        this.#draw = draw;
    }

    // → a promise that resolves at the next drawing.
    soon() {
        this.#timer ||= setTimeout(() => {
            this.#draw();
            this.drawn();
        }, waitMs);
        return new Promise((resolve) => this.#waiting.push(resolve));
    }

    // The picture was drawn.
    drawn() {
        clearTimeout(this.#timer);
        this.#timer = 0;
        for (const resolve of this.#waiting.splice(0)) resolve();
    }
}
