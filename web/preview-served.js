// Small pictures of polish for cards where the page has no graphics to draw them with: one fingertip
// (a render of ours), painted by the server as any photo is. The same interface as preview.js.
import { fromDataUrl } from './transport-base64.js';

const [width, height] = [112, 128];
const nearer = [0.16, 0.06, 1.5]; // the card's left and top in the picture, and how much larger
const quietMs = 600; // a shade is dragged through many colours; only where it stays is painted

export class ServedPreviews {
    #base;
    #tip = null; // the fingertip, once it is here
    #wishes = new Map(); // card's canvas → polish
    #seen = new Set(); // canvases that the reader can see
    #watcher = new IntersectionObserver((entries) => this.#look(entries));
    #timer = 0;
    #busy = false;
    able = true;
    onfail = () => {}; // the server paints none: cards do without

    constructor(base) {
        this.#base = base;
    }

    takePatterns() {
        /* the server has them */
    }

    canvas() {
        const canvas = Object.assign(document.createElement('canvas'), { width, height });
        this.#watcher.observe(canvas);
        return canvas;
    }

    drop(canvas) {
        this.#watcher.unobserve(canvas);
        this.#seen.delete(canvas);
        this.#wishes.delete(canvas);
    }

    wish(canvas, polish) {
        if (!this.able) return false;
        this.#wishes.set(canvas, polish);
        this.#start();
        return true;
    }

    #look(entries) {
        for (const { target, isIntersecting } of entries) {
            if (isIntersecting) this.#seen.add(target);
            else this.#seen.delete(target);
        }
        this.#start();
    }

    #start() {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#paintAll(), quietMs);
    }

    // One after the other, so that a card never stands in the way of a frame for long.
    async #paintAll() {
        if (this.#busy) return;
        this.#busy = true;
        for (;;) {
            const next = [...this.#wishes].find(([canvas]) => this.#seen.has(canvas));
            if (!next || !this.able) break;
            this.#wishes.delete(next[0]);
            try {
                await this.#paint(...next);
            } catch {
                this.able = false;
                this.onfail();
            }
        }
        this.#busy = false;
    }

    async #paint(canvas, polish) {
        this.#tip ??= await (await fetch(new URL('fingertip.jpg', this.#base))).blob();
        const form = new FormData();
        form.append('image', this.#tip, 'fingertip.jpg');
        form.append('look', JSON.stringify(polish));
        const reply = await fetch(new URL('api/process', this.#base), {
            method: 'POST',
            body: form,
            headers: { accept: 'application/json' },
        });
        const { image, nails } = await reply.json();
        if (!nails?.length) throw new Error('no nail was painted');
        const bitmap = await createImageBitmap(fromDataUrl(image));
        const [x, y, zoom] = nearer;
        const cut = [x * bitmap.width, y * bitmap.height, bitmap.width / zoom, bitmap.height / zoom];
        canvas.getContext('2d').drawImage(bitmap, ...cut, 0, 0, width, height);
        canvas.dataset.painted = '';
        bitmap.close();
    }
}
