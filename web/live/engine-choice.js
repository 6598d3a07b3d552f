// Chooses the engine that detects nails in live pictures: a server, or the device itself. The
// server begins, if there is one. Once the device is ready, both get the same camera frames for two
// seconds, and the one whose nails are more recent on the screen is chosen. A strained device
// (strain.js) must be clearly better, and one whose battery is low is not used. Pure: gets the time
// and the replies as arguments and knows nothing of the page.
import { strainOf, unstrained } from './strain.js';

const raceMs = 2000;
const watchMs = 3000; // over which the engine in use is judged
const slowed = 2; // times as old as in the race: it was slowed by heat or another program
const slowedPressed = 1.3; // where the browser says so too
const preference = 1.1; // the device is taken at the same age: nothing is uploaded, nothing is paid
const preferencePressed = 0.7; // what it does beside must not suffer for a little
const retryMsLeast = 30000;
const retryMsMost = 480000;
const deadMs = 1e6; // the age where nothing came at all

// The mean age of the nails on the screen between two times, which combines frame rate, latency and
// regularity of the replies in one figure. replies: [{at, taken}] in order; `taken` is the time of
// the detected frame.
export function meanAge(replies, from, to) {
    let sum = 0;
    let at = from;
    let taken = null;
    const pass = (next) => {
        const start = Math.max(at, from);
        // Nothing was there yet: as old as the whole time.
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

// ages: mean ages in ms; pressed: the device's processor has nothing left.
export const faster = ({ server, device }, pressed = false) =>
    device < deadMs && device <= server * (pressed ? preferencePressed : preference)
        ? 'device'
        : 'server';

// Whether an engine's nails are much older than in its race.
export const isSlowed = (age, raced, pressed = false) =>
    age >= raced * (pressed ? slowedPressed : slowed);

const other = (engine) => (engine === 'device' ? 'server' : 'device');

export class EngineChoice {
    engine; // 'server' or 'device': whose nails are shown
    #forced;
    #hasServer;
    #sparing;
    #ready = false; // the device can
    #serverGone = false;
    #raceFrom = null; // when both had answered; null: no race, or not yet
    #racing = false;
    #raceAt = Infinity; // when the next race begins
    #retryLeast;
    #retryMs;
    #signals = {}; // what the browser says of the device
    #strain = unstrained;
    #watchFrom = null;
    #ages = { server: deadMs, device: deadMs }; // of the last race
    #replies = { server: [], device: [] };

    // forced: 'server', 'device' or null; hasServer: whether there is a server at all; sparing: the
    // reader pays for data, or asked to spare it; retryMs: when the second race begins.
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

    // Whether the device's runtime is to be fetched.
    get wantsRuntime() {
        if (this.#forced) return this.#forced === 'device';
        return !this.#hasServer || !(this.#sparing || this.#strain.battery);
    }

    // Whether frames go to both.
    get racing() {
        return this.#racing;
    }

    // The device's runtime is there and warm.
    deviceReady(now) {
        this.#ready = true;
        if (this.#forced) return;
        if (this.#serverGone) this.#use('device', now);
        else this.#raceAt = now;
    }

    // It cannot be had, or broke and does not come back.
    deviceGone(now) {
        this.#ready = false;
        this.#racing = false;
        if (!this.#forced) this.#use('server', now);
    }

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

    // The page was hidden, the camera changed: what came before says nothing.
    restart(now) {
        this.#replies = { server: [], device: [] };
        this.#watchFrom = null;
        if (this.#racing) this.#startRace(now);
    }

    // The browser says something of the device: {battery} or {pressure} (strain.js).
    sense(signals, now) {
        this.#signals = { ...this.#signals, ...signals };
        this.#strain = strainOf(this.#strain, this.#signals, now);
    }

    // Nails of the frame taken at that time have come.
    replied(engine, now, taken) {
        const list = this.#replies[engine];
        list.push({ at: now, taken });
        while (list[0].at < now - 2 * watchMs) list.shift();
        if (engine === this.engine) this.#watchFrom ??= now;
    }

    // To be called a few times a second; whether another engine is in use from now on.
    tick(now) {
        if (this.#forced) return false;
        this.#strain = strainOf(this.#strain, this.#signals, now);
        if (!this.#ready) return false;
        const before = this.engine;
        if (this.#strain.battery && !this.#serverGone) this.#spare(now);
        else if (this.#racing) this.#race(now);
        else if (now >= this.#raceAt && !this.#serverGone) this.#startRace(now);
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
        // One that never answers has lost.
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

    // Whether the engine in use keeps what it showed in the race.
    #watch(now) {
        if (this.#watchFrom === null || now - this.#watchFrom < watchMs) return;
        const { engine } = this;
        const instead = other(engine);
        if (instead === 'server' && this.#serverGone) return;
        const age = meanAge(this.#replies[engine], now - watchMs, now);
        const pressed = engine === 'device' && this.#strain.pressed;
        if (!isSlowed(age, this.#ages[engine], pressed)) return;
        // What the other can do now is not known; it was slower than this.
        if (age < this.#ages[instead]) {
            this.#raceAt = Math.min(this.#raceAt, now + this.#retryLeast);
            return;
        }
        this.#use(instead, now);
        this.#later(now);
    }

    // The server does it until the battery is well; then they race.
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

    // The next race: later each time, so that two that are alike do not take turns.
    #later(now) {
        this.#raceAt = now + this.#retryMs;
        this.#retryMs = Math.min(retryMsMost, 2 * this.#retryMs);
    }
}
