// The picture on the screen: draws it, with the original or a second look left of a divider, or the
// original while it is held; reports taps; saves what is shown. Owns its picture.

const sideMax = 2048; // larger photos are drawn at this; saving uses the server's own bytes
const holdMs = 180; // a shorter press is a tap

export class Stage {
    #box;
    #frame;
    #canvas;
    #context = null;
    #plain = false; // the canvas is in the processor's memory
    #picture = null;
    #split = null; // 0..100 of the shown width, or null: no divider
    #versus = 'original'; // what stands left of the divider: 'original' or 'second'
    #peek = false;
    #mirror = false;
    #size = [4, 3];
    #parts;
    #words;
    onwant = () => {}; // called when the original or the second look is needed and may not be there
                       // yet
    ontap = () => {}; // (nail of the picture, or null if there is none at that place)
    #letGo; // the end of a press, wherever it happens
    #ringed = null; // key of the nail with a ring around it

    constructor(find, words) {
        this.#box = find('stage');
        this.#frame = find('picture');
        this.#canvas = find('canvas');
        this.#words = words;
        this.#parts = {
            divider: find('divider'),
            split: find('split'),
            before: find('tag-before'),
            after: find('tag-after'),
        };
        const watcher = new ResizeObserver(() => this.#fit());
        // Its content box also changes with its padding, which depends on the controls around the
        // picture.
        watcher.observe(this.#box);
        this.#parts.split.addEventListener('input', () => this.#moveSplit());
        this.#watchPointer();
    }

    // signal: aborted when the element leaves the page.
    resume(signal) {
        for (const name of ['pointerup', 'pointercancel', 'blur'])
            window.addEventListener(name, this.#letGo, { signal });
    }

    get canvas() {
        return this.#canvas;
    }
    get picture() {
        return this.#picture;
    }
    get empty() {
        return this.#picture === null;
    }
    get wantsOriginal() {
        return this.#peek || (this.#split !== null && this.#versus === 'original');
    }
    get wantsSecond() {
        return this.#split !== null && this.#versus === 'second';
    }

    get mirror() {
        return this.#mirror;
    }
    set mirror(on) {
        if (this.#mirror === on) return;
        this.#mirror = on;
        this.draw();
    }

    show(picture) {
        if (this.#picture !== picture) this.#picture?.close();
        this.#picture = picture;
        this.#open(Boolean(picture.plain));
        this.#frame.hidden = false;
        if (this.#size[0] !== picture.width || this.#size[1] !== picture.height) {
            this.#size = [picture.width, picture.height];
            this.#fit();
        }
        this.draw();
    }

    // Where a canvas's pixels live is fixed by its first context; to move them it is replaced.
    #open(plain) {
        if (this.#context && plain === this.#plain) return;
        if (this.#context) {
            const canvas = this.#canvas.cloneNode();
            this.#canvas.replaceWith(canvas);
            this.#canvas = canvas;
        }
        this.#plain = plain;
        this.#context = this.#canvas.getContext('2d', { alpha: false, willReadFrequently: plain });
    }

    clear() {
        this.#picture?.close();
        this.#picture = null;
        this.#frame.hidden = true;
        this.compare(null);
    }

    // 'original', 'second', or null: only the painted picture.
    compare(versus) {
        const { divider, split, before, after } = this.#parts;
        const on = versus !== null;
        divider.hidden = split.hidden = before.hidden = after.hidden = !on;
        this.#frame.toggleAttribute('data-split', on);
        this.#split = on ? Number(split.value) : null;
        if (on) {
            this.#versus = versus;
            this.#moveSplit();
            this.onwant();
        }
        this.draw();
    }

    // Sets the names of the divider's two sides.
    tag(left, right) {
        this.#parts.before.textContent = left;
        this.#parts.after.textContent = right;
    }

    // The painted picture as displayed (mirrored or not), without the divider.
    async save() {
        const { width, height } = this.#picture;
        const canvas = document.createElement('canvas');
        canvas.width = width;
        canvas.height = height;
        const context = canvas.getContext('2d', { alpha: false });
        if (this.#mirror) context.setTransform(-1, 0, 0, 1, width, 0);
        this.#picture.draw(context, 'painted', width, height);
        return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.95));
    }

    draw() {
        const picture = this.#picture;
        if (!picture) return;
        const scale = Math.min(1, sideMax / Math.max(picture.width, picture.height));
        const width = Math.round(picture.width * scale);
        const height = Math.round(picture.height * scale);
        const canvas = this.#canvas;
        if (canvas.width !== width || canvas.height !== height) {
            canvas.width = width;
            canvas.height = height;
        }
        const context = this.#context;
        context.setTransform(this.#mirror ? -1 : 1, 0, 0, 1, this.#mirror ? width : 0, 0);
        const held = this.#peek && this.#split === null;
        if (!held || !picture.draw(context, 'original', width, height))
            picture.draw(context, 'painted', width, height);
        if (this.#split === null) {
            if (!held) this.#drawRing(scale);
            return;
        }
        const x = Math.round((width * this.#split) / 100);
        context.save();
        context.beginPath();
        context.rect(this.#mirror ? width - x : 0, 0, x, height);
        context.clip();
        picture.draw(context, this.#versus, width, height);
        context.restore();
    }

    // Draws a ring around a nail of the picture, by its key; null removes it.
    ring(key) {
        if (this.#ringed === key) return;
        this.#ringed = key;
        this.draw();
    }

    #drawRing(scale) {
        const nail = this.#ringed && this.#picture.nails.find(({ key }) => key === this.#ringed);
        if (!nail) return;
        const context = this.#context;
        const unit = this.#canvas.width / Math.max(1, this.#frame.clientWidth);
        const radius = nail.reach * scale * 1.25 + 5 * unit;
        for (const [wide, style] of [
            [4.5, 'rgb(0 0 0 / .45)'],
            [2, '#fff'],
        ]) {
            context.beginPath();
            context.arc(nail.x * scale, nail.y * scale, radius, 0, 7);
            context.lineWidth = wide * unit;
            context.strokeStyle = style;
            context.stroke();
        }
    }

    #moveSplit() {
        const { split } = this.#parts;
        this.#split = Number(split.value);
        const percent = new Intl.NumberFormat(this.#words.language, { style: 'percent' });
        split.setAttribute(
            'aria-valuetext',
            this.#words.t('compare.percent', { value: percent.format(this.#split / 100) }),
        );
        this.#frame.style.setProperty('--split', split.value);
        this.draw();
    }

    // A long press shows the original; a short one is a tap on a nail.
    #watchPointer() {
        let timer = 0;
        const peek = (on) => {
            if (this.#peek === on) return;
            this.#peek = on;
            this.#box.toggleAttribute('data-peek', on);
            if (this.#split === null) {
                this.#parts.before.hidden = !on;
                if (on) this.tag(this.#words.t('compare.before'), '');
            }
            if (on) this.onwant();
            this.draw();
        };
        this.#frame.addEventListener('pointerdown', (event) => {
            if (event.target !== this.#canvas) return;
            this.#pressedAt = event.timeStamp;
            if (event.button === 0) timer = setTimeout(peek, holdMs, true);
        });
        this.#frame.addEventListener('click', (event) => {
            if (event.target === this.#canvas && !this.#heldLong)
                this.ontap(this.#nailAt(this.#place(event)));
        });
        this.#letGo = (event) => {
            clearTimeout(timer);
            // Uses the events' own timestamps, because a busy page runs its timers and handlers
            // late.
            this.#heldLong = event.timeStamp - this.#pressedAt > holdMs;
            peek(false);
        };
        this.#frame.addEventListener('contextmenu', (event) => {
            if (this.#peek && event.target === this.#canvas) event.preventDefault();
        });
    }
    #pressedAt = 0;
    #heldLong = false;

    #nailAt({ x, y }) {
        const far = (nail) => Math.hypot(nail.x - x, nail.y - y) / (nail.reach * 1.6 + 8);
        const [near] = [...(this.#picture?.nails ?? [])].sort((a, b) => far(a) - far(b));
        return near && far(near) < 1 ? near : null;
    }

    #place(event) {
        const box = this.#canvas.getBoundingClientRect();
        const x = ((event.clientX - box.left) / box.width) * this.#size[0];
        const y = ((event.clientY - box.top) / box.height) * this.#size[1];
        return { x: this.#mirror ? this.#size[0] - x : x, y };
    }

    // Shows the picture as large as the stage allows, without cropping.
    #fit() {
        const [width, height] = this.#size;
        const style = getComputedStyle(this.#box);
        const inside = (whole, ...paddings) =>
            paddings.reduce((room, side) => room - parseFloat(style[`padding${side}`]), whole);
        const wide = inside(this.#box.clientWidth, 'Left', 'Right');
        const high = inside(this.#box.clientHeight, 'Top', 'Bottom');
        const scale = Math.min(wide / width, high / height);
        this.#frame.style.width = `${Math.round(width * scale)}px`;
        this.#frame.style.height = `${Math.round(height * scale)}px`;
        this.#box.style.setProperty('--ratio', String(width / height));
    }
}
