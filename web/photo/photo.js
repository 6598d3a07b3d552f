// A photo: sent at full size to /api/process as a form and painted there, or detected and painted
// here (`device`). While a request is in flight, the newest look waits; older ones are skipped.
import { keyOf, withoutOwnDesign } from '../look/look.js';
import { PhotoPainter } from './paint-here.js';
import { fromDataUrl } from '../live/transport-base64.js';

const pixelsMax = 16e6;
const bytesMax = 16 * 1024 * 1024 - 4096;

// key: of the text that says why; values: for its placeholders; passing: a later attempt may
// succeed.
export class PhotoError extends Error {
    constructor(key, values = {}, { passing = false } = {}) {
        super(`${key} ${values.why ?? ''}`);
        this.key = key;
        this.values = values;
        this.passing = passing;
    }
}

// Status of a server that is busy or stopping, or of a proxy that waits for the server.
const passes = (status) => status === 429 || status >= 502;

async function encode(bitmap, scale, quality) {
    const canvas = document.createElement('canvas');
    canvas.width = Math.floor(bitmap.width * scale);
    canvas.height = Math.floor(bitmap.height * scale);
    canvas.getContext('2d', { alpha: false }).drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
}

// Returns what the server accepts: JPEG and PNG unchanged; other formats, and pictures beyond its
// limits, are converted to JPEG here if the browser can read them. Otherwise the file is sent
// unchanged, and the server's error message says what is wrong with it.
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

// Nails of a reply in the stage's format. HTTP replies number a picture's nails from the left.
function nailsOf({ nails }) {
    return nails.map(({ id, finger, tip_known: tipKnown, box: [left, top, wide, high] }) => ({
        key: keyOf({ id, finger: finger === 'unknown' ? null : finger }),
        tipKnown,
        finger: finger === 'unknown' ? null : finger,
        x: left + wide / 2,
        y: top + high / 2,
        reach: Math.max(wide, high) / 2,
    }));
}

// Combines the picture with nails that have polish of their own: each such nail is cut from its own
// painted picture, within the region where it is the nearest nail.
async function join(whole, nails, own) {
    const canvas = new OffscreenCanvas(whole.width, whole.height);
    const context = canvas.getContext('2d', { alpha: false });
    context.drawImage(whole, 0, 0);
    const far = 2 * (whole.width + whole.height);
    for (const [key, bitmap] of own) {
        const nail = nails.find((other) => other.key === key);
        if (!nail) continue;
        context.save();
        for (const other of nails) {
            if (other === nail) continue;
            const away = Math.atan2(nail.y - other.y, nail.x - other.x);
            const side = new DOMMatrix()
                .translate((nail.x + other.x) / 2, (nail.y + other.y) / 2)
                .rotate((away * 180) / Math.PI);
            const half = new Path2D();
            half.rect(0, -far, far, 2 * far);
            const path = new Path2D();
            path.addPath(half, side);
            context.clip(path);
        }
        context.drawImage(bitmap, 0, 0);
        context.restore();
    }
    whole.close();
    own.forEach((bitmap) => bitmap.close());
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
    return { blob, bitmap: canvas.transferToImageBitmap() };
}

export class Photo {
    #base;
    #lookStore;
    #file = null;
    #original = null; // the original picture, kept as a blob: bitmaps belong to the stage
    #running = false;
    #again = false;
    #abort = null;
    #here;
    #fallback = null; // the previous photo, restored if this one is refused
    result = null; // the server's picture, as sent
    onstart = () => {};
    wantsSecond = () => false; // whether the second look is painted too
    onshow = () => {}; // ({painted, second, nails, ms})
    onerror = () => {}; // (Error)

    constructor({ lookStore, base }) {
        this.#lookStore = lookStore;
        this.#base = base;
        this.#here = new PhotoPainter(base);
    }

    // Where nails in photos are detected: DevicePhotos (device/photos.js), or null for the server.
    set device(device) {
        this.#here.device = device;
    }

    sceneOf(bitmap) {
        return this.#here.sceneOf(bitmap);
    }

    // Pictures for nails, including the user's own designs.
    takePatterns(patterns) {
        return this.#here.takePatterns(patterns);
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
            const { main, second } = this.#lookStore;
            const [first, other] = await Promise.all([
                this.#paint(abort, main),
                this.wantsSecond() ? this.#paint(abort, second) : null,
            ]);
            if (abort.signal.aborted) {
                for (const painted of [first, other]) painted?.bitmap.close();
                return;
            }
            this.result = first.blob;
            this.#fallback = null;
            this.onshow({
                painted: first.bitmap,
                second: other?.bitmap ?? null,
                nails: first.nails,
                ms: performance.now() - start,
            });
        } catch (error) {
            if (abort.signal.aborted) return;
            // A photo that was refused is replaced by the previous one; one that may succeed later
            // is kept and sent again.
            if (this.#fallback && !error.passing) {
                this.#file = this.#fallback.file;
                this.#original = this.#fallback.original;
                this.#fallback = null;
            }
            this.onerror(error);
        }
    }

    // The photo in a look → {blob, bitmap, nails}. A look addresses fingers, so each nail that
    // wears its own polish and whose finger is unknown is painted by a separate request.
    async #paint(abort, look) {
        if (look.hasOwnDesign || this.#here.device) {
            const painted = await this.#here.paint(this.#file, look).catch((error) => {
                if (error.message) throw error;
                const silent = this.#here.device ? 'device.gone' : 'photo.silent';
                throw new PhotoError(silent, {}, { passing: true });
            });
            if (painted) return painted;
            const { device, lost } = this.#here;
            const said = lost ? 'device.lost' : 'device.undrawn';
            if (device) throw new PhotoError(said, {}, { passing: lost });
        }
        const numbers = look.own.filter((key) => key[0] === '#');
        const replies = await Promise.all([
            this.#ask(abort, look.served),
            ...numbers.map((key) => this.#ask(abort, withoutOwnDesign(look.of(key)))),
        ]);
        const blobs = replies.map(({ image }) => fromDataUrl(image));
        const [bitmap, ...own] = await Promise.all(blobs.map((blob) => createImageBitmap(blob)));
        const nails = nailsOf(replies[0]);
        if (!own.length) return { blob: blobs[0], bitmap, nails };
        const joined = await join(bitmap, nails, new Map(numbers.map((key, i) => [key, own[i]])));
        return { ...joined, nails };
    }

    async #ask(abort, json) {
        const form = new FormData();
        form.append('image', this.#file, 'photo');
        form.append('look', JSON.stringify(json));
        form.append('multiscale', 'true');
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
            if (!response) throw new PhotoError('photo.silent', {}, { passing: true });
            const { status } = response;
            throw new PhotoError(
                'photo.noReason',
                { status: String(status) },
                { passing: passes(status) },
            );
        }
        if (reply.success) return reply;
        if (passes(response.status)) throw new PhotoError('photo.busy', {}, { passing: true });
        throw new PhotoError('photo.failed', { why: reply.error });
    }
}
