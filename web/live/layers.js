// Paints polish from time to time and lays it on every camera frame in between. If graphics run on
// the processor (no GPU, or one that the browser does not trust), painting every frame would take
// the time that detection needs. Only a nail's polish is kept, in the nail's own coordinates, so
// that it moves with the nail in newer frames and newer replies.

const share = 0.15; // of the time that painting may take
const leastMs = 50; // between two paintings of the same nails

// The affine map of `back`, as in painter.js, x = a X + b Y + c, y = d X + e Y + f.
const mapOf = ([a, b, c, d, e, f]) => new DOMMatrix([a, d, b, e, c, f]);

// From the reply's pixels to nail coordinates.
function toNail({ center: [x, y], axis: [ax, ay], length, width }) {
    const long = length / 2;
    const broad = width / 2;
    const [u, w] = [[ax / long, ay / long], [-ay / broad, ax / broad]];
    return mapOf([...u, -(x * u[0] + y * u[1]), ...w, -(x * w[0] + y * w[1])]);
}

export class Layers {
    #canvas = document.createElement('canvas');
    #context = this.#canvas.getContext('2d', { willReadFrequently: true });
    #kept = new Map(); // nail id → {tip, cell, map: from the canvas to nail coordinates}
    #coming = null; // the same for a painting that the graphics are working on
    #began = 0; // … since then
    #dueAt = 0;
    #stale = true; // the look has changed
    paintings = 0;

    // The look changed: kept polish is out of date.
    forget() {
        this.#stale = true;
    }

    // Whether the graphics are working on a painting.
    get coming() {
        return this.#coming !== null;
    }
    get stale() {
        return this.#stale;
    }

    // Whether there is polish for any of them.
    has(nails) {
        return nails.some(({ id }) => this.#kept.get(id)?.cell);
    }

    // Whether these nails should be painted again.
    due(nails, now) {
        if (this.#stale) return true;
        if (this.#coming) return false;
        const known = ({ id, tipKnown }) => this.#kept.get(id)?.tip === tipKnown;
        return now >= this.#dueAt || !nails.every(known);
    }

    // cells: of Painter.paintLayers. nails: of the scene; backOf: nail → as in Painter.paint.
    begin(cells, nails, backOf, began) {
        const coming = new Map(nails.map(({ id, tipKnown }) => [id, { tip: tipKnown }]));
        for (const { nail, cell, at } of cells) {
            const map = toNail(nail).multiply(mapOf(backOf(nail).back));
            map.translateSelf(at[0] - cell[0], at[1] - cell[1]);
            Object.assign(coming.get(nail.id), { cell, map });
        }
        this.#stale = false;
        this.#began = began;
        this.#coming = coming;
        if (!cells.length) this.#settle(began);
    }

    // The painting in progress belongs to an old look.
    drop() {
        if (this.#coming) this.#dueAt = 0;
        this.#coming = null;
    }

    // read: () → ImageData or null (Painter.readLayers).
    finish(read, now) {
        const pixels = this.#coming && read();
        if (!pixels) return;
        const { width, height } = pixels;
        if (this.#canvas.width !== width || this.#canvas.height !== height)
            Object.assign(this.#canvas, { width, height });
        this.#context.putImageData(pixels, 0, 0);
        this.#settle(now);
    }

    #settle(now) {
        this.#kept = this.#coming;
        this.#coming = null;
        this.paintings++;
        this.#dueAt = now + Math.max(leastMs, (now - this.#began) / share);
    }

    // Draws the polish on a frame. The context's transformation maps the frame's pixels.
    draw(context, nails, backOf) {
        const frame = context.getTransform();
        for (const nail of nails) {
            const { cell, map } = this.#kept.get(nail.id) ?? {};
            const { back, fade } = backOf(nail);
            if (!cell || !(fade > 0)) continue;
            const [x, y, width, height] = cell;
            context.globalAlpha = fade;
            const now = toNail(nail).multiply(mapOf(back)).inverse().multiply(map);
            context.setTransform(frame.multiply(now));
            context.drawImage(this.#canvas, x, y, width, height, x, y, width, height);
        }
        context.setTransform(frame);
        context.globalAlpha = 1;
    }
}
