// Detects the nails of a photo on this device at the photo's own size, with the multi-scale pass
// and a search for hands, as `lacquer apply` does. The memory for a photo is kept for a while, for
// the next one.
import { DeviceTransport } from './transport.js';

const idleMs = 60000;
const watchMs = 1000;
const pixelsMax = 16e6; // limit of lacquer.wasm (LQ_FRAME_PIXELS_MAX)

export class DevicePhotos {
    #base;
    #options;
    #transport = null;
    #opened = null; // promise
    #id = 0;
    #turn = Promise.resolve(); // one after the other: a transport keeps only the newest picture
    #settle = null; // of the photo being processed: {resolve, reject}
    #timer = 0;

    // Parameters as for DeviceTransport.
    constructor(base, options) {
        this.#base = base;
        this.#options = options;
    }

    // → {light, nails, width, height}, in pixels of the bitmap or of a reduced copy. Throws an
    // Error, with an empty message if the worker is gone; the next photo starts a new one.
    sceneOf(bitmap) {
        const found = this.#turn.then(() => this.#find(bitmap));
        this.#turn = found.catch(() => {});
        return found;
    }

    async #find(bitmap) {
        clearTimeout(this.#timer);
        const watching = setInterval(() => this.#transport?.watch(), watchMs);
        try {
            return await new Promise((resolve, reject) => {
                this.#settle = { resolve, reject };
                this.#send(bitmap).catch(reject);
            });
        } finally {
            clearInterval(watching);
            this.#settle = null;
            this.#timer = setTimeout(() => this.#close(), idleMs);
        }
    }

    #close() {
        this.#transport?.close();
        this.#transport = this.#opened = null;
    }

    async #send(bitmap) {
        const transport = await (this.#opened ??= this.#open());
        const { width, height } = bitmap;
        const scale = Math.min(1, Math.sqrt(pixelsMax / (width * height)));
        const frame = await createImageBitmap(bitmap);
        const size = { width: Math.floor(width * scale), height: Math.floor(height * scale) };
        transport.send(++this.#id, { frame, ...size, still: true });
    }

    // → promise of the transport
    #open() {
        const transport = new DeviceTransport(this.#base, this.#options);
        this.#transport = transport;
        transport.onreply = ({ scene }) => this.#settle?.resolve(scene);
        transport.onerror = ({ error }) => this.#settle?.reject(new Error(error));
        return new Promise((resolve) => {
            transport.onstate = (state) => {
                if (state === 'open') resolve(transport);
                if (state !== 'gone') return;
                this.#close();
                this.#settle?.reject(new Error(''));
            };
            transport.open();
        });
    }
}
