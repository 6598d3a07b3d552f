// Chooses the engine that detects nails in live pictures: a server, or the device itself. The
// server begins, if there is one. Once the device is ready, both get the same camera frames for two
// seconds, and the one whose nails are more recent on the screen is chosen. A strained device
// (strain.js) must be clearly better, and one whose battery is low is not used. Pure: gets the time
// and the replies as arguments and knows nothing of the page.
import { strainOf, unstrained } from './strain.js';

const raceMs = 2000;
const watchMs = 3000; // period over which the engine in use is judged
const slowed = 2; // times as old as in the comparison: it was slowed by heat or another program
const slowedPressed = 1.3; // … if the browser reports pressure too
const preference = 1.1; // the device is preferred at equal age: nothing is uploaded, nothing is
                        // paid
const preferencePressed = 0.7; // other work must not suffer for a small gain
const retryMsLeast = 30000;
const retryMsMost = 480000;
const deadMs = 1e6; // the age if nothing arrived at all

// The mean age of the nails on the screen between two times, which combines frame rate, latency and
// regularity of the replies in one figure. replies: [{at, taken}] in order; `taken` is the time of
// the detected frame.
export function meanAge(replies, from, to) {
    let sum = 0;
    let at = from;
    let taken = null;
    const pass = (next) => {
        const start = Math.max(at, from);
        // There was nothing yet: as old as the whole period.
        const age = taken === null ? to - from : (start + next) / 2 - taken;
        if (next > start) sum += age * (next - start);
        at = next;
    };
    for (const reply of replies) {
        if (reply.at > to) break;
        if (reply.at > from) pass(reply.at);
        taken = reply.taken;
    }
    pass(to);
    return taken === null ? deadMs : sum / (to - from);
}

// ages: mean ages in ms; pressed: the device's processor has no reserves.
export const faster = ({ server, device }, pressed = false) =>
    device < deadMs && device <= server * (pressed ? preferencePressed : preference)
        ? 'device'
        : 'server';

// Whether an engine's nails are much older than in its comparison.
export const isSlowed = (age, raced, pressed = false) =>
    age >= raced * (pressed ? slowedPressed : slowed);

const other = (engine) => (engine === 'device' ? 'server' : 'device');

export class EngineChoice {
    engine; // 'server' or 'device': whose nails are shown
    #forced;
    #hasServer;
    #sparing;
    #ready = false; // whether the device can detect nails
    #serverGone = false;
    #raceFrom = null; // when both had replied; null: there is no comparison, or it has not begun
    #racing = false;
    #raceAt = Infinity; // when the next comparison begins
    #retryLeast;
    #retryMs;
    #signals = {}; // what the browser reports about the device
    #strain = unstrained;
    #watchFrom = null;
    #ages = { server: deadMs, device: deadMs }; // in the last comparison
    #replies = { server: [], device: [] };

    // forced: 'server', 'device' or null; hasServer: whether there is a server at all; sparing: the
    // user pays for data, or wants to save it; retryMs: when the second comparison begins.
    constructor({
        forced = null,
        hasServer = true,
        sparing = false,
        retryMs = retryMsLeast,
    } = {}) {
        this.#retryLeast = this.#retryMs = retryMs;
        this.#forced = hasServer ? forced : 'device';
        this.#hasServer = hasServer;
        this.#sparing = sparing;
        this.engine = this.#forced ?? 'server';
    }

