// The camera: start, stop, choose another, and why it did not start.

// reason is the end of a text's key (camera.denied, camera.none, …); why fills its placeholder.
// 'replaced' has no text: the camera was stopped or started anew before this start was done.
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

function release(stream) {
    stream?.getTracks().forEach((track) => track.stop());
}

export class Camera {
    #video;
    #stream = null;
    #round = 0; // a new number per start and stop: a start that waits for the user sees that it
                // was replaced
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
    async start(which = {}) {
        this.stop();
        const round = this.#round;
        const replaced = () => {
            if (round !== this.#round) throw new CameraError('replaced');
        };
        let stream = null;
        try {
            check();
            stream = await this.#open(which, replaced);
            replaced();
            this.#take(stream);
            await this.#video.play();
            replaced();
        } catch (error) {
            release(stream);
            replaced(); // what runs by now belongs to another start
            this.stop();
            throw explain(error);
        }
    }

    async #open({ deviceId, facing }, replaced) {
        const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
        const which = deviceId
            ? { deviceId: { exact: deviceId } }
            : facing
              ? { facingMode: { ideal: facing } }
              : {};
        const video = { ...size, ...which };
        try {
            return await navigator.mediaDevices.getUserMedia({ audio: false, video });
        } catch (error) {
            if (error.name !== 'OverconstrainedError') throw error;
            replaced();
            return navigator.mediaDevices.getUserMedia({ audio: false, video: true });
        }
    }

    #take(stream) {
        this.#stream = stream;
        const [track] = stream.getVideoTracks();
        track.addEventListener('ended', () => {
            if (this.#stream === stream) this.onended();
        });
        this.#video.srcObject = stream;
    }

    stop() {
        this.#round++;
        release(this.#stream);
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
