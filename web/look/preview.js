// Small pictures of polish for cards: a fingertip made here, painted by the page's own painter. One
// a turn, so that the page stays quick; the newest wish for a card wins.
import { Painter } from '../paint/painter.js';
import { PreviewQueue } from './preview-queue.js';

const [width, height] = [112, 128];
const bed = [0.62, 0.33, 0.28]; // bare nail, linear
const skin = [0.56, 0.29, 0.21];

// Nails of that half length and half breadth, tip up.
function makeScene(centerY, halfLength, halfBreadth) {
    const cover = new Uint8Array(width * height);
    for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
            const u = (centerY - y - 0.5) / halfLength;
            const w = (x + 0.5 - width / 2) / halfBreadth;
            // A squoval with a rounder base.
            const power = u > 0 ? 3.2 : 2.7;
            const out = Math.abs(u) ** power + Math.abs(w) ** 3.4;
            const distance = (1 - out ** 0.3) * halfBreadth;
            cover[y * width + x] = 255 * Math.min(1, Math.max(0, distance + 0.5));
        }
    const nail = {
        finger: null, confidence: 1, id: 1, x: 0, y: 0, width, height, scale: 1, tipKnown: true,
        center: [width / 2, centerY], axis: [0, -1], length: 2 * halfLength,
        breadth: 2 * halfBreadth, shading: [Math.log(bed[0]), 0.02, 0, 0, 0, -0.22],
        level: bed[0] * 0.95, grey: bed[2] / bed[0], bed, cover,
    };
    const light = { exposure: 0.9, tint: [1, 1, 1], direction: [-0.4, -0.5], level: nail.level };
    return { width, height, light, nails: [nail] };
}

// A fingertip under that scene's nail.
function drawFinger({ nails: [nail] }) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    const image = context.createImageData(width, height);
    const stored = (v) => 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
    for (let y = 0, at = 0; y < height; y++)
        for (let x = 0; x < width; x++, at += 4) {
            const w = (x + 0.5 - width / 2) / (nail.breadth / 2);
            const cover = nail.cover[y * width + x] / 255;
            const round = Math.max(0.5, 1 - 0.17 * w * w);
            const shade = Math.exp(-0.22 * w * w);
            for (let k = 0; k < 3; k++)
                image.data[at + k] = stored(
                    skin[k] * round * (1 - cover) + bed[k] * shade * cover,
                );
            image.data[at + 3] = 255;
        }
    context.putImageData(image, 0, 0);
    return canvas;
}

export class Previews {
    #painter = Painter.create();
    #scenes = null;
    #queue = new PreviewQueue(() => this.#start());
    #busy = false;

    // Whether cards can be painted here at all.
    get able() {
        return this.#painter !== null && !this.#painter.lost;
    }

    takePatterns(patterns) {
        return this.#painter?.takePatterns(patterns);
    }

    canvas() {
        return this.#queue.canvas();
    }

    drop(canvas) {
        this.#queue.drop(canvas);
    }

    // false while a part of the polish is not known here.
    wish(canvas, polish) {
        if (!this.able || !this.#painter.knows(polish)) return false;
        this.#queue.add(canvas, polish);
        return true;
    }

    // The first card waits until the page itself has settled: its shaders take a while to build.
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
        // Where there is no graphics card cards take long: the page's own work goes on in between.
        setTimeout(this.#paintNext, 12 + 3 * (performance.now() - start));
    };

    #paint(canvas, polish) {
        this.#scenes ??= [makeScene(66, 49, 33), makeScene(93, 27, 23)].map((scene) => ({
            scene,
            finger: drawFinger(scene),
        }));
        const { scene, finger } = this.#scenes[polish.shape?.length > 0 ? 1 : 0];
        this.#painter.setFrame(finger, width, height);
        this.#painter.setNails(scene);
        this.#painter.paint(() => polish);
        canvas.getContext('2d').drawImage(this.#painter.canvas, 0, 0);
        canvas.dataset.painted = '';
    }
}
