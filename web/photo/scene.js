// The nails of one picture, as in `nails` replies (docs/PROTOCOL.md), requested once over a
// separate socket.
import { readNails } from '../live/nails.js';

const headerUp = 16;
const sideMax = 1280; // a larger picture does not improve detection
const waitMs = 20000;

async function encode(bitmap) {
    const scale = Math.min(1, sideMax / Math.max(bitmap.width, bitmap.height));
    const canvas = new OffscreenCanvas(
        Math.max(16, Math.round(bitmap.width * scale)),
        Math.max(16, Math.round(bitmap.height * scale)),
    );
    canvas.getContext('2d', { alpha: false }).drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
    return blob.arrayBuffer();
}

function message(jpeg) {
    const bytes = new Uint8Array(headerUp + jpeg.byteLength);
    const view = new DataView(bytes.buffer);
    view.setUint8(0, 1);
    view.setUint8(1, 1);
    view.setUint16(2, headerUp, true);
    view.setUint32(4, 1, true);
    bytes.set(new Uint8Array(jpeg), headerUp);
    return bytes;
}

function sceneIn(data) {
    const view = new DataView(data);
    if (data.byteLength < 64 || view.getUint8(0) !== 3) return null;
    const size = { width: view.getUint16(52, true), height: view.getUint16(54, true) };
    return { ...readNails(data), ...size };
}

// → {light, nails, width, height}; the sizes are those of the picture that was sent. Throws an
// Error with the server's message, or with an empty one if the server did not respond.
export async function sceneOf(bitmap, base) {
    const jpeg = await encode(bitmap);
    const url = new URL('ws', base);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, 'lacquer.v1');
    socket.binaryType = 'arraybuffer';
    let timer;
    try {
        return await new Promise((resolve, reject) => {
            timer = setTimeout(() => reject(new Error('')), waitMs);
            socket.onopen = () => socket.send(message(jpeg));
            socket.onclose = () => reject(new Error(''));
            socket.onmessage = ({ data }) => {
                if (typeof data !== 'string') {
                    const scene = sceneIn(data);
                    if (scene) resolve(scene);
                    return;
                }
                const { type, error } = JSON.parse(data);
                if (type === 'error') reject(new Error(error));
            };
        });
    } finally {
        clearTimeout(timer);
        socket.onclose = null;
        socket.close();
    }
}
