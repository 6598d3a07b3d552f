// The usual method, kept for comparison: a data URL in JSON, one request per frame.
import { Backoff, whyNot } from './backoff.js';
import { Transport } from './transport.js';

function toDataUrl(blob) {
    return new Promise((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.onerror = () => reject(reader.error);
        reader.readAsDataURL(blob);
    });
}

export function fromDataUrl(url) {
    const [head, body] = url.split(',', 2);
    const text = atob(body);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Blob([bytes], { type: /^data:([^;]+)/.exec(head)?.[1] ?? 'image/jpeg' });
}

// Every request gets its own reply, contains the look and has its own time limit.
export class Base64Transport extends Transport {
    #base;
    #look;
    #abort = null;
    #backoff = new Backoff();
    #timer = 0;
    #ready = false;

    constructor(look, base) {
        super();
        this.#look = look;
        this.#base = base;
    }

    open() {
        this.#abort = new AbortController();
        this.#ready = true;
        this.onstate('open', {});
    }

    close() {
        this.#ready = false;
        clearTimeout(this.#timer);
        this.#abort?.abort();
        this.#abort = null;
    }

    retryNow() {
        if (this.#abort && !this.#ready) this.#again();
    }
    get ready() {
        return this.#ready;
    }

    // The page does not await the promise: the reply arrives through onreply or onerror.
    send(id, jpeg) {
        const bytes = Math.ceil(jpeg.byteLength / 3) * 4;
        this.#request(id, jpeg, this.#abort);
        return bytes;
    }

    #again() {
        clearTimeout(this.#timer);
        this.#ready = true;
        this.onstate('connecting', {});
    }

    async #request(id, jpeg, abort) {
        let reply;
        try {
            const image = await toDataUrl(new Blob([jpeg], { type: 'image/jpeg' }));
            const response = await fetch(new URL('api/process_base64', this.#base), {
                method: 'POST',
                headers: { 'content-type': 'application/json' },
                cache: 'no-store',
                body: JSON.stringify({ image, look: this.#look.served }),
                signal: AbortSignal.any([abort.signal, AbortSignal.timeout(10000)]),
            });
            const text = await response.text();
            if (abort.signal.aborted) return;
            if (response.status === 503 || response.status === 429) {
                this.#lost(id, 'busy', 1000 * (Number(response.headers.get('retry-after')) || 2));
                return;
            }
            reply = JSON.parse(text);
            reply.bytes = text.length;
        } catch {
            if (!abort.signal.aborted) this.#lost(id, await whyNot(this.#base));
            return;
        }
        if (!reply.success) {
            this.onerror({ id, error: reply.error, status: reply.status });
            return;
        }
        this.#backoff.reset();
        this.onstate('open', {});
        this.onreply({
            id,
            jpeg: fromDataUrl(reply.image),
            nails: reply.nails.length,
            server: reply.timing,
            replaced: 0,
            bytes: reply.bytes,
        });
    }

    #lost(id, why, atLeastMs = 0) {
        if (!this.#abort) return;
        this.onerror({ id });
        if (!this.#ready) return;
        this.#ready = false;
        const retryMs = this.#backoff.next(atLeastMs);
        this.#timer = setTimeout(() => this.#again(), retryMs);
        this.onstate(why, { retryMs });
    }
}
