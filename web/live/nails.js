// Parses replies of lacquer.v1 (docs/PROTOCOL.md): the header and, of a `nails` reply, the light
// and each nail's local frame, shading and coverage. Checks every offset; throws an Error if
// something is wrong.

const headerBytes = 64;
const stages = ['queue', 'decode', 'prepare', 'infer', 'nails', 'paint', 'encode', 'total'];
const cropPixelsMax = 4096 * 4096;
const fingerNames = [null, 'thumb', 'index', 'middle', 'ring', 'little'];

function floats(view, at, count) {
    return Array.from({ length: count }, (_, i) => view.getFloat32(at + 4 * i, true));
}

function readLight(view) {
    if (view.byteLength < 28) throw new Error('the light block is too short');
    return {
        exposure: view.getFloat32(0, true),
        tint: floats(view, 4, 3),
        direction: floats(view, 16, 2),
        level: view.getFloat32(24, true),
    };
}

// Tokens of a run and a few samples as bytes → coverage, one byte a sample.
export function decodeCrop(code, samples) {
    const out = new Uint8Array(samples);
    let from = 0;
    let to = 0;
    while (from < code.length) {
        const token = code[from++];
        let run = (token >> 3) & 15;
        const plain = token & 7;
        if (run === 15) {
            if (from >= code.length) throw new Error('a crop ends within a run');
            run += code[from++];
        }
        if (to + run + plain > samples || from + plain > code.length)
            throw new Error('a crop holds more than its samples');
        if (token & 128) out.fill(255, to, to + run);
        to += run;
        out.set(code.subarray(from, from + plain), to);
        from += plain;
        to += plain;
    }
    if (to !== samples) throw new Error('a crop ends early');
    return out;
}

function readNail(view) {
    if (view.byteLength < 80) throw new Error('a nail block is too short');
    const head = view.getUint16(0, true);
    if (head < 80 || head > view.byteLength) throw new Error('a nail block has no header');
    const width = view.getUint16(12, true);
    const height = view.getUint16(14, true);
    const scale = view.getUint8(16);
    if (!width || !height || !scale || width * height > cropPixelsMax)
        throw new Error('a nail has no crop');
    const code = new Uint8Array(view.buffer, view.byteOffset + head, view.byteLength - head);
    const nail = {
        finger: fingerNames[view.getUint8(2)] ?? null,
        confidence: view.getUint8(3) / 255,
        id: view.getUint32(4, true),
        tipKnown: view.getUint8(17) === 1,
        edge: view.getUint16(18, true) / 256,
        center: floats(view, 20, 2),
        axis: floats(view, 28, 2),
        length: Math.max(1, view.getFloat32(36, true)),
        width: Math.max(1, view.getFloat32(40, true)),
        shading: floats(view, 48, 6),
        level: view.getFloat32(72, true),
        grey: view.getFloat32(76, true),
        crop: {
            x: view.getUint16(8, true),
            y: view.getUint16(10, true),
            width,
            height,
            scale,
            cover: decodeCrop(code, width * height),
        },
    };
    nail.bed = head >= 92 ? floats(view, 80, 3) : null;
    const numbers = [nail.center, nail.axis, nail.length, nail.width, nail.shading, nail.level];
    if (!numbers.flat().every(Number.isFinite)) throw new Error('a nail has no local frame');
    return nail;
}

// buffer: the whole message. → {light, nails}
export function readNails(buffer) {
    let light = null;
    const nails = [];
    for (let at = headerBytes; at < buffer.byteLength;) {
        if (at + 4 > buffer.byteLength) throw new Error('a block is cut');
        const front = new DataView(buffer, at, 4);
        const kind = front.getUint16(0, true);
        const size = front.getUint16(2, true);
        if (at + 4 + size > buffer.byteLength) throw new Error('a block is cut');
        const block = new DataView(buffer, at + 4, size);
        if (kind === 1) light = readLight(block);
        if (kind === 2) nails.push(readNail(block));
        at += 4 + size;
    }
    if (!light) throw new Error('the reply has no light');
    return { light, nails };
}

// buffer: the whole message. → {id, sentAt, nails, server, replaced, bytes}, ms and their names in
// `server`, and jpeg: Blob or scene: {light, nails, width, height}; null: no reply at all.
export function readReply(buffer) {
    if (buffer.byteLength < headerBytes) return null;
    const view = new DataView(buffer);
    const type = view.getUint8(0);
    const header = view.getUint16(2, true);
    const ms = (i) => view.getUint32(16 + 4 * i, true) / 1000;
    const reply = {
        id: view.getUint32(4, true),
        sentAt: Number(view.getBigUint64(8, true)) / 1000,
        nails: view.getUint8(1),
        server: Object.fromEntries(stages.map((name, i) => [name, ms(i)])),
        replaced: view.getUint32(48, true),
        bytes: buffer.byteLength,
    };
    if (type === 2)
        reply.jpeg = new Blob([new Uint8Array(buffer, header)], { type: 'image/jpeg' });
    else if (type === 3)
        reply.scene = {
            ...readNails(buffer),
            width: view.getUint16(52, true),
            height: view.getUint16(54, true),
        };
    else return null;
    return reply;
}
