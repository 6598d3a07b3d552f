// Paints a photo in the page: if a look contains the user's own design, which the server does not
// have, or if nails are detected on the device. Same arithmetic as the server's (paint/painter.js).
import { fingersWorn } from '../look/accents.js';
import { keyOf } from '../look/look.js';
import { Graphics } from '../paint/graphics.js';
import { sceneOf } from './scene.js';

const sideMax = 4096; // size that every WebGL 2 supports

export class PhotoPainter {
    #base;
    device = null; // DevicePhotos: detects nails in the page; null: the server detects them
    #graphics = new Graphics();
    #seen = null; // {file, picture: promise of {bitmap, scene}}: each picture is detected once

    constructor(base) {
        this.#base = base;
    }

    takePatterns(patterns) {
        return this.#graphics.takePatterns(patterns);
    }

    // Whether the browser withdrew the graphics that it had provided.
    get lost() {
        return this.#graphics.lost;
    }

    // → a painter, or null if the browser cannot draw (now)
    async #ready() {
        this.#graphics.make();
        await this.#graphics.ready;
        return this.#graphics.able ? this.#graphics.painter : null;
    }

    // Two looks are painted at once: both wait for the same detection. A failed one is repeated.
    #look(file) {
        if (this.#seen?.file === file) return this.#seen.picture;
        this.#seen?.picture.then(
            ({ bitmap }) => bitmap.close(),
            () => {},
        );
        const seen = { file, picture: this.#read(file) };
        this.#seen = seen;
        seen.picture.catch(() => {
            if (this.#seen === seen) this.#seen = null;
        });
        return seen.picture;
    }

    async #read(file) {
        let bitmap = await createImageBitmap(file);
        const scale = sideMax / Math.max(bitmap.width, bitmap.height);
        if (scale < 1) {
            const resizeWidth = Math.round(bitmap.width * scale);
            bitmap.close();
            bitmap = await createImageBitmap(file, { resizeWidth, resizeQuality: 'high' });
        }
        return { bitmap, scene: await this.sceneOf(bitmap) };
    }

    // The nails of one picture in the format of `nails` replies.
    sceneOf(bitmap) {
        return this.device ? this.device.sceneOf(bitmap) : sceneOf(bitmap, this.#base);
    }

    // → {blob, bitmap, nails} as photo.js has them, or null if the browser cannot draw.
    async paint(file, look) {
        if (!(await this.#ready())) return null;
        const { bitmap, scene } = await this.#look(file);
        const painter = await this.#ready(); // detection takes long enough to lose graphics
        if (!painter) return null;
        const { width, height } = bitmap;
        const [sx, sy] = [scene.width / width, scene.height / height];
        const worn = fingersWorn(scene.nails);
        const polish = new Map(scene.nails.map((nail, i) => [nail, look.of(keyOf(nail), worn[i])]));
        painter.setFrame(bitmap, width, height);
        painter.setNails(scene);
        painter.paint(
            (nail) => polish.get(nail),
            () => ({ back: [sx, 0, 0, 0, sy, 0], fade: 1 }),
        );
        const shown = await createImageBitmap(painter.canvas);
        const canvas = new OffscreenCanvas(width, height);
        canvas.getContext('2d', { alpha: false }).drawImage(shown, 0, 0);
        const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
        const nails = scene.nails.map((nail) => ({
            key: keyOf(nail),
            finger: nail.finger,
            tipKnown: nail.tipKnown,
            x: nail.center[0] / sx,
            y: nail.center[1] / sy,
            reach: Math.max(nail.length, nail.width) / 2 / sx,
        }));
        return { blob, bitmap: shown, nails };
    }
}
