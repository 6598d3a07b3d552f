// Runs lacquer.wasm (the C code of src/device/device.h) and provides what it needs: a clock, a log,
// and networks. It needs neither a page nor a worker, so tests run it in Node too.
//
// The C code calls `run` in the middle of a detection, and a network takes a while. Binaryen's
// Asyncify makes this possible: the call unwinds the C stack into memory; once the result is there,
// the same export is called again, which rewinds the stack and continues.

const stackBytes = 65536; // for one unwound call; a few hundred are used
const networkBytes = 44;
const lookBytes = 32;
const sizesMax = 4;
const unwinding = 1;
const rewinding = 2;
const failed = -11; // enum lq_status: ENGINE
const handFloats = [63, 1, 1]; // of the hand network's first three outputs

export const network = { nails: 0, hand: 1 };

export class Mirror {
    #c; // exports
    #run;
    #stack;
    #look;
    #handle = 0;
    #answer = null; // promise of the status of the current network run
    #status = 0; // … once it is there
    #busy = false;
    #why = ''; // error text of a network that failed
    inferMs = 0; // of all networks in the last detection

    // wasm: a WebAssembly.Module. run: async (network, input: Float32Array, width, height) →
    // Float32Arrays, the outputs in the file's order. Input and outputs are valid until the next
    // call. networks: {sizes: [[width, height], …], threshold, hand: bool}.
    static async open(wasm, run, networks, log = console.log) {
        const mirror = new Mirror();
        mirror.#run = run;
        const { exports } = await WebAssembly.instantiate(wasm, mirror.#imports(log));
        mirror.#c = exports;
        exports._initialize();
        mirror.#stack = exports.malloc(8 + stackBytes);
        mirror.#look = exports.malloc(lookBytes);
        mirror.#handle = mirror.#open(networks);
        if (!mirror.#handle) throw new Error('lacquer.wasm does not accept these networks');
        return mirror;
    }

    // One picture at a time. fill: (Uint8Array of width * height * 4, RGBA) → nothing or a promise.
    // → ArrayBuffer, a lacquer.v1 `nails` reply. Times in ms.
    async find({ width, height, fill, id = 0, still = false, sentAt = 0, takenAt = 0 }) {
        if (this.#busy) throw new Error('one detection at a time');
        this.#busy = true;
        try {
            const began = performance.now();
            const at = this.#c.lq_mirror_picture(this.#handle, width, height);
            if (!at) throw new Error(this.#error());
            await fill(new Uint8Array(this.#c.memory.buffer, at, width * height * 4));
            this.#writeLook({ id, still, sentAt, takenAt, readMs: performance.now() - began });
            this.inferMs = 0;
            const status = await this.#call(this.#c.lq_mirror_find, this.#handle, this.#look);
            if (status) throw new Error(this.#why || this.#error());
            return this.#reply();
        } finally {
            this.#busy = false;
        }
    }

    // The next frame belongs to another video: nails are not tracked into it.
    rest() {
        if (!this.#busy) this.#c.lq_mirror_rest(this.#handle);
    }

    // Memory of the C code in bytes; it never shrinks.
    get bytes() {
        return this.#c.memory.buffer.byteLength;
    }

    #imports(log) {
        return {
            lacquer: {
                run: (...args) => this.#wait(...args),
                log: (level, text) => log(this.#text(text)),
            },
            wasi_snapshot_preview1: {
                clock_time_get: (clock, precision, at) => {
                    const ns = BigInt(Math.round(performance.now() * 1e6));
                    this.#view().setBigUint64(at, ns, true);
                    return 0;
                },
                fd_write: () => 8, // EBADF: there are no files here
                fd_close: () => 8,
                fd_seek: () => 8,
            },
        };
    }

    #open({ sizes, threshold = 0, hand = false }) {
        const at = this.#c.malloc(networkBytes);
        const view = this.#view();
        view.setInt32(at, sizes.length, true);
        sizes.slice(0, sizesMax).forEach(([width, height], i) => {
            view.setInt32(at + 4 + 8 * i, width, true);
            view.setInt32(at + 8 + 8 * i, height, true);
        });
        view.setFloat32(at + 36, threshold, true);
        view.setInt32(at + 40, Number(hand), true);
        const handle = this.#c.lq_mirror_open(at);
        this.#c.free(at);
        return handle;
    }

    #writeLook({ id, still, sentAt, takenAt, readMs }) {
        const view = this.#view();
        view.setUint32(this.#look, id, true);
        view.setInt32(this.#look + 4, Number(still), true);
        view.setFloat64(this.#look + 8, Math.round(sentAt * 1000), true);
        view.setFloat64(this.#look + 16, Math.round(takenAt * 1000), true);
        view.setFloat64(this.#look + 24, Math.round(readMs * 1000), true);
    }

    // Calls an export until it returns its result, however often it is suspended in between.
    async #call(call, ...args) {
        let status = call(...args);
        while (this.#c.asyncify_get_state() === unwinding) {
            this.#c.asyncify_stop_unwind();
            this.#status = await this.#answer;
            this.#c.asyncify_start_rewind(this.#stack);
            status = call(...args);
        }
        return status;
    }

    // Implements the C code's lq_page_run.
    #wait(which, input, width, height, ...outputs) {
        if (this.#c.asyncify_get_state() === rewinding) {
            this.#c.asyncify_stop_rewind();
            return this.#status;
        }
        this.#answer = this.#infer(which, input, width, height, outputs);
        const view = this.#view();
        view.setUint32(this.#stack, this.#stack + 8, true);
        view.setUint32(this.#stack + 4, this.#stack + 8 + stackBytes, true);
        this.#c.asyncify_start_unwind(this.#stack);
        return 0;
    }

    async #infer(which, input, width, height, outputs) {
        const counts = which === network.hand ? handFloats : [(width * height) / 4];
        const began = performance.now();
        try {
            const floats = new Float32Array(this.#c.memory.buffer, input, 3 * width * height);
            const answers = await this.#run(which, floats, width, height);
            counts.forEach((count, i) => {
                if (answers[i]?.length !== count)
                    throw new Error('a network returned an output of another shape');
                new Float32Array(this.#c.memory.buffer, outputs[i], count).set(answers[i]);
            });
            this.#why = '';
            return 0;
        } catch (error) {
            this.#why = `the network did not run: ${error.message ?? error}`;
            return failed;
        } finally {
            this.inferMs += performance.now() - began;
        }
    }

    #reply() {
        const at = this.#c.lq_mirror_reply(this.#handle);
        const bytes = this.#c.lq_mirror_reply_bytes(this.#handle);
        return this.#c.memory.buffer.slice(at, at + bytes);
    }

    #error() {
        return this.#text(this.#c.lq_mirror_error(this.#handle)) || 'no memory';
    }

    #text(at) {
        const bytes = new Uint8Array(this.#c.memory.buffer, at);
        return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
    }

    #view() {
        return new DataView(this.#c.memory.buffer);
    }
}
