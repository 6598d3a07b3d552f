// What the stage shows: an object that can draw itself painted, original, or in the second look.
// This one consists of bitmaps from the server and owns them; live-picture.js draws on the camera.

export class BitmapPicture {
    #painted;
    #original = null; // null: not there (yet)
    #second = null;

    // nails: as LivePicture has them.
    constructor(painted, { original = null, second = null, nails = [] } = {}) {
        this.nails = nails;
        this.#painted = painted;
        this.#original = original;
        this.#second = second;
    }

    get width() {
        return this.#painted.width;
    }
    get height() {
        return this.#painted.height;
    }
    // Each is a CanvasImageSource, valid until the next call on this picture, or null.
    painted() {
        return this.#painted;
    }
    original() {
        return this.#original;
    }
    second() {
        return this.#second;
    }

    setOriginal(bitmap) {
        this.#original?.close();
        this.#original = bitmap;
    }

    close() {
        for (const bitmap of [this.#painted, this.#original, this.#second]) bitmap?.close();
    }
}
