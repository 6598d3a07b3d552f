// Where polish is drawn: here, or by the server where drawing here does not keep up (graphics in
// software, an old phone). What came out slower is left for good. Pure: told the time, knows no
// page.

const fpsLeast = 8; // slower is no mirror
const settleMs = 1500; // a start is slow anywhere: shaders are built, connections opened
const watchMs = 3000;

export class FrameBudget {
    here = true;
    fpsLeast = fpsLeast;
    #since = null; // when watching began, null before the first picture
    #count = 0;
    #fpsHere = 0;
    #decided = false;

    // Another film, or nobody looked for a while.
    restart() {
        this.#since = null;
        this.#count = 0;
    }

    // A picture went to the screen at that time in ms.
    shown(at) {
        if (this.#decided) return;
        this.#since ??= at + settleMs;
        if (at < this.#since) return;
        const passed = at - this.#since;
        if (passed >= watchMs) this.#judge((this.#count * 1000) / passed);
        else this.#count++;
    }

    #judge(fps) {
        this.restart();
        if (!this.here) {
            this.here = fps < this.#fpsHere;
            this.#decided = true;
        } else if (fps < this.fpsLeast) {
            this.#fpsHere = fps;
            this.here = false;
        }
    }
}
