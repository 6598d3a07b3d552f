// Small pictures of polish for cards, for pages without WebGL: one fingertip (our own render),
// painted by the server like any photo. Same interface as preview.js.
import { fromDataUrl } from '../live/transport-base64.js';
import { PreviewQueue } from './preview-queue.js';

const nearer = [0.16, 0.06, 1.5]; // left and top of the card's section of the picture, and its
                                  // magnification
const quietMs = 600; // while a colour is dragged, only the one it stops at is painted
const busyMs = 2000; // wait before the next attempt if the server is busy

export class ServedPreviews {
    #base;
    #tip = null; // the fingertip, once it is loaded
    #four = null; // four of them side by side
    #queue = new PreviewQueue(() => this.#start());
    #timer = 0;
    #busy = false;
    able = true;
    onfail = () => {}; // the server cannot paint previews: cards have none

    constructor(base) {
        this.#base = base;
    }

    takePatterns() {
        /* the server paints its own patterns */
    }

    canvas(nails) {
        return this.#queue.canvas(nails);
    }

    drop(canvas) {
        this.#queue.drop(canvas);
    }

    request(canvas, polish) {
        if (this.able) this.#queue.add(canvas, polish);
        return this.able;
    }

    #start(waitMs = quietMs) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#paintAll(), waitMs);
    }

    // Paints one after the other, so that previews never delay a live frame for long.
    async #paintAll() {
        if (this.#busy) return;
        this.#busy = true;
        for (let next; this.able && (next = this.#queue.take());) {
            try {
                if (await this.#paint(...next)) continue;
                this.#queue.putBack(next);
                this.#start(busyMs);
                break;
            } catch {
                this.able = false;
                this.onfail();
            }
        }
        this.#busy = false;
    }

    // Four copies of the fingertip side by side, each shifted down by its own amount, as a picture
    // to paint.
    async #hand() {
        if (this.#four) return this.#four;
        const tip = await createImageBitmap(this.#tip);
        const column = tip.width / 2;
        const canvas = new OffscreenCanvas(4 * column, tip.height);
        const context = canvas.getContext('2d', { alpha: false });
        [14, 0, 8, 30].forEach((drop, i) => {
            const cut = [column / 2, 0, column, tip.height];
            context.drawImage(tip, ...cut, i * column, 0, column, tip.height);
            context.drawImage(tip, ...cut, i * column, drop, column, tip.height);
        });
        tip.close();
        this.#four = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
        return this.#four;
    }

    // Returns false if the server is busy.
    async #paint(canvas, polish) {
        const four = canvas.dataset.of === '4';
        this.#tip ??= await (await fetch(new URL('fingertip.jpg', this.#base))).blob();
        const form = new FormData();
        form.append('image', four ? await this.#hand() : this.#tip, 'fingertip.jpg');
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
        if (four) {
            const target = canvas.getContext('2d');
            target.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
            canvas.dataset.painted = '';
            bitmap.close();
            return true;
        }
        const cut = [
            x * bitmap.width,
            y * bitmap.height,
            bitmap.width / zoom,
            bitmap.height / zoom,
        ];
        canvas.getContext('2d').drawImage(bitmap, ...cut, 0, 0, canvas.width, canvas.height);
        canvas.dataset.painted = '';
        bitmap.close();
        return true;
    }
}
