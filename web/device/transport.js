// Detects nails on this device, in a worker (worker.js). No picture leaves the page.
//
// Frames are not encoded: `takesFrames` says that `send` needs the video's newest frame itself.
// While the worker is busy, the newest frame waits and replaces the one that waited before, which
// is reported to `onreplaced`.
import { Backoff } from '../live/backoff.js';
import { readReply } from '../live/nails.js';
import { Transport } from '../live/transport.js';

const silenceMs = 6000; // if a detection takes longer, and six times as long as the slowest so far,
                        // the worker is dead
const longMs = 120000; // a step of opening may take long: a file on a slow link, a slow processor;
                       // and so may a photo
const failuresMost = 3; // pictures that fail one after the other until the worker counts as broken
const flightMax = 64; // frames in flight; all but one or two of them have been replaced
const silentStartsMost = 2; // until the worker's script counts as missing

export class DeviceTransport extends Transport {
    ordered = true;
    takesFrames = true;
    sendsNails = true;
    limit = flightMax;
    backend = null; // 'wasm' or 'webgpu' once it is open
    threads = 0; // that a network uses, once it is open
    runMs = 0; // time of one run of the nail network, measured when it opened
    why = ''; // why not WebGPU
    memoryBytes = 0; // memory of the C code after the last detection
    #base;
    #options;
    #worker = null;
    #wanted = false;
    #open = false;
    #since = 0; // when the worker last got a task; 0: idle
    #still = false; // the worker's task is a photo
    #slowest = 0;
    #failures = 0; // of the last pictures
    #withoutGpu = false; // WebGPU broke
    #busy = false;
    #waiting = null; // the newest frame, not yet passed to the worker
    #backoff = new Backoff();
    #timer = 0;
    #silentStarts = 0; // in a row, of which no message came

    // base: URL of the runtime's folder. options: {backend: 'auto' | 'wasm' | 'webgpu', threads}.
    constructor(base, options = {}) {
        super();
        this.#base = base;
        this.#options = options;
    }

    open() {
        this.#wanted = true;
        if (!this.#open) {
            this.#start();
            return;
        }
        this.#worker.postMessage({ type: 'rest' });
        this.onstate('open', {});
    }

    // keep: the worker, if it is open, for another video.
    close({ keep = false } = {}) {
        this.#wanted = false;
        clearTimeout(this.#timer);
        if (keep && this.#open) this.#forget();
        else this.#drop();
    }

    retryNow() {
        if (!this.#wanted || this.#worker) return;
        clearTimeout(this.#timer);
        this.#start();
    }

    get ready() {
        return this.#wanted && this.#open;
    }

    // source: {frame: VideoFrame or ImageBitmap, width, height}, which the worker owns from now on.
    // → 0, the bytes sent over a network.
    send(id, source) {
        const now = performance.now();
        const message = { type: 'frame', id, still: false, sentAt: now, takenAt: now, ...source };
        if (this.#waiting) {
            this.#waiting.frame.close();
            this.onreplaced(this.#waiting.id);
        }
        this.#waiting = message;
        this.#next();
        return 0;
    }

    // A worker that the browser ended does not report it.
    watch() {
        if (!this.#since) return;
        const frames = this.#open && !this.#still;
        const patience = frames ? Math.max(silenceMs, 6 * this.#slowest) : longMs;
        if (performance.now() - this.#since > patience) this.#lost();
    }

    #start() {
        this.#silentStarts++;
        this.onstate('connecting', {});
        const worker = startWorker();
        this.#worker = worker;
        this.#since = performance.now();
        const { backend: wanted = 'auto', threads } = this.#options;
        const backend = this.#withoutGpu ? 'wasm' : wanted;
        worker.onmessage = ({ data }) => {
            if (worker === this.#worker) this.#take(data);
        };
        worker.onerror = (event) => {
            event.preventDefault?.();
            if (worker === this.#worker) this.#lost(event.message);
        };
        const base = String(this.#base);
        worker.postMessage({ type: 'open', base, backend, threads });
    }

    #next() {
        if (this.#busy || !this.#waiting || !this.#open) return;
        const message = this.#waiting;
        this.#waiting = null;
        this.#busy = true;
        this.#still = message.still;
        this.#since = performance.now();
        this.#worker.postMessage(message, [message.frame]);
    }

    #take({ type, ...message }) {
        this.#silentStarts = 0;
        if (type === 'progress') {
            if (!this.#open) this.#since = performance.now();
            return;
        }
        if (type === 'failed') {
            this.#lost(message.error);
            return;
        }
        if (type === 'open') {
            Object.assign(this, {
                backend: message.backend,
                threads: message.threads,
                runMs: message.ms,
                why: message.why,
            });
            this.#open = true;
            this.#since = 0;
            this.onstate('open', {});
            return;
        }
        this.#slowest = Math.max(this.#slowest, performance.now() - this.#since);
        this.#busy = false;
        this.#since = 0;
        if (type === 'error') {
            this.#failed(message);
            return;
        }
        this.#next();
        this.memoryBytes = message.bytes;
        this.#answer(message.reply);
    }

    // One picture may fail alone; a GPU that was lost, or a runtime out of memory, fails all.
    #failed(message) {
        if (++this.#failures < failuresMost) {
            this.#next();
            this.onerror(message);
            return;
        }
        this.#withoutGpu ||= this.backend === 'webgpu';
        this.#lost(message.error);
    }

    #answer(data) {
        this.#failures = 0;
        this.#backoff.reset();
        this.onreply({ ...readReply(data), bytes: 0 });
    }

    #drop() {
        this.#worker?.terminate();
        this.#worker = null;
        this.#open = this.#busy = false;
        this.#since = this.#failures = 0;
        this.#forget();
    }

    #forget() {
        this.#waiting?.frame.close();
        this.#waiting = null;
    }

    #lost(error) {
        this.#drop();
        if (error) this.onerror({ error });
        if (!this.#wanted) return;
        const retryMs = this.#backoff.next(0);
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#start(), retryMs);
        this.onstate('gone', { retryMs, missing: this.#silentStarts >= silentStartsMost });
    }
}

// A page of another origin may not start our worker directly, but may start one of its own that
// imports ours.
function startWorker() {
    const url = new URL('worker.js', import.meta.url);
    try {
        return new Worker(url, { type: 'module' });
    } catch {
        const text = `import ${JSON.stringify(url.href)};`;
        const here = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
        return new Worker(here, { type: 'module' });
    }
}
