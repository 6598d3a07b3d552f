// The values of the HUD, measured per frame id with performance.now(), never inferred. One sample
// is a frame that reached the screen.

const keep = 150; // number of samples used for a percentile
const windowMs = 2000; // frames and bytes a second are counted over this

export const parts = [
    ['send', '#8d7f86'],
    ['net', '#6f8fd0'],
    ['queue', '#c9a24b'],
    ['decode', '#5fb3a8'],
    ['prepare', '#86c26a'],
    ['infer', '#e46aa5'],
    ['nails', '#f0946b'],
    ['paint', '#d6455f'],
    ['encode', '#a883d8'],
    ['show', '#e5dcd9'],
];
const serverParts = ['decode', 'prepare', 'infer', 'nails', 'paint', 'encode'];

export function percentile(sorted, p) {
    if (!sorted.length) return NaN;
    return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * p) - 1)];
}

// Rate of events at these times, the last of which may be a while ago.
function perSecond(times, now) {
    const span = times.length > 1 ? Math.max(times.at(-1), now - 250) - times[0] : 0;
    return span > 0 ? ((times.length - 1) / span) * 1000 : 0;
}

const median = (values) =>
    percentile(
        values.sort((a, b) => a - b),
        0.5,
    );

export class Stats {
    #samples = [];
    #sent = [];
    #drawn = []; // times
    lost = 0; // sent, never shown
    shown = 0;

    reset() {
        this.#samples = [];
        this.#sent = [];
        this.#drawn = [];
        this.lost = 0;
        this.shown = 0;
    }

    sent(bytes) {
        this.#sent.push({ at: performance.now(), bytes });
    }

    // A picture went to the screen.
    drawn() {
        this.#drawn.push(performance.now());
    }

    // frame: {start, sent, replied, shown} in ms, bytesUp, bytesDown; server: ms per stage.
    add(frame, server, nails) {
        const total = server.total ?? 0;
        const sample = {
            at: frame.shown,
            latency: frame.shown - frame.start,
            found: nails,
            server: total,
            bytesUp: frame.bytesUp,
            bytesDown: frame.bytesDown,
            send: frame.sent - frame.start,
            net: Math.max(0, frame.replied - frame.sent - total),
            queue: server.queue ?? 0,
            show: frame.shown - frame.replied,
        };
        for (const name of serverParts) sample[name] = server[name] ?? 0;
        this.#samples.push(sample);
        if (this.#samples.length > keep) this.#samples.shift();
        this.shown++;
    }

    // Bytes a second sent over the last two seconds.
    rate() {
        const now = performance.now();
        while (this.#sent.length && now - this.#sent[0].at > windowMs) this.#sent.shift();
        return this.#sent.reduce((sum, s) => sum + s.bytes, 0) / (windowMs / 1000);
    }

    summary() {
        const now = performance.now();
        while (this.#drawn.length && now - this.#drawn[0] > windowMs) this.#drawn.shift();
        const replied = this.#samples.filter((s) => now - s.at <= windowMs).map((s) => s.at);
        const sorted = this.#samples.map((s) => s.latency).sort((a, b) => a - b);
        const of = (name) => median(this.#samples.map((s) => s[name]));
        return {
            fps: perSecond(this.#drawn, now),
            replies: perSecond(replied, now),
            p50: percentile(sorted, 0.5),
            p95: percentile(sorted, 0.95),
            server: of('server'),
            bytesUp: of('bytesUp'),
            bytesDown: of('bytesDown'),
            rate: this.rate(),
            nails: this.#samples.at(-1)?.found ?? 0,
            lost: this.lost,
            count: this.#samples.length,
            parts: Object.fromEntries(parts.map(([name]) => [name, of(name)])),
        };
    }
}
