// How long to wait before retrying a server: doubling, with a small random part, so that many pages
// do not return at the same moment.
export class Backoff {
    #ms = 0;
    reset() {
        this.#ms = 0;
    }
    next(atLeastMs = 0) {
        this.#ms = Math.min(8000, this.#ms ? this.#ms * 2 : 500);
        return Math.max(atLeastMs, this.#ms * (0.85 + Math.random() * 0.3));
    }
}

// Why there is no connection: 'gone' (no response at all) or 'busy' (it responds, but admits
// nobody).
export async function whyNot(base) {
    try {
        const reply = await fetch(new URL('readyz', base), {
            cache: 'no-store',
            signal: AbortSignal.timeout(3000),
        });
        return reply.status === 503 ? 'busy' : 'gone';
    } catch {
        return 'gone';
    }
}
