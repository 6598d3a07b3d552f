// Advice on how to improve the picture, from the detected nails and from the frame itself.

const width = 160; // the frame is judged at this width
const smallestWidth = 0.016; // of the picture's larger side: about 10 pixels of 640
const darkest = 42; // mean luma 0..255
const blurredBelow = 14; // variance of the Laplacian, of a picture whose contrast allows more

// {luma: mean 0..255, spread: standard deviation, sharpness: variance of the Laplacian}
export function frameStatistics({ data, width: w, height: h }) {
    const luma = new Float32Array(w * h);
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < luma.length; i++) {
        const y = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
        luma[i] = y;
        sum += y;
        squares += y * y;
    }
    let laplacian = 0;
    for (let y = 1; y < h - 1; y++)
        for (let x = 1; x < w - 1; x++) {
            const i = y * w + x;
            const l = 4 * luma[i] - luma[i - 1] - luma[i + 1] - luma[i - w] - luma[i + w];
            laplacian += l * l;
        }
    const mean = sum / luma.length;
    return {
        luma: mean,
        spread: Math.sqrt(Math.max(0, squares / luma.length - mean * mean)),
        sharpness: laplacian / Math.max(1, (w - 2) * (h - 2)),
    };
}

// Key of the advice, or '' where none is needed. nails: how many; widths: of each in pixels, or
// [] where that is not known.
export function adviseFor({ nails, widths = [], side, frame }) {
    if (frame && frame.luma < darkest) return 'advice.dark';
    if (frame && frame.spread > 12 && frame.sharpness < blurredBelow) return 'advice.blurred';
    if (!nails) return 'advice.none';
    const sorted = [...widths].sort((a, b) => a - b);
    const middle = sorted[sorted.length >> 1];
    return middle !== undefined && middle < smallestWidth * side ? 'advice.small' : '';
}

// Checks frames from time to time, and gives advice only if the same was seen for a while.
export class Adviser {
    #canvas = document.createElement('canvas');
    #context = this.#canvas.getContext('2d', { willReadFrequently: true });
    #key = '';
    #since = 0;
    #lookedAt = 0;
    #frame = null;
    onadvice = () => {}; // (key), '' when all is well again

    reset() {
        this.#key = '';
        this.#frame = null;
        this.#lookedAt = 0;
    }

    // Called once per reply; source: what was sent, as a CanvasImageSource of that size.
    see({ nails, widths, source, size: [w, h] }) {
        const now = performance.now();
        if (now - this.#lookedAt > 500) {
            this.#lookedAt = now;
            this.#canvas.width = width;
            this.#canvas.height = Math.max(3, Math.round((width * h) / w));
            this.#context.drawImage(source, 0, 0, this.#canvas.width, this.#canvas.height);
            this.#frame = frameStatistics(
                this.#context.getImageData(0, 0, this.#canvas.width, this.#canvas.height),
            );
        }
        const key = adviseFor({ nails, widths, side: Math.max(w, h), frame: this.#frame });
        if (key !== this.#key) {
            this.#key = key;
            this.#since = now;
        }
        if (!key) this.onadvice('');
        else if (now - this.#since > 2500) this.onadvice(key);
    }
}
