// The camera: start, stop, choose another, and why it did not start.

// reason is the end of a text's key (camera.denied, camera.none, …); why fills its placeholder.
export class CameraError extends Error {
    constructor(reason, why = '') {
        super(`camera ${reason} ${why}`);
        this.reason = reason;
        this.why = why;
    }
}

const reasons = {
    NotAllowedError: 'denied',
    NotFoundError: 'none',
    NotReadableError: 'taken',
    AbortError: 'aborted',
};

function explain(error) {
    if (error instanceof CameraError) return error;
    return new CameraError(reasons[error.name] ?? 'failed', error.message);
}

function check() {
    if (navigator.mediaDevices?.getUserMedia) return;
    throw new CameraError(window.isSecureContext ? 'unsupported' : 'insecure');
}

export class Camera {
    #video;
    #stream = null;
    onended = () => {};

    constructor(video) {
        this.#video = video;
    }

    get running() {
        return this.#stream !== null;
    }
    get video() {
        return this.#video;
    }
    get settings() {
        return this.#stream?.getVideoTracks()[0]?.getSettings() ?? {};
    }

    // Resolves when frames can be drawn. which: {deviceId} or {facing: 'user' | 'environment'}.
    async start({ deviceId, facing } = {}) {
        this.stop();
        try {
            check();
            const size = {
                width: { ideal: 1280 },
                height: { ideal: 720 },
                frameRate: { ideal: 30 },
            };
            const which = deviceId
                ? { deviceId: { exact: deviceId } }
                : facing
                  ? { facingMode: { ideal: facing } }
                  : {};
            let stream;
            try {
                stream = await navigator.mediaDevices.getUserMedia({
                    audio: false,
                    video: { ...size, ...which },
                });
            } catch (error) {
                if (error.name !== 'OverconstrainedError') throw error;
                stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: true });
            }
            this.#stream = stream;
            const [track] = stream.getVideoTracks();
            track.addEventListener('ended', () => {
                if (this.#stream === stream) this.onended();
            });
            this.#video.srcObject = stream;
            await this.#video.play();
        } catch (error) {
            this.stop();
            throw explain(error);
        }
    }

    stop() {
        this.#stream?.getTracks().forEach((track) => track.stop());
        this.#stream = null;
        this.#video.srcObject = null;
    }

    // [{deviceId, label, number}]; labels are empty until the user has allowed the camera once.
    async list() {
        if (!navigator.mediaDevices?.enumerateDevices) return [];
        const all = await navigator.mediaDevices.enumerateDevices();
        return all
            .filter((d) => d.kind === 'videoinput' && d.deviceId)
            .map((d, i) => ({ deviceId: d.deviceId, label: d.label, number: i + 1 }));
    }

    // Calls back once for the next new picture, never twice for the same one, with its time in ms.
    next(callback) {
        const video = this.#video;
        if (video.requestVideoFrameCallback) {
            video.requestVideoFrameCallback((now, { mediaTime }) => callback(1000 * mediaTime));
            return;
        }
        const seen = video.currentTime;
        const look = () =>
            video.currentTime !== seen || !this.running
                ? callback(1000 * video.currentTime)
                : requestAnimationFrame(look);
        requestAnimationFrame(look);
    }
}
