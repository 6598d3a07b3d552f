// Looks: the polish to paint. One for all nails, with separate polish for any finger, or for a nail
// whose finger is not known; and a second look to compare with. Stored only on this device.

import { isOwnDesign } from './designs.js';

export const fingers = ['thumb', 'index', 'middle', 'ring', 'little'];

// "c71585", "#f0a", "#C71585" → "#rrggbb"; anything else → null.
export function parseHex(text) {
    const m = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim());
    if (!m) return null;
    const hex = m[1].toLowerCase();
    return '#' + (hex.length === 3 ? [...hex].map((c) => c + c).join('') : hex);
}

const defaults = { color: '#c71585', finish: 'creme', texture: 0.5, sheen: true, opacity: 1 };
// Keys of a look (docs/LOOKS.md) beside those.
const others = ['coats', 'gloss', 'ombre', 'french', 'pattern', 'shape'];

// How a nail is called in a look: by its finger, else by its number in the video or picture.
export const keyOf = ({ finger, id }) => finger ?? `#${id}`;

const imageOf = ({ pattern }) => pattern?.image ?? pattern;

// Polish as the server can take it: it knows nothing of designs kept on the device.
export function withoutOwnDesign(fields) {
    if (!isOwnDesign(imageOf(fields))) return fields;
    const { pattern, ...rest } = fields;
    return rest;
}

export const finishName = ({ finish }) => finish?.name ?? finish;

// Of a foreign object only keys that we know; the server judges their values.
function known(object) {
    const fields = {};
    for (const name of [...Object.keys(defaults), ...others])
        if (object?.[name] !== undefined) fields[name] = object[name];
    if (!parseHex(String(fields.color))) delete fields.color;
    if (!finishName(fields)) delete fields.finish;
    for (const name of ['texture', 'opacity'])
        if (!Number.isFinite(fields[name])) delete fields[name];
    return fields;
}

// What a finger leaves out is as the hand's; null takes it away, and a finish brings its own top
// coat.
function fingerFields({ shape, gloss, ...hand }, own) {
    const fields = { ...hand, ...(!own.finish && { gloss }), ...own };
    for (const [name, value] of Object.entries(fields)) if (value == null) delete fields[name];
    return fields;
}

// What a finger wears in a look as the server has it.
export function fingerPolish(look, finger) {
    const { fingers: own, ...hand } = look;
    return own?.[finger] ? fingerFields(hand, own[finger]) : hand;
}

// Emits "change" after every change.
export class Look extends EventTarget {
    #storageKey;
    #fields;
    #own = {}; // key of a nail → all fields of its own polish

    constructor(storageKey, own = {}) {
        super();
        this.#storageKey = storageKey;
        this.#fields = { ...defaults, ...own };
        try {
            const saved = JSON.parse(localStorage.getItem(storageKey) ?? 'null');
            if (saved) this.wear({ ...this.#fields, ...saved });
        } catch {
            /* storage may be blocked: the defaults do */
        }
    }

    get fields() {
        return { ...this.#fields };
    }

    // Keys of nails that have polish of their own.
    get own() {
        return Object.keys(this.#own);
    }

    // What a nail wears: its own, its finger's, or what all wear. null is all of them.
    of(key, finger = null) {
        const { shape } = this.#fields;
        return { ...(this.#own[key] ?? this.#own[finger] ?? this.#fields), shape };
    }

    // Every polish of the look.
    get all() {
        return [this.#fields, ...Object.values(this.#own)];
    }

    // The whole look as the server takes it: the shape is the hand's, and what a finger goes
    // without is said.
    get json() {
        const known = Object.entries(this.#own).filter(([key]) => fingers.includes(key));
        const own = known.map(([finger, fields]) => {
            const { shape, ...said } = fields;
            for (const key of ['ombre', 'french', 'pattern'])
                if (this.#fields[key] && !said[key]) said[key] = null;
            return [finger, said];
        });
        return { ...this.#fields, ...(own.length && { fingers: Object.fromEntries(own) }) };
    }

    // The same, without what the server does not know.
    get served() {
        const { fingers: own, ...hand } = this.json;
        if (!own) return withoutOwnDesign(hand);
        const served = Object.entries(own).map(([key, fields]) => [key, withoutOwnDesign(fields)]);
        return { ...withoutOwnDesign(hand), fingers: Object.fromEntries(served) };
    }

    // Whether a nail wears a design kept on this device.
    get hasOwnDesign() {
        return this.all.some((fields) => isOwnDesign(imageOf(fields)));
    }

    // Wears a whole look (docs/LOOKS.md).
    wear(look) {
        this.#fields = { ...defaults, ...known(look) };
        this.#own = {};
        for (const finger of fingers)
            if (look.fingers?.[finger])
                this.#own[finger] = fingerFields(this.#fields, known(look.fingers[finger]));
        this.#changed();
    }

    // For all nails, or for one alone. A value of undefined takes a field away.
    set(change, key = null) {
        if (key) this.#own[key] = { ...this.of(key), ...change };
        else Object.assign(this.#fields, change);
        this.#changed();
    }

    // The nail wears what the others wear.
    reset(key) {
        delete this.#own[key];
        this.#changed();
    }

    // Numbers of nails mean nothing in another video or picture.
    forgetNumbers() {
        for (const key of this.own) if (key[0] === '#') delete this.#own[key];
    }

    #changed() {
        try {
            localStorage.setItem(this.#storageKey, JSON.stringify(this.json));
        } catch {
            /* not remembered */
        }
        this.dispatchEvent(new Event('change'));
    }
}

// The look worn, the one beside it, and which of them and which nail the controls change.
// Emits "change" when a look changed, "choice" when another one is to be changed.
export class LookStore extends EventTarget {
    main = new Look('lacquer.look');
    second = new Look('lacquer.second', { color: '#1f4fb5', finish: 'gloss' });
    #edited = this.main;
    #nail = null;

    constructor() {
        super();
        for (const look of [this.main, this.second])
            look.addEventListener('change', () => this.dispatchEvent(new Event('change')));
    }

    // Key of the nail that the controls change; null: all of them.
    get nail() {
        return this.#nail;
    }
    get editsSecond() {
        return this.#edited === this.second;
    }
    // The fields that the controls show.
    get fields() {
        return this.#edited.of(this.#nail);
    }
    get own() {
        return this.#edited.own;
    }
    get json() {
        return this.#edited.json;
    }
    polishOf(key) {
        return this.#edited.of(key);
    }

    edit({ second = this.editsSecond, nail = this.#nail }) {
        this.#edited = second ? this.second : this.main;
        this.#nail = nail;
        this.dispatchEvent(new Event('choice'));
    }

    set(change) {
        this.#edited.set(change, this.#nail);
    }

    // A nail's length and shape are the whole hand's.
    setShape(shape) {
        this.#edited.set({ shape });
    }

    // The whole hand wears it.
    wear(look) {
        this.#nail = null;
        this.#edited.wear(look);
        this.dispatchEvent(new Event('choice'));
    }

    resetNail() {
        this.#edited.reset(this.#nail);
    }

    forgetNumbers() {
        for (const look of [this.main, this.second]) look.forgetNumbers();
        if (this.#nail?.[0] === '#') this.edit({ nail: null });
    }
}
