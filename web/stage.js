// The picture: draws painted frames, the original beside or instead of them, and saves what is
// shown. Owns the bitmaps it is given and closes them.

const sideMax = 2048; // larger photos are drawn at this; saving uses the server's own bytes

export class Stage {
    #box;
    #picture;
    #canvas;
    #context;
    #painted = null;
    #before = null;
    #split = null; // 0..100 of the shown width, or null: no divider
    #peek = false;
    #mirror = false;
    #size = [4, 3];
    #parts;

    constructor(box) {
        const find = (name) => box.querySelector('#' + name);
        this.#box = box;
        this.#picture = find('picture');
        this.#canvas = find('canvas');
        this.#context = this.#canvas.getContext('2d', { alpha: false });
        this.#parts = {
            divider: find('divider'),
            split: find('split'),
            before: find('tag-before'),
            after: find('tag-after'),
        };
        new ResizeObserver(() => this.#fit()).observe(box);
        this.#parts.split.addEventListener('input', () => this.#moveSplit());
        this.#holdToPeek();
    }

    get canvas() {
        return this.#canvas;
    }
    get wantsBefore() {
        return this.#peek || this.#split !== null;
    }
    get empty() {
        return this.#painted === null;
    }
    onpeek = () => {}; // the original is wanted, and there may be none yet

    set mirror(on) {
        if (this.#mirror === on) return;
        this.#mirror = on;
        this.#draw();
    }

    // before may be null: it is then not shown until the next picture brings one.
    show(painted, before) {
        this.#painted?.close();
        if (this.#before !== before) this.#before?.close();
        this.#painted = painted;
        this.#before = before;
        this.#picture.hidden = false;
        if (this.#size[0] !== painted.width || this.#size[1] !== painted.height) {
            this.#size = [painted.width, painted.height];
            this.#fit();
        }
        this.#draw();
    }

    setBefore(before) {
        if (this.#before !== before) this.#before?.close();
        this.#before = before;
        this.#draw();
    }

    clear() {
        this.#painted?.close();
        this.#before?.close();
        this.#painted = this.#before = null;
        this.#picture.hidden = true;
        this.compare(false);
    }

    compare(on) {
        const { divider, split, before, after } = this.#parts;
        divider.hidden = split.hidden = before.hidden = after.hidden = !on;
        this.#picture.toggleAttribute('data-split', on);
        this.#split = on ? Number(split.value) : null;
        if (on) {
            this.#moveSplit();
            this.onpeek();
        }
        this.#draw();
    }

    // The painted picture as it is seen (mirrored or not), without the divider.
    async save() {
        const { width, height } = this.#painted;
        const canvas = document.createElement('canvas');
        canvas.width = width;
        canvas.height = height;
        const context = canvas.getContext('2d', { alpha: false });
        if (this.#mirror) context.setTransform(-1, 0, 0, 1, width, 0);
        context.drawImage(this.#painted, 0, 0);
        return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.95));
    }

    #moveSplit() {
        const { split } = this.#parts;
        this.#split = Number(split.value);
        split.setAttribute('aria-valuetext', `${split.value} percent original`);
        this.#picture.style.setProperty('--split', split.value);
        this.#draw();
    }

    #holdToPeek() {
        const set = (on) => {
            if (this.#peek === on) return;
            this.#peek = on;
            this.#box.toggleAttribute('data-peek', on);
            if (this.#split === null) this.#parts.before.hidden = !on;
            if (on) this.onpeek();
            this.#draw();
        };
        this.#canvas.addEventListener('pointerdown', (event) => {
            if (event.button === 0) set(true);
        });
        for (const name of ['pointerup', 'pointercancel', 'blur'])
            window.addEventListener(name, () => set(false));
        this.#canvas.addEventListener('contextmenu', (event) => {
            if (this.#peek) event.preventDefault();
        });
    }

    // The picture as large as the stage allows, never cut.
    #fit() {
        const [width, height] = this.#size;
        const scale = Math.min(this.#box.clientWidth / width, this.#box.clientHeight / height);
        this.#picture.style.width = `${Math.round(width * scale)}px`;
        this.#picture.style.height = `${Math.round(height * scale)}px`;
        this.#box.style.setProperty('--ratio', String(width / height));
    }

    #draw() {
        const painted = this.#painted;
        if (!painted) return;
        const scale = Math.min(1, sideMax / Math.max(painted.width, painted.height));
        const width = Math.round(painted.width * scale);
        const height = Math.round(painted.height * scale);
        const canvas = this.#canvas;
        if (canvas.width !== width || canvas.height !== height) {
            canvas.width = width;
            canvas.height = height;
        }
        const context = this.#context;
        context.setTransform(this.#mirror ? -1 : 1, 0, 0, 1, this.#mirror ? width : 0, 0);
        const original = this.#peek && this.#split === null;
        const first = original && this.#before ? this.#before : painted;
        context.drawImage(first, 0, 0, width, height);
        if (this.#split === null || !this.#before) return;
        const x = Math.round((width * this.#split) / 100);
        context.save();
        context.beginPath();
        context.rect(this.#mirror ? width - x : 0, 0, x, height);
        context.clip();
        context.drawImage(this.#before, 0, 0, width, height);
        context.restore();
    }
}
