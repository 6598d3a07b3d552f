// The camera: start, stop, choose, and why it does not start.

export class CameraError extends Error {
    constructor(reason, message) {
        super(message);
        this.reason = reason;
    }
}

const reasons = {
    NotAllowedError: [
        'denied',
        'The camera is blocked for this page. Allow it beside the address ' +
            '(on a phone: in the browser’s settings), then start it again. A photo works without it.',
    ],
    NotFoundError: ['none', 'No camera was found on this device. You can use a photo instead.'],
    NotReadableError: [
        'taken',
        'The camera is in use by another program. Close that one, then start again.',
    ],
    AbortError: ['taken', 'The camera stopped before it gave a picture. Start it again.'],
};

function explain(error) {
    if (error instanceof CameraError) return error;
    const [reason, text] = reasons[error.name] ?? [
        'failed',
        `The camera did not start: ${error.message}`,
    ];
    return new CameraError(reason, text);
}

function check() {
    if (navigator.mediaDevices?.getUserMedia) return;
    if (!window.isSecureContext) {
        throw new CameraError(
            'insecure',
            'Browsers give the camera to secure pages only. Open this page ' +
                'with https:// (the server offers it with --tls-self-signed), or use a photo.',
        );
    }
    throw new CameraError(
        'unsupported',
        'This browser offers pages no camera. You can use a photo instead.',
    );
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
                width: { ideal: 640 },
                height: { ideal: 480 },
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

    // [{deviceId, label}]; labels are empty until the camera was allowed once.
    async list() {
        if (!navigator.mediaDevices?.enumerateDevices) return [];
        const all = await navigator.mediaDevices.enumerateDevices();
        return all
            .filter((d) => d.kind === 'videoinput' && d.deviceId)
            .map((d, i) => ({ deviceId: d.deviceId, label: d.label || `Camera ${i + 1}` }));
    }

    // Calls back once for the next new picture, never twice for the same one.
    next(callback) {
        const video = this.#video;
        if (video.requestVideoFrameCallback) {
            video.requestVideoFrameCallback(callback);
            return;
        }
        const seen = video.currentTime;
        const look = () =>
            video.currentTime !== seen || !this.running ? callback() : requestAnimationFrame(look);
        requestAnimationFrame(look);
    }
}
