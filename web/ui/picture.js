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

    // Draws one version, 'painted', 'original' or 'second', at this size. False: there is none yet.
    draw(context, version, width, height) {
        const bitmap = { painted: this.#painted, original: this.#original, second: this.#second };
        if (!bitmap[version]) return false;
        context.drawImage(bitmap[version], 0, 0, width, height);
        return true;
    }

    setOriginal(bitmap) {
        this.#original?.close();
        this.#original = bitmap;
    }

    close() {
        for (const bitmap of [this.#painted, this.#original, this.#second]) bitmap?.close();
    }
}
