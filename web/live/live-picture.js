// The camera's own picture with polish drawn on it here, at the camera's rate: frames come from the
// video, nails from the server's `nails` replies, which are a few frames old (follow/).

import { fingersWorn } from '../look/accents.js';
import { keyOf } from '../look/look.js';
import { sentSize } from './encoder.js';

const staleMs = 1000; // nails that no reply has confirmed for so long are not drawn

export class LivePicture {
    #painter;
    #lookStore;
    #follower;
    #scale = [1, 1]; // the reply's pixels a picture pixel
    #takenAt = 0; // time of the frame that was newest when the scene came
    #at = 0;
    #scene = null;
    #small = null; // the frame made smaller, where the whole is too much
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

    // The newest camera frame, taken at that time in ms; side: of the picture's longer side at most.
    setFrame(video, at, side = Infinity) {
        this.#at = at;
        [this.width, this.height] = sentSize(video.videoWidth, video.videoHeight, side);
        this.#painter.setFrame(this.#sized(video), this.width, this.height);
        this.#follower.see(video, at);
        this.#rescale();
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

    // What setScene needs to know of the newest frame, should it be sent.
    mark() {
        return this.#follower.mark();
    }

    // Nails of an older, marked frame.
    setScene(scene, mark) {
        this.#scene = scene;
        const worn = fingersWorn(scene.nails);
        this.#worn = new Map(scene.nails.map((nail, i) => [nail, worn[i]]));
        this.#takenAt = this.#at;
        this.#painter.setNails(scene);
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
            const reach = Math.max(nail.length, nail.breadth) / 2 / sx;
            return { key: keyOf(nail), finger: nail.finger, x: x / sx, y: y / sy, reach };
        });
    }

    // All three draw into the painter's one canvas: each is good until the next is asked for.
    painted() {
        return this.#paint((nail) => this.#polishOf(this.#lookStore.main, nail));
    }
    second() {
        return this.#paint((nail) => this.#polishOf(this.#lookStore.second, nail));
    }
    original() {
        return this.#paint(() => null);
    }

    #polishOf(look, nail) {
        return look.of(`#${nail.id}`, this.#worn.get(nail));
    }

    #paint(polishOf) {
        const fresh = this.#at - this.#takenAt < staleMs;
        const [sx, sy] = this.#scale;
        this.#painter.paint(fresh ? polishOf : () => null, (nail) => {
            const { back, fade } = this.#follower.now(nail);
            const [a, b, c, d, e, f] = back;
            return { back: [a * sx, b * sy, c, d * sx, e * sy, f], fade };
        });
        return this.#painter.canvas;
    }

    close() {
        /* the painter outlives the picture */
    }
}
