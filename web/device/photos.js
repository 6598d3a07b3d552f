// Detects the nails of a photo on this device at the photo's own size, with the multi-scale pass
// and a search for hands, as `lacquer apply` does. The memory for a photo is kept for a while, for
// the next one.
import { DeviceTransport } from './transport.js';

const idleMs = 60000;
const waitMs = 120000; // for a slow phone and a runtime that is still downloading
const pixelsMax = 16e6; // limit of lacquer.wasm (LQ_FRAME_PIXELS_MAX)

export class DevicePhotos {
    #base;
    #options;
    #transport = null;
    #opened = null; // promise
    #id = 0;
    #settle = null; // of the photo being processed: {resolve, reject}
    #timer = 0;

    // Parameters as for DeviceTransport.
    constructor(base, options) {
        this.#base = base;
        this.#options = options;
    }

    // → {light, nails, width, height}, in pixels of the bitmap or of a reduced copy. One at a time:
    // a new call ends the previous one.
    async sceneOf(bitmap) {
        clearTimeout(this.#timer);
        this.#settle?.reject(new Error(''));
        let timer;
        try {
            return await new Promise((resolve, reject) => {
                this.#settle = { resolve, reject };
                timer = setTimeout(() => reject(new Error('')), waitMs);
                this.#send(bitmap).catch(reject);
            });
        } finally {
            clearTimeout(timer);
            this.#settle = null;
            this.#timer = setTimeout(() => this.close(), idleMs);
        }
    }

    close() {
        this.#transport?.close();
        this.#transport = this.#opened = null;
    }

    async #send(bitmap) {
        await (this.#opened ??= this.#open());
        const { width, height } = bitmap;
        const scale = Math.min(1, Math.sqrt(pixelsMax / (width * height)));
        const frame = await createImageBitmap(bitmap);
        const size = { width: Math.floor(width * scale), height: Math.floor(height * scale) };
        this.#transport.send(++this.#id, { frame, ...size, still: true });
    }

    #open() {
        const transport = new DeviceTransport(this.#base, this.#options);
        this.#transport = transport;
        transport.onreply = ({ scene }) => this.#settle?.resolve(scene);
        return new Promise((resolve, reject) => {
            transport.onerror = ({ error }) => {
                const failed = new Error(error);
                reject(failed);
                this.#settle?.reject(failed);
            };
            transport.onstate = (state) => {
                if (state === 'open') resolve();
                if (state !== 'gone') return;
                this.close(); // the next photo starts with a new worker
                reject(new Error(''));
            };
            transport.open();
        });
    }
}
