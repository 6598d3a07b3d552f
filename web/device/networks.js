// Runs the networks with ONNX Runtime Web: WebAssembly with SIMD, or WebGPU if the browser has it
// and it is faster. The files come from the runtime's folder (files.js).

import { network } from './host.js';

const trialRuns = 3; // for comparing two backends
const noHand = [new Float32Array(63), new Float32Array(1), new Float32Array(1)];
const agreed = 0.02; // maximum difference of a probability between the two; int8 and float16 round
                     // differently

// Number of threads for a run: one if memory cannot be shared, which needs COOP and COEP headers.
// By default one core is left to the page.
function threadsHere(asked) {
    if (!globalThis.crossOriginIsolated) return 1;
    const cores = navigator.hardwareConcurrency ?? 2;
    return Math.max(1, Math.min(asked ?? Math.min(4, cores - 1), cores));
}

async function openRuntime(files, kind, threads) {
    const paths = { mjs: files.url(`${kind}.glue`), wasm: files.url(`${kind}.wasm`) };
    const runtime = await import(files.url(`${kind}.mjs`));
    runtime.env.wasm.numThreads = threads;
    runtime.env.wasm.wasmPaths = paths;
    runtime.env.wasm.wasmBinary = await files.bytes(`${kind}.wasm`);
    return runtime;
}

// One backend that runs the networks. run: as Mirror needs it (host.js).
export class Backend {
    name;
    waitsForHand = false; // true for a still; until the hand network is loaded, a video continues
                          // without hands
    #runtime;
    #nails;
    #hand = null;
    #handOpening = null;

    constructor(name, runtime, nails) {
        this.name = name;
        this.#runtime = runtime;
        this.#nails = nails;
    }

    static async open(name, files, { threads, progress = () => {} }) {
        const kind = name === 'webgpu' ? 'ort-webgpu' : 'ort';
        files.prefetch(`${kind}.wasm`, 'nail.onnx');
        const runtime = await openRuntime(files, kind, threads);
        progress();
        const backend = new Backend(name, runtime, null);
        backend.#nails = await backend.#session(files, 'nail.onnx');
        progress();
        return backend;
    }

    // Downloads and opens the hand network after the first frames: it is the larger one, and polish
    // does not need it. If it cannot be loaded, no hands are found.
    openHand(files) {
        return (this.#handOpening = this.#session(files, 'hand.onnx').then(
            (session) => (this.#hand = session),
            (error) => console.warn(`no hand landmarks: ${error.message}`),
        ));
    }

    async #session(files, file) {
        return this.#runtime.InferenceSession.create(new Uint8Array(await files.bytes(file)), {
            executionProviders: [this.name],
            graphOptimizationLevel: 'all',
        });
    }

    // Implements the networks of struct lq_mirror (src/device/network.h).
    run = async (which, input, width, height) => {
        if (which === network.hand && this.waitsForHand) await this.#handOpening;
        const session = which === network.hand ? this.#hand : this.#nails;
        if (!session) return noHand;
        const shape = which === network.hand ? [1, height, width, 3] : [1, 3, height, width];
        const tensor = new this.#runtime.Tensor('float32', input, shape);
        const outputs = await session.run({ [session.inputNames[0]]: tensor });
        const answers = session.outputNames.slice(0, 3).map((name) => outputs[name]);
        return Promise.all(answers.map((answer) => answer.getData()));
    };

    // Number of threads that the runtime uses.
    get threads() {
        return this.#runtime.env.wasm.numThreads;
    }

    async close() {
        await this.#nails.release();
        await this.#hand?.release();
    }
}

// The median time of a run in ms, and the last run's probabilities, on a picture of noise.
async function tryOut(backend, [width, height], runs = trialRuns) {
    const input = new Float32Array(3 * width * height);
    let seed = 1;
    for (let i = 0; i < input.length; i++) {
        seed = (seed * 48271) % 2147483647;
        input[i] = seed / 2147483647;
    }
    const times = [];
    let map;
    for (let i = 0; i <= runs; i++) {
        const began = performance.now();
        [map] = await backend.run(network.nails, input, width, height);
        times.push(performance.now() - began);
    }
    times.shift(); // the first run builds what the others reuse
    times.sort((a, b) => a - b);
    return { ms: times[times.length >> 1], map };
}

function differ(a, b) {
    let most = 0;
    for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
    return a.length === b.length ? most : Infinity;
}

// Why WebGPU is not tried; '' if it is.
async function whyNotGpu(files, wanted) {
    if (wanted === 'wasm') return 'not requested';
    if (!files.has('ort-webgpu.wasm')) return 'not installed';
    return (await adapterHere()) ? '' : 'no adapter';
}

// wanted: 'wasm', 'webgpu', or 'auto': WebGPU if there is an adapter, its probabilities agree and
// its runs are faster. progress: called after every step, each of which may take a slow device
// long. → {backend, ms of a run, why not WebGPU}
export async function openNetworks(files, { wanted = 'auto', threads, size, hand, progress }) {
    const chosen = await choose(files, { wanted, size, threads: threadsHere(threads), progress });
    const opening = hand ? chosen.backend.openHand(files) : null;
    if (chosen.backend.name === 'webgpu') await opening; // the runtime accepts one call at a time
    return chosen;
}

async function choose(files, { wanted, size, ...options }) {
    if (wanted === 'webgpu') {
        const backend = await Backend.open('webgpu', files, options);
        return { backend, ...(await tryOut(backend, size, 1)), why: '' };
    }
    const wasm = await Backend.open('wasm', files, options);
    const reason = await whyNotGpu(files, wanted);
    const plain = await tryOut(wasm, size, reason ? 1 : trialRuns);
    const stay = (why) => ({ backend: wasm, ...plain, why });
    if (reason) return stay(reason);
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

// A GPU, and JavaScript Promise Integration, which the smaller build of the runtime needs in order
// to wait for the GPU. Graphics emulated on the processor would be no faster.
async function adapterHere() {
    if (!navigator.gpu || !('Suspending' in WebAssembly)) return false;
    const adapter = await navigator.gpu.requestAdapter().catch(() => null);
    return adapter !== null && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
}
