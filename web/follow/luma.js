// Small grey pictures of camera frames, each with a copy at half size.

const widthMost = 320;

export class LumaReader {
    #canvas = document.createElement('canvas');
    #context = this.#canvas.getContext('2d', { alpha: false, willReadFrequently: true });

    // source: a video, or a canvas with a frame of it. spare: a picture of this reader that nobody
    // needs any more, whose memory is used again: 30 new ones a second keep the collector busy.
    // → {data: Float32Array 0..255, width, height, half: the same at half the size}
    read(source, spare = null) {
        const { videoWidth = source.width, videoHeight = source.height } = source;
        const scale = Math.min(1, widthMost / videoWidth);
        const width = Math.max(8, Math.round(videoWidth * scale));
        const height = Math.max(8, Math.round(videoHeight * scale));
        if (this.#canvas.width !== width || this.#canvas.height !== height)
            Object.assign(this.#canvas, { width, height });
        this.#context.drawImage(source, 0, 0, width, height);
        const { data } = this.#context.getImageData(0, 0, width, height);
        const fits = spare?.width === width && spare.height === height;
        const luma = fits ? spare : blank(width, height);
        for (let i = 0, at = 0; i < luma.data.length; i++, at += 4)
            luma.data[i] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
        halve(luma);
        return luma;
    }
}

function blank(width, height) {
    const of = (w, h) => ({ data: new Float32Array(w * h), width: w, height: h });
    return { ...of(width, height), half: of(width >> 1, height >> 1) };
}

function halve(luma) {
    const { data, width, height } = luma.half;
    for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
            const at = 2 * y * luma.width + 2 * x;
            data[y * width + x] =
                (luma.data[at] +
                    luma.data[at + 1] +
                    luma.data[at + luma.width] +
                    luma.data[at + luma.width + 1]) /
                4;
        }
}
