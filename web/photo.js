// A photo: sent at full size to /api/process as a form, painted there, shown here. While one
// request is in work the newest look waits; older ones are never asked for.
import { fromDataUrl } from './transport-base64.js';

const pixelsMax = 16e6;
const bytesMax = 16 * 1024 * 1024 - 4096;

// key names the text that says why; values fill its gaps.
export class PhotoError extends Error {
    constructor(key, values = {}) {
        super(`${key} ${values.why ?? ''}`);
        this.key = key;
        this.values = values;
    }
}

async function encode(bitmap, scale, quality) {
    const canvas = document.createElement('canvas');
    canvas.width = Math.floor(bitmap.width * scale);
    canvas.height = Math.floor(bitmap.height * scale);
    canvas.getContext('2d', { alpha: false }).drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
}

// What the server takes: JPEG and PNG as they are; other kinds, and pictures beyond its limits, are
// made into JPEG here when the browser can read them. Else the file goes as it is, and the server's
// own words say what is wrong with it.
async function prepare(file) {
    let bitmap;
    try {
        bitmap = await createImageBitmap(file);
    } catch {
        return { file, bitmap: null };
    }
    const pixels = bitmap.width * bitmap.height;
    const kept = ['image/jpeg', 'image/png'].includes(file.type);
    if (kept && pixels <= pixelsMax && file.size <= bytesMax) return { file, bitmap };
    const blob = await encode(bitmap, Math.min(1, Math.sqrt(pixelsMax / pixels)), 0.93);
    return { file: blob ?? file, bitmap };
}

export class Photo {
    #base;
    #wardrobe;
    #file = null;
    #original = null; // the picture before, kept as a blob: bitmaps belong to the stage
    #running = false;
    #again = false;
    #abort = null;
    #fallback = null; // the photo before this one, back when this one is refused
    result = null; // the server's picture, as sent
    onstart = () => {};
    wantsSecond = () => false; // whether the second look is to be painted too
    onshow = () => {}; // ({painted, second, nails, ms})
    onerror = () => {}; // (Error)

    constructor({ wardrobe, base }) {
        this.#wardrobe = wardrobe;
        this.#base = base;
    }

    get open() {
        return this.#file !== null;
    }

    async load(file) {
        this.#abort?.abort();
        const abort = (this.#abort = new AbortController());
        this.onstart();
        const { file: sent, bitmap } = await prepare(file);
        bitmap?.close();
        if (abort.signal.aborted) return;
        this.#fallback ??= { file: this.#file, original: this.#original };
        this.#file = sent;
        this.#original = bitmap ? sent : null;
        await this.paint();
    }

    close() {
        this.#abort?.abort();
        this.#abort = null;
        this.#file = this.#original = this.#fallback = this.result = null;
        this.#again = false;
    }

    before() {
        return this.#original ? createImageBitmap(this.#original) : null;
    }

    async paint() {
        if (!this.#file) return;
        if (this.#running) {
            this.#again = true;
            return;
        }
        this.#running = true;
        do {
            this.#again = false;
            await this.#once(this.#abort);
        } while (this.#again);
        this.#running = false;
    }

    async #once(abort) {
        this.onstart();
        const start = performance.now();
        try {
            const { main, second } = this.#wardrobe;
            const replies = await Promise.all([
                this.#ask(abort, main),
                this.wantsSecond() ? this.#ask(abort, second) : null,
            ]);
            const blob = fromDataUrl(replies[0].image);
            const bitmaps = await Promise.all(
                replies.map((reply) => reply && createImageBitmap(fromDataUrl(reply.image))),
            );
            if (abort.signal.aborted) {
                bitmaps.forEach((bitmap) => bitmap?.close());
                return;
            }
            this.result = blob;
            this.#fallback = null;
            this.onshow({
                painted: bitmaps[0],
                second: bitmaps[1],
                nails: replies[0].nails,
                ms: performance.now() - start,
            });
        } catch (error) {
            if (abort.signal.aborted) return;
            if (this.#fallback) {
                this.#file = this.#fallback.file;
                this.#original = this.#fallback.original;
                this.#fallback = null;
            }
            this.onerror(error);
        }
    }

    async #ask(abort, look) {
        const form = new FormData();
        form.append('image', this.#file, 'photo');
        form.append('look', JSON.stringify(look.json));
        let response;
        let reply = null;
        try {
            response = await fetch(new URL('api/process', this.#base), {
                method: 'POST',
                body: form,
                signal: abort.signal,
                cache: 'no-store',
                headers: { accept: 'application/json' },
            });
            reply = await response.json();
        } catch {
            if (!response) throw new PhotoError('photo.silent');
            throw new PhotoError('photo.noReason', { status: String(response.status) });
        }
        if (!reply.success) throw new PhotoError('photo.failed', { why: reply.error });
        return reply;
    }
}
