// Small pictures of polish for cards: a fingertip drawn here and painted by the page's own painter.
// One is painted per turn, so that the page stays responsive; the newest request for a card wins.
import { fingerPolish } from './look.js';
import { Graphics } from '../paint/graphics.js';
import { PreviewQueue } from './preview-queue.js';

const order = ['index', 'middle', 'ring', 'little'];
const bed = [0.62, 0.33, 0.28]; // colour of the bare nail, linear
const skin = [0.56, 0.29, 0.21];

// A nail of that half length and half width about (x, y), tip up; its crop is a column of the card.
function makeNail({ id, finger, x, y, left, width, height, halfLength, halfWidth }) {
    const cover = new Uint8Array(width * height);
    for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++) {
            const u = (y - row - 0.5) / halfLength;
            const w = (left + column + 0.5 - x) / halfWidth;
            // A squoval with a rounder base.
            const power = u > 0 ? 3.2 : 2.7;
            const out = Math.abs(u) ** power + Math.abs(w) ** 3.4;
            const distance = (1 - out ** 0.3) * halfWidth;
            cover[row * width + column] = 255 * Math.min(1, Math.max(0, distance + 0.5));
        }
    return {
        finger,
        confidence: 1,
        id,
        tipKnown: true,
        center: [x, y],
        axis: [0, -1],
        length: 2 * halfLength,
        width: 2 * halfWidth,
        shading: [Math.log(bed[0]), 0.02, 0, 0, 0, -0.22],
        level: bed[0] * 0.95,
        grey: bed[2] / bed[0],
        bed,
        crop: { x: left, y: 0, width, height, scale: 1, cover },
    };
}

function sceneOf(width, height, nails) {
    const [{ level }] = nails;
    const light = { exposure: 0.9, tint: [1, 1, 1], direction: [-0.4, -0.5], level };
    return { width, height, light, nails };
}

function oneNail(y, halfLength, halfWidth) {
    const [width, height] = [112, 128];
    const place = { id: 1, finger: null, x: width / 2, y, left: 0, width, height };
    return sceneOf(width, height, [makeNail({ ...place, halfLength, halfWidth })]);
}

// A hand's four fingers side by side; longer: leaves room for extended nails.
function fourNails(longer) {
    const [width, height] = [224, 128];
    const nails = order.map((finger, i) => {
        const drop = [9, 0, 5, 20][i] * (longer ? 0.5 : 1);
        const size = (longer ? 0.72 : 1) * (i === 3 ? 0.88 : 1);
        const [halfLength, halfWidth] = [29 * size, 21 * size];
        const y = (longer ? 88 : 50) + drop;
        const place = { id: i + 1, finger, x: 28 + 56 * i, y, left: 56 * i, width: 56, height };
        return makeNail({ ...place, halfLength, halfWidth });
    });
    return sceneOf(width, height, nails);
}

// Draws fingertips under that scene's nails.
function drawFingers({ width, height, nails }) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    const image = context.createImageData(width, height);
    const stored = (v) => 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
    for (let y = 0, at = 0; y < height; y++)
        for (let x = 0; x < width; x++, at += 4) {
            const nail = nails.find(({ crop }) => x < crop.x + crop.width);
            const w = (x + 0.5 - nail.center[0]) / (nail.width / 2);
            const cover = nail.crop.cover[y * nail.crop.width + x - nail.crop.x] / 255;
            const round =
                nails.length > 1 ? fingertip(nail, w, y) : Math.max(0.5, 1 - 0.17 * w * w);
            const shade = Math.exp(-0.22 * w * w);
            for (let k = 0; k < 3; k++)
                image.data[at + k] = stored(skin[k] * round * (1 - cover) + bed[k] * shade * cover);
            image.data[at + 3] = 255;
        }
    context.putImageData(image, 0, 0);
    return canvas;
}

// Brightness of the skin: a finger 1.3 nail widths wide with a round end, dark between fingers.
function fingertip(nail, w, y) {
    const above = (nail.center[1] - y) / (nail.length / 2) - 0.35;
    const out = Math.hypot(w / 1.28, Math.max(0, above) * 0.95);
    if (out >= 1) return 0.12;
    return (1 - 0.45 * out ** 4) * Math.min(1, (1 - out) * 12 + 0.12);
}

export class Previews {
    #graphics = new Graphics();
    #scenes = null;
    #queue = new PreviewQueue(() => this.#start());
    #busy = false;

    constructor() {
        this.#graphics.make();
    }

    // Whether cards can be painted here at all.
    get able() {
        return this.#graphics.able;
    }

    get #painter() {
        return this.#graphics.painter;
    }

    takePatterns(patterns) {
        return this.#graphics.takePatterns(patterns);
    }

    canvas(nails) {
        return this.#queue.canvas(nails);
    }

    drop(canvas) {
        this.#queue.drop(canvas);
    }

    // Returns false if part of the polish cannot be painted yet.
    request(canvas, polish) {
        if (this.#graphics.lost) this.#graphics.make();
        const all = [polish, ...Object.values(polish.fingers ?? {})];
        if (!this.able || !all.every((each) => this.#painter.knows(each))) return false;
        this.#queue.add(canvas, polish);
        return true;
    }

    // The first card waits until the page itself has loaded, because its shaders take a while to
    // build.
    #start() {
        if (this.#busy) return;
        this.#busy = true;
        setTimeout(this.#paintNext, this.#scenes ? 0 : 1500);
    }

    #paintNext = () => {
        const next = this.able && this.#queue.take();
        if (!next) {
            this.#busy = false;
            return;
        }
        const start = performance.now();
        this.#paint(...next);
        // Without a GPU, cards take long: the pause lets the page's own work proceed.
        setTimeout(this.#paintNext, 12 + 3 * (performance.now() - start));
    };

    // look: one polish, perhaps with separate polish for some fingers.
    #paint(canvas, look) {
        this.#scenes ??= [
            oneNail(66, 49, 33),
            oneNail(93, 27, 23),
            fourNails(false),
            fourNails(true),
        ].map((scene) => ({ scene, fingers: drawFingers(scene) }));
        const longer = look.shape?.length > 0 ? 1 : 0;
        const { scene, fingers } = this.#scenes[(canvas.dataset.of === '4' ? 2 : 0) + longer];
        const { shape } = look;
        this.#painter.setFrame(fingers, scene.width, scene.height);
        this.#painter.setNails(scene);
        this.#painter.paint(({ finger }) => ({ ...fingerPolish(look, finger), shape }));
        canvas.getContext('2d').drawImage(this.#painter.canvas, 0, 0);
        canvas.dataset.painted = '';
    }
}
