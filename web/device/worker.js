// Detects nails off the main thread: lacquer.wasm (host.js) and the networks (networks.js).
//
// In:  {type: 'open', base, backend, threads}
//      {type: 'frame', id, still, frame: VideoFrame or ImageBitmap, width, height, sentAt, takenAt}
//      {type: 'rest'}                             frames that follow belong to another video
// Out: {type: 'progress'} one step closer to 'open'
//      {type: 'open', backend, threads, ms, why, bytes}   ms: for one run of the nail network
//      {type: 'reply', id, reply: ArrayBuffer, inferMs, bytes}    bytes: memory of the C code
//      {type: 'error', id, error}                 this picture failed, others may succeed
//      {type: 'failed', error}                    nothing works: start a new worker
import { DeviceFiles } from './files.js';
import { Mirror } from './host.js';
import { openNetworks } from './networks.js';

let mirror = null;
let backend = null;
let canvas = null;
let context = null;

async function open({ base, backend: wanted, threads }) {
    const files = await DeviceFiles.open(base);
    const progress = () => postMessage({ type: 'progress' });
    files.onprogress = progress;
    const { nails, hand } = files.manifest;
    files.prefetch('lacquer.wasm');
    const opened = await openNetworks(files, {
        ...{ wanted, threads, progress, hand },
        size: nails.sizes[0],
    });
    const { ms, why } = opened;
    ({ backend } = opened);
    const module = await WebAssembly.compile(await files.bytes('lacquer.wasm'));
    mirror = await Mirror.open(module, backend.run, { ...nails, hand });
    const { name, threads: taken } = backend;
    postMessage({ type: 'open', backend: name, threads: taken, ms, why, bytes: files.fetched });
}

// Copies the camera's frame, converted by the browser, without a canvas. Works only if the frame
// has the size of the detection and the browser converts (an older one would copy its own format).
async function copied(frame, width, height, pixels) {
    const rect = frame.visibleRect;
    if (rect?.width !== width || rect.height !== height || frame.rotation || frame.flip)
        return false;
    try {
        const options = { format: 'RGBA' };
        if (frame.allocationSize(options) !== pixels.length) return false;
        await frame.copyTo(pixels, options);
        return true;
    } catch {
        return false;
    }
}

function drawn(frame, width, height) {
    if (!canvas) {
        canvas = new OffscreenCanvas(width, height);
        context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
    }
    if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
    }
    context.drawImage(frame, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
}

async function look({ frame, width, height, ...which }) {
    // The frame's pixels at the size of the detection.
    const fill = async (pixels) => {
        if (!(await copied(frame, width, height, pixels))) pixels.set(drawn(frame, width, height));
        frame.close();
    };
    try {
        backend.waitsForHand = which.still;
        const reply = await mirror.find({ width, height, fill, ...which });
        const { inferMs, bytes } = mirror;
        postMessage({ type: 'reply', id: which.id, reply, inferMs, bytes }, [reply]);
    } catch (error) {
        frame.close();
        // A trap leaves the C code's memory in an inconsistent state.
        if (error instanceof WebAssembly.RuntimeError) throw error;
        postMessage({ type: 'error', id: which.id, error: error.message });
    }
}

const take = { open, frame: look, rest: () => mirror?.rest() };
let turn = Promise.resolve(); // one after the other

onmessage = ({ data: { type, ...message } }) => {
    turn = turn
        .then(() => take[type](message))
        .catch((error) => postMessage({ type: 'failed', error: String(error?.message ?? error) }));
};
