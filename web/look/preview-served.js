// Small pictures of polish for cards where the page has no graphics to draw them with: one
// fingertip (a render of ours), painted by the server as any photo is. The same interface as
// preview.js.
import { fromDataUrl } from '../live/transport-base64.js';
import { PreviewQueue } from './preview-queue.js';

const nearer = [0.16, 0.06, 1.5]; // the card's left and top in the picture, and how much larger
const quietMs = 600; // a shade is dragged through many colours; only where it stays is painted
const busyMs = 2000; // what a server that has no time asks to wait

export class ServedPreviews {
    #base;
    #tip = null; // the fingertip, once it is here
    #queue = new PreviewQueue(() => this.#start());
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
        return this.#queue.canvas();
    }

    drop(canvas) {
        this.#queue.drop(canvas);
    }

    wish(canvas, polish) {
        if (this.able) this.#queue.add(canvas, polish);
        return this.able;
    }

    #start(waitMs = quietMs) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#paintAll(), waitMs);
    }

    // One after the other, so that a card never stands in the way of a frame for long.
    async #paintAll() {
        if (this.#busy) return;
        this.#busy = true;
        for (let next; this.able && (next = this.#queue.take()); ) {
            try {
                if (await this.#paint(...next)) continue;
                this.#queue.giveBack(next);
                this.#start(busyMs);
                break;
            } catch {
                this.able = false;
                this.onfail();
            }
        }
        this.#busy = false;
    }

    // false: the server has no time now.
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
        if (reply.status === 503 || reply.status === 429) return false;
        const { image, nails } = await reply.json();
        if (!nails?.length) throw new Error('no nail was painted');
        const bitmap = await createImageBitmap(fromDataUrl(image));
        const [x, y, zoom] = nearer;
        const cut = [x * bitmap.width, y * bitmap.height, bitmap.width / zoom, bitmap.height / zoom];
        canvas.getContext('2d').drawImage(bitmap, ...cut, 0, 0, canvas.width, canvas.height);
        canvas.dataset.painted = '';
        bitmap.close();
        return true;
    }
}