    // Whether to download the device's runtime.
    get wantsRuntime() {
        if (this.#forced) return this.#forced === 'device';
        return !this.#hasServer || !(this.#sparing || this.#strain.battery);
    }

    // Whether frames go to both.
    get racing() {
        return this.#racing;
    }

    // The device's runtime is loaded and warmed up.
    deviceReady(now) {
        this.#ready = true;
        if (this.#forced) return;
        if (this.#serverGone) {
            this.#use('device', now);
            this.#later(now);
        } else this.#raceAt = now;
    }

    // It is not available, or broke and does not return.
    deviceGone(now) {
        this.#ready = false;
        this.#racing = false;
        if (!this.#forced) this.#use('server', now);
    }

    // Only the next comparison connects to it again.
    serverGone(now) {
        this.#serverGone = true;
        if (this.#forced || !this.#ready) return;
        this.#racing = false;
        if (this.engine === 'server') this.#use('device', now);
        this.#later(now);
    }

    serverBack(now) {
        if (!this.#serverGone) return;
        this.#serverGone = false;
        this.#raceAt = Math.min(this.#raceAt, now + this.#retryMs);
    }

    // The page was hidden, or the camera changed: earlier measurements are void.
    restart(now) {
        this.#replies = { server: [], device: [] };
        this.#watchFrom = null;
        if (this.#racing) this.#startRace(now);
    }

    // The browser reports about the device: {battery} or {pressure} (strain.js).
    sense(signals, now) {
        this.#signals = { ...this.#signals, ...signals };
        this.#strain = strainOf(this.#strain, this.#signals, now);
    }

    // Nails of the frame captured at that time have arrived.
    replied(engine, now, taken) {
        const list = this.#replies[engine];
        list.push({ at: now, taken });
        while (list[0].at < now - 2 * watchMs) list.shift();
        if (engine === this.engine) this.#watchFrom ??= now;
    }

    // Call it a few times a second; returns whether the engine in use has changed.
    tick(now) {
        if (this.#forced) return false;
        this.#strain = strainOf(this.#strain, this.#signals, now);
        if (!this.#ready) return false;
        const before = this.engine;
        if (this.#strain.battery && !this.#serverGone) this.#spare(now);
        else if (this.#racing) this.#race(now);
        else if (now >= this.#raceAt) this.#startRace(now);
        else this.#watch(now);
        return this.engine !== before;
    }

    #startRace(now) {
        this.#racing = true;
        this.#raceFrom = null;
        this.#raceAt = now;
        this.#replies = { server: [], device: [] };
    }

    #race(now) {
        const { server, device } = this.#replies;
        if (this.#raceFrom === null && server.length && device.length) this.#raceFrom = now;
        // An engine that never replies has lost.
        const from = this.#raceFrom ?? this.#raceAt + raceMs;
        if (now - from < raceMs) return;
        this.#ages = {
            server: meanAge(server, now - raceMs, now),
            device: meanAge(device, now - raceMs, now),
        };
        this.#racing = false;
        this.#watchFrom = null;
        this.#use(faster(this.#ages, this.#strain.pressed), now);
        this.#later(now);
    }

    // Whether the engine in use still performs as in the comparison.
    #watch(now) {
        if (this.#watchFrom === null || now - this.#watchFrom < watchMs) return;
        const { engine } = this;
        const instead = other(engine);
        if (instead === 'server' && this.#serverGone) return;
        const age = meanAge(this.#replies[engine], now - watchMs, now);
        const pressed = engine === 'device' && this.#strain.pressed;
        if (!isSlowed(age, this.#ages[engine], pressed)) return;
        // The other one's current performance is unknown; it was slower than this.
        if (age < this.#ages[instead]) {
            this.#raceAt = Math.min(this.#raceAt, now + this.#retryLeast);
            return;
        }
        this.#use(instead, now);
        this.#later(now);
    }

    // The server is used until the battery has recovered; then both are compared.
    #spare(now) {
        if (this.engine === 'device') this.#raceAt = now + this.#retryLeast;
        this.#racing = false;
        this.#use('server', now);
    }

    #use(engine, now) {
        if (engine === this.engine) return;
        this.engine = engine;
        this.#watchFrom = null;
        this.#replies[engine] = [];
    }

    // The next comparison: later each time, so that two equal engines do not alternate.
    #later(now) {
        this.#raceAt = now + this.#retryMs;
        this.#retryMs = Math.min(retryMsMost, 2 * this.#retryMs);
    }
}
