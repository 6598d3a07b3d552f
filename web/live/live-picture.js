// The camera's own picture with polish drawn on it, at the camera's frame rate: frames come from
// the video, nails from `nails` replies, which are a few frames old (follow/). Polish is painted on
// every frame or, with `propagates`, from time to time and moved along in between (layers.js).

import { fingersWorn } from '../look/accents.js';
import { keyOf } from '../look/look.js';
import { sentSize } from './encoder.js';
import { Layers } from './layers.js';

const waitMs = 40; // between checks whether polish is painted
// Nails that no reply has confirmed for this long are not drawn: a second, or the time of two
// replies if these are rare (a slow device). A nail that is not found in newer frames disappears at
// once.
const staleMs = 1000;
const staleMsMost = 6000;

// Canvases in the processor's memory: reading one from the GPU's memory would block.
function plainCanvas() {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d', { alpha: false, willReadFrequently: true });
    return canvas;
}

function resize(canvas, { width, height }) {
    if (canvas.width === width && canvas.height === height) return;
    Object.assign(canvas, { width, height });
}

export class LivePicture {
    propagates = false; // move painted polish along, from the next frame on
    onready = () => {}; // would draw differently now
    #propagating = false; // … on this frame
    #painter;
    #lookStore;
    #follower;
    #scale = [1, 1]; // the reply's pixels per picture pixel
    #takenAt = 0; // capture time of the frame that was newest when the scene arrived
    #staleMs = staleMs;
    #at = 0;
    #scene = null;
    #small = null; // a reduced copy of the frame, if the whole is too much
    #frame = null; // the frame, if polish is moved along
    #layers = { main: new Layers(), second: new Layers() };
    #worn = new Map(); // nail → the finger whose polish it wears, or null
    width = 0;
    height = 0;

    constructor({ painter, lookStore, follower }) {
        this.#painter = painter;
        this.#lookStore = lookStore;
        this.#follower = follower;
    }

    get scene() {
        return this.#scene;
    }

    // Whether it is drawn in the processor's memory: without a GPU that saves a copy.
    get plain() {
        return this.#painter.software;
    }

