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
// Further keys of a look (docs/LOOKS.md).
const others = ['coats', 'gloss', 'ombre', 'french', 'pattern', 'shape'];

// The key of a nail in a look: its finger, else its number in the video or picture.
export const keyOf = ({ finger, id }) => finger ?? `#${id}`;

const imageOf = ({ pattern }) => pattern?.image ?? pattern;

// Polish without the user's own design: the server does not have designs kept on the device.
export function withoutOwnDesign(fields) {
    if (!isOwnDesign(imageOf(fields))) return fields;
    const { pattern, ...rest } = fields;
    return rest;
}

export const finishName = ({ finish }) => finish?.name ?? finish;

// Keeps only known keys of an untrusted object; the server validates their values.
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

// A finger inherits what it does not set from the hand; null removes a field, and a finger's own
// finish brings its own top coat.
function fingerFields({ shape, gloss, ...hand }, own) {
    const fields = { ...hand, ...(!own.finish && { gloss }), ...own };
    for (const [name, value] of Object.entries(fields)) if (value == null) delete fields[name];
    return fields;
}

// The polish of a finger in a look in the server's format.
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
            /* storage may be blocked: start with the defaults */
        }
    }

    get fields() {
        return { ...this.#fields };
    }

    // Keys of nails that have polish of their own.
    get own() {
        return Object.keys(this.#own);
    }

    // What a nail wears: its own polish, its finger's, or that of all nails (key null).
    of(key, finger = null) {
        const { shape } = this.#fields;
        return { ...(this.#own[key] ?? this.#own[finger] ?? this.#fields), shape };
    }

    // Every polish of the look.
    get all() {
        return [this.#fields, ...Object.values(this.#own)];
    }

    // The whole look in the server's format: the shape is set for the hand, and null marks what a
    // finger does not inherit.
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

    // Whether any nail wears a design kept on this device.
    get hasOwnDesign() {
        return this.all.some((fields) => isOwnDesign(imageOf(fields)));
    }

    // Applies a whole look (docs/LOOKS.md).
    wear(look) {
        this.#fields = { ...defaults, ...known(look) };
        this.#own = {};
        for (const finger of fingers)
            if (look.fingers?.[finger])
                this.#own[finger] = fingerFields(this.#fields, known(look.fingers[finger]));
        this.#changed();
    }

    // Changes all nails, or a single one. A value of undefined removes a field.
    set(change, key = null) {
        if (key) this.#own[key] = { ...this.of(key), ...change };
        else Object.assign(this.#fields, change);
        this.#changed();
    }

    // Removes the nail's own polish, so that it wears what the other nails wear.
    reset(key) {
        delete this.#own[key];
        this.#changed();
    }

    // Numbers of nails have no meaning in another video or picture.
    forgetNumbers() {
        for (const key of this.own) if (key[0] === '#') delete this.#own[key];
    }

    #changed() {
        try {
            localStorage.setItem(this.#storageKey, JSON.stringify(this.json));
        } catch {
            /* storage may be blocked: the look lasts as long as the page */
        }
        this.dispatchEvent(new Event('change'));
    }
}

// The current look, a second one to compare with, and which of the two and which nail the controls
// change. Emits "change" when a look changed, "choice" when the controls change another look or
// nail.
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

    // Key of the nail that the controls change; null: all nails.
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

    // Length and shape always apply to the whole hand.
    setShape(shape) {
        this.#edited.set({ shape });
    }

    // Applies a look to the whole hand.
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
