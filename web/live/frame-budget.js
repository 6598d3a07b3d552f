// Decides how polish is drawn, if at all: on the camera's whole picture; if that is too slow, on a
// smaller one; then painted from time to time and moved along in between (layers.js); else by the
// server (an old phone). A way that proved too slow is not used again. Pure: gets the time as an
// argument and knows nothing of the page.

const fpsLeast = 8; // slower does not feel like a mirror
const fpsWhole = 15; // slower on the whole picture: a smaller one is the better mirror
const fpsSmooth = 20; // slower with every picture painted: move painted polish along instead
const gain = 1.1; // … and keep doing so if it is this much faster; a slow camera is no faster by it
const settleMs = 1500; // a start is slow everywhere: shaders are compiled, connections opened
const watchMs = 3000;
const smaller = 640; // pixels of the longer side

export class FrameBudget {
    here = true;
    side = Infinity; // of the picture drawn here at most
    propagates = false; // move painted polish along; set from the start if graphics are in software
    fpsLeast = fpsLeast;
    fpsWhole = fpsWhole;
    #since = null; // when watching began, null before the first picture
    #count = 0;
    #fpsHere = 0;
    #fpsPainted = 0; // with every picture painted, before polish was moved along
    #tries = false; // trying to move it along
    #decided = false;

    // Another video, or the page was hidden for a while.
    restart() {
        this.#since = null;
        this.#count = 0;
    }

    // A picture went to the screen at that time in ms; side: pixels of its longer side.
    shown(at, side = smaller) {
        if (this.#decided) return;
        this.#since ??= at + settleMs;
        if (at < this.#since) return;
        const passed = at - this.#since;
        if (passed >= watchMs) this.#judge((this.#count * 1000) / passed, side);
        else this.#count++;
    }

    #judge(fps, side) {
        this.restart();
        if (!this.here) {
            this.here = fps < this.#fpsHere;
            this.#decided = true;
        } else if (side > smaller && this.side > smaller && fps < this.fpsWhole) {
            this.side = smaller;
        } else if (!this.propagates && !this.#fpsPainted && fps < fpsSmooth) {
            this.#fpsPainted = fps;
            this.propagates = this.#tries = true;
        } else if (this.#tries) {
            this.#tries = false;
            this.propagates = fps >= gain * this.#fpsPainted;
        } else if (fps < this.fpsLeast) {
            this.#fpsHere = fps;
            this.here = false;
        }
    }
}
