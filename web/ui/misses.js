// Informs the user once, in one line, which parts of a look could not be painted: accents if
// fingers cannot be told apart, and effects that need to know where a nail's tip is.
import { fingers } from '../look/look.js';

const needsTip = ({ french, ombre, shape }) => Boolean(french || ombre || shape?.length > 0);

// nails: [{finger, tipKnown}]; look: Look. → key of the message, '' if all was applied.
export function missOf(nails, look) {
    if (!nails.length) return '';
    const unknown = nails.filter(({ tipKnown }) => tipKnown === false);
    if (look.all.some(needsTip) && 2 * unknown.length > nails.length) return 'miss.tips';
    const accents = look.own.filter((key) => fingers.includes(key));
    if (!accents.length) return '';
    if (accents.some((key) => nails.some(({ finger }) => finger === key))) return '';
    const nameless = nails.filter(({ finger }) => !finger);
    if (nameless.length >= 2) return 'miss.order';
    return 'miss.finger';
}

const lastsMs = 1200; // a miss must last this long, because one frame alone may fail

export class Misses {
    #notices;
    #words;
    #lookStore;
    #key = '';
    #since = 0;
    #notified = '';

    constructor({ notices, words, lookStore }) {
        this.#notices = notices;
        this.#words = words;
        this.#lookStore = lookStore;
        for (const type of ['change', 'choice'])
            lookStore.addEventListener(type, () => {
                this.#notified = '';
            });
    }

    // Called once per reply. nails: of a scene, or null if the server paints and does not report
    // nails.
    live(nails) {
        const key = nails ? missOf(nails, this.#lookStore.main) : '';
        const now = performance.now();
        if (key !== this.#key) {
            this.#key = key;
            this.#since = now;
        }
        if (!key || now - this.#since > lastsMs) this.#notify(key);
    }

    photo(nails) {
        this.#notify(missOf(nails, this.#lookStore.main));
    }

    #notify(key) {
        const { shown } = this.#notices;
        if (!key && shown.startsWith('miss.')) this.#notices.quiet(shown);
        if (!key || key === this.#notified) return;
        if (shown && !shown.startsWith('miss.') && !shown.startsWith('advice.')) return;
        this.#notified = key;
        this.#notices.notify(this.#words.t(key), { key, forMs: 7000 });
    }
}
