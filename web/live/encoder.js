// Encodes camera frames as JPEG, one at a time; in a worker if the browser supports it. At 640x480
// on two cores that takes 6 ms, of which 0.1 are on the main thread; on the main thread alone it
// takes 7.

export const sideMax = 640;

export function sentSize(width, height, sideMax) {
    const scale = Math.min(1, sideMax / Math.max(width, height));
    return [Math.max(16, Math.round(width * scale)), Math.max(16, Math.round(height * scale))];
}

const workerEncodes = () =>
    typeof OffscreenCanvas === 'function' &&
    typeof Worker === 'function' &&
    Boolean(OffscreenCanvas.prototype.convertToBlob);

export class Encoder {
    #worker = null; // started by the first picture
    #here = !workerEncodes(); // whether pictures are encoded on the main thread
    #waiting = null;
    #canvas = null;
    side = sideMax; // pixels of the longer side at most

    // ArrayBuffer with a JPEG; one call at a time.
    async encode(video, quality) {
        const [width, height] = sentSize(video.videoWidth, video.videoHeight, this.side);
        if (!this.#here) this.#worker ??= this.#start();
        const worker = this.#worker;
        if (!worker) return this.#encodeHere(video, width, height, quality);
        const frame =
            typeof VideoFrame === 'function'
                ? new VideoFrame(video)
                : await createImageBitmap(video);
        if (worker !== this.#worker) {
            frame.close();
            throw new Error('the encoder was closed');
        }
        return new Promise((resolve, reject) => {
            this.#waiting = { resolve, reject };
            worker.postMessage({ frame, width, height, quality }, [frame]);
        });
    }

    // Ends the worker until the next picture.
    close() {
        this.#end('the encoder was closed');
    }

    #start() {
        let worker;
        try {
            worker = new Worker(new URL('encoder-worker.js', import.meta.url));
        } catch {
            this.#here = true; // a page of another origin may not start it
            return null;
        }
        worker.onmessage = ({ data }) => {
            if (worker !== this.#worker) return;
            const { resolve, reject } = this.#waiting;
            this.#waiting = null;
            if (data.error) reject(new Error(data.error));
            else resolve(data.bytes);
        };
        worker.onerror = () => {
            if (worker !== this.#worker) return;
            this.#here = true;
            this.#end('the encoder worker did not start');
        };
        return worker;
    }

    #end(why) {
        this.#worker?.terminate();
        this.#worker = null;
        this.#waiting?.reject(new Error(why));
        this.#waiting = null;
    }

    async #encodeHere(video, width, height, quality) {
        this.#canvas ??= document.createElement('canvas');
        if (this.#canvas.width !== width || this.#canvas.height !== height) {
            this.#canvas.width = width;
            this.#canvas.height = height;
        }
        this.#canvas.getContext('2d', { alpha: false }).drawImage(video, 0, 0, width, height);
        const blob = await new Promise((resolve) =>
            this.#canvas.toBlob(resolve, 'image/jpeg', quality),
        );
        if (!blob) throw new Error('the browser made no JPEG of the frame');
        return blob.arrayBuffer();
    }
}
