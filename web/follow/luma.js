// Small grey pictures of camera frames, each with a copy at half size.

const widthMost = 320;

export class LumaReader {
    #canvas = document.createElement('canvas');
    #context = this.#canvas.getContext('2d', { alpha: false, willReadFrequently: true });

    // source: a video, or a canvas with a frame of it.
    // → {data: Float32Array 0..255, width, height, half: the same at half the size}
    read(source) {
        const { videoWidth = source.width, videoHeight = source.height } = source;
        const scale = Math.min(1, widthMost / videoWidth);
        const width = Math.max(8, Math.round(videoWidth * scale));
        const height = Math.max(8, Math.round(videoHeight * scale));
        if (this.#canvas.width !== width || this.#canvas.height !== height)
            Object.assign(this.#canvas, { width, height });
        this.#context.drawImage(source, 0, 0, width, height);
        const { data } = this.#context.getImageData(0, 0, width, height);
        const luma = new Float32Array(width * height);
        for (let i = 0, at = 0; i < luma.length; i++, at += 4)
            luma[i] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
        return withHalf({ data: luma, width, height });
    }
}

export function withHalf(luma) {
    const width = luma.width >> 1;
    const height = luma.height >> 1;
    const data = new Float32Array(width * height);
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
    return { ...luma, half: { data, width, height } };
}