    // The newest camera frame, captured at that time in ms; side: maximum of the picture's longer
    // side.
    setFrame(video, at, side = Infinity) {
        this.#at = at;
        [this.width, this.height] = sentSize(video.videoWidth, video.videoHeight, side);
        if (this.#propagating && !this.propagates && this.#scene)
            this.#painter.setNails(this.#scene);
        this.#propagating = this.propagates;
        const frame = this.#propagating ? this.#keep(video) : video;
        if (!this.#propagating)
            this.#painter.setFrame(this.#sized(video), this.width, this.height);
        this.#follower.see(frame, at);
        this.#rescale();
    }

    #keep(video) {
        this.#frame ??= plainCanvas();
        resize(this.#frame, this);
        this.#frame.getContext('2d').drawImage(video, 0, 0, this.width, this.height);
        return this.#frame;
    }

    // How often polish was painted to be moved along.
    get paintings() {
        return this.#layers.main.paintings;
    }

    // The canvas that graphics draw into.
    get graphics() {
        return this.#painter.canvas;
    }

    // The look changed: polish painted before is not moved along any more.
    restyle() {
        for (const layers of Object.values(this.#layers)) layers.forget();
    }

    #sized(video) {
        if (this.width === video.videoWidth) return video;
        const { width, height } = this;
        this.#small ??= document.createElement('canvas');
        if (this.#small.width !== width || this.#small.height !== height)
            Object.assign(this.#small, { width, height });
        this.#small.getContext('2d', { alpha: false }).drawImage(video, 0, 0, width, height);
        return this.#small;
    }

    // What setScene needs to know of the newest frame if it is sent.
    mark() {
        return this.#follower.mark();
    }

    // Sets the nails of an older, marked frame.
    setScene(scene, mark) {
        this.#scene = scene;
        const worn = fingersWorn(scene.nails);
        this.#worn = new Map(scene.nails.map((nail, i) => [nail, worn[i]]));
        const passed = this.#takenAt ? this.#at - this.#takenAt : 0;
        this.#staleMs = Math.min(staleMsMost, Math.max(staleMs, 2 * passed));
        this.#takenAt = this.#at;
        if (!this.#propagating) this.#painter.setNails(scene);
        this.#follower.take(scene, mark);
        this.#rescale();
    }

    #rescale() {
        if (this.#scene && this.width)
            this.#scale = [this.#scene.width / this.width, this.#scene.height / this.height];
    }

    // Nails in view: {key, finger, x, y, reach}, in pixels of the picture.
    get nails() {
        const [sx, sy] = this.#scale;
        return (this.#scene?.nails ?? []).map((nail) => {
            const [x, y] = this.#follower.now(nail).center;
            const reach = Math.max(nail.length, nail.width) / 2 / sx;
            return { key: keyOf(nail), finger: nail.finger, x: x / sx, y: y / sy, reach };
        });
    }

    // Draws one version, 'painted', 'original' or 'second', at this size. All always exist.
    draw(context, version, width, height) {
        const which = { painted: 'main', second: 'second' }[version];
        const polishOf = which
            ? (nail) => this.#polishOf(this.#lookStore[which], nail)
            : () => null;
        if (!this.#propagating) this.#paint(polishOf);
        context.save();
        context.scale(width / this.width, height / this.height);
        context.drawImage(this.#propagating ? this.#frame : this.#painter.canvas, 0, 0);
        if (this.#propagating && which) this.#propagate(context, this.#layers[which], polishOf);
        context.restore();
        return true;
    }

    #polishOf(look, nail) {
        return look.of(`#${nail.id}`, this.#worn.get(nail));
    }

    get #fresh() {
        return this.#at - this.#takenAt < this.#staleMs;
    }

    // The position of a nail in this frame, as Painter.paint needs it.
    #placeOf = (nail) => {
        const [sx, sy] = this.#scale;
        const { back, fade } = this.#follower.now(nail);
        const [a, b, c, d, e, f] = back;
        return { back: [a * sx, b * sy, c, d * sx, e * sy, f], fade };
    };

    #paint(polishOf) {
        this.#painter.paint(this.#fresh ? polishOf : () => null, this.#placeOf);
    }

    // context: of the frame's own pixels.
    #propagate(context, layers, polishOf) {
        const nails = this.#fresh ? (this.#scene?.nails ?? []) : [];
        const now = performance.now();
        layers.finish(this.#readLayers, now);
        const [other] = Object.values(this.#layers).filter((one) => one !== layers);
        if (nails.length && layers.due(nails, now) && (layers.stale || !other.coming)) {
            other.drop();
            this.#begin(layers, polishOf, nails, now);
        }
        layers.draw(context, nails, this.#placeOf);
    }

    // A newly chosen look, or a hand that has just appeared, is shown at once; other changes when
    // they are ready.
    #begin(layers, polishOf, nails, now) {
        const wait = layers.stale || !layers.has(nails);
        layers.begin(this.#paintLayers(polishOf, wait), nails, this.#placeOf, now);
        if (wait) layers.finish(this.#readLayers, performance.now());
        else this.#await(layers);
    }

    // A still picture (a camera that was stopped) is drawn once more.
    #await(layers) {
        setTimeout(() => {
            if (!layers.coming || this.#painter.lost) return; // already read, or never to come
            layers.finish(this.#readLayers, performance.now());
            if (layers.coming) this.#await(layers);
            else this.onready();
        }, waitMs);
    }

    #readLayers = () => this.#painter.readLayers();

    #paintLayers(polishOf, wait) {
        this.#painter.setFrame(this.#frame, this.width, this.height);
        this.#painter.setNails(this.#scene);
        return this.#painter.paintLayers(polishOf, this.#placeOf, { wait });
    }

    close() {
        /* the painter outlives the picture */
    }
}
