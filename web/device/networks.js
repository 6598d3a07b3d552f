// The networks, by ONNX Runtime Web: WebAssembly with SIMD, or WebGPU where the browser has it and
// it is the faster. Files come from the runtime's folder (files.js).

import { network } from './host.js';

const trialRuns = 3;
const agreed = 0.02; // of a probability, between the two; whole numbers and halves round otherwise

// How many threads a run may have: one without shared memory, which pages get only with COOP and
// COEP headers.
function threadsHere(asked) {
    if (!globalThis.crossOriginIsolated) return 1;
    return Math.max(1, Math.min(asked ?? 4, (navigator.hardwareConcurrency ?? 2) - 1));
}

async function openRuntime(files, kind, threads) {
    const paths = { mjs: files.url(`${kind}.glue`), wasm: files.url(`${kind}.wasm`) };
    const runtime = await import(files.url(`${kind}.mjs`));
    runtime.env.wasm.numThreads = threads;
    runtime.env.wasm.wasmPaths = paths;
    runtime.env.wasm.wasmBinary = await files.bytes(`${kind}.wasm`);
    return runtime;
}

const noHand = [new Float32Array(63), new Float32Array(1), new Float32Array(1)];

// One way to run them. run: what Mirror takes (host.js).
export class Backend {
    name;
    #runtime;
    #sessions;
    #openLater; // the hand's session, once a hand is looked for; null: it is there, or not wanted
    #closed = false;

    constructor(name, runtime, sessions, openLater = null) {
        this.name = name;
        this.#runtime = runtime;
        this.#sessions = sessions;
        this.#openLater = openLater;
    }

    // handLater: the first looks do without hands, and their network is fetched beside them: half
    // of what a first visitor waits for.
    static async open(name, files, { threads, hand, handLater = false }) {
        const runtime = await openRuntime(files, name === 'webgpu' ? 'ort-webgpu' : 'ort', threads);
        const open = async (file) =>
            runtime.InferenceSession.create(new Uint8Array(await files.bytes(file)), {
                executionProviders: [name],
                graphOptimizationLevel: 'all',
            });
        const sessions = [await open('nail.onnx')];
        if (hand && !handLater) sessions.push(await open('hand.onnx'));
        const later = hand && handLater ? () => open('hand.onnx') : null;
        return new Backend(name, runtime, sessions, later);
    }

    async #fetchHand() {
        const open = this.#openLater;
        if (!open) return;
        this.#openLater = null;
        try {
            const session = await open();
            if (this.#closed) await session.release();
            else this.#sessions[network.hand] = session;
        } catch {
            /* tips and fingers are told by the nails' looks alone */
        }
    }

    // What struct lq_mirror asks for (src/device/network.h).
    run = async (which, input, width, height) => {
        const session = this.#sessions[which];
        if (!session) {
            this.#fetchHand();
            return noHand;
        }
        const shape = which === network.hand ? [1, height, width, 3] : [1, 3, height, width];
        const tensor = new this.#runtime.Tensor('float32', input, shape);
        const outputs = await session.run({ [session.inputNames[0]]: tensor });
        const answers = session.outputNames.slice(0, 3).map((name) => outputs[name]);
        return Promise.all(answers.map((answer) => answer.getData()));
    };

    async close() {
        this.#closed = true;
        for (const session of this.#sessions) await session.release();
    }
}

// The median time of a run in ms, and the last run's probabilities, on a picture of noise.
async function tryOut(backend, [width, height]) {
    const input = new Float32Array(3 * width * height);
    let seed = 1;
    for (let i = 0; i < input.length; i++) {
        seed = (seed * 48271) % 2147483647;
        input[i] = seed / 2147483647;
    }
    const times = [];
    let map;
    for (let i = 0; i <= trialRuns; i++) {
        const began = performance.now();
        [map] = await backend.run(network.nails, input, width, height);
        times.push(performance.now() - began);
    }
    times.shift(); // the first one builds what the others use
    times.sort((a, b) => a - b);
    return { ms: times[times.length >> 1], map };
}

function differ(a, b) {
    let most = 0;
    for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
    return a.length === b.length ? most : Infinity;
}

// wanted: 'wasm', 'webgpu', or 'auto': WebGPU if there is an adapter, its probabilities agree and
// its runs are faster. → {backend, ms of a run, why not WebGPU}
export async function openNetworks(files, wishes) {
    const { wanted = 'auto', threads, size, hand, handLater } = wishes;
    const options = { threads: threadsHere(threads), hand, handLater };
    if (wanted === 'webgpu') {
        const backend = await Backend.open('webgpu', files, options);
        return { backend, ...(await tryOut(backend, size)), why: '' };
    }
    const wasm = await Backend.open('wasm', files, options);
    const plain = await tryOut(wasm, size);
    const stay = (why) => ({ backend: wasm, ms: plain.ms, map: plain.map, why });
    if (wanted === 'wasm') return stay('not asked for');
    if (!files.has('ort-webgpu.wasm')) return stay('not installed');
    if (!(await adapterHere())) return stay('no adapter');
    let gpu = null;
    try {
        gpu = await Backend.open('webgpu', files, options);
        const tried = await tryOut(gpu, size);
        const off = differ(plain.map, tried.map);
        if (off <= agreed && tried.ms < plain.ms) {
            await wasm.close();
            return { backend: gpu, ...tried, why: '' };
        }
        await gpu.close();
        return stay(off > agreed ? `off by ${off}` : `${tried.ms} ms, not ${plain.ms}`);
    } catch (error) {
        await gpu?.close();
        return stay(error.message);
    }
}

// A GPU, and the way to wait for it that the runtime's smaller build needs. Graphics that the
// processor itself computes are no gain.
async function adapterHere() {
    if (!navigator.gpu || !('Suspending' in WebAssembly)) return false;
    const adapter = await navigator.gpu.requestAdapter().catch(() => null);
    return adapter !== null && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
}
