// Looks: what polish is painted. One for all nails, with a look of its own for any finger; a
// second one to compare with. Remembered on this device only.

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

// Emits "change" after every change.
export class Look extends EventTarget {
    #storageKey;
    #fields;
    #fingers = {}; // finger → all fields of its own look

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

    // Fingers that have a look of their own.
    get fingers() {
        return Object.keys(this.#fingers);
    }

    // What a finger wears; null is a nail whose finger is not known.
    of(finger) {
        const { shape } = this.#fields;
        return { ...(this.#fingers[finger] ?? this.#fields), shape };
    }

    // Every polish of the look.
    get all() {
        return [this.#fields, ...Object.values(this.#fingers)];
    }

    // The whole look as the server takes it: the shape is the hand's, and what a finger goes without
    // is said.
    get json() {
        const own = Object.entries(this.#fingers).map(([finger, fields]) => {
            const { shape, ...said } = fields;
            for (const key of ['ombre', 'french', 'pattern'])
                if (this.#fields[key] && !said[key]) said[key] = null;
            return [finger, said];
        });
        return { ...this.#fields, ...(own.length && { fingers: Object.fromEntries(own) }) };
    }

    // Wears a whole look (docs/LOOKS.md), written out in full.
    wear(look) {
        this.#fields = { ...defaults, ...known(look) };
        this.#fingers = {};
        for (const finger of fingers)
            if (look.fingers?.[finger])
                this.#fingers[finger] = { ...defaults, ...known(look.fingers[finger]) };
        this.#changed();
    }

    // For all nails, or for one finger alone.
    set(change, finger = null) {
        if (finger) this.#fingers[finger] = { ...this.of(finger), ...change };
        else Object.assign(this.#fields, change);
        this.#changed();
    }

    // The finger wears what the others wear.
    reset(finger) {
        delete this.#fingers[finger];
        this.#changed();
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

// The look worn, the one beside it, and which of them and which finger the controls change.
// Emits "change" when a look changed, "choice" when another one is to be changed.
export class Wardrobe extends EventTarget {
    main = new Look('lacquer.look');
    second = new Look('lacquer.second', { color: '#1f3a6e', finish: 'gloss' });
    #edited = this.main;
    #finger = null;

    constructor() {
        super();
        for (const look of [this.main, this.second])
            look.addEventListener('change', () => this.dispatchEvent(new Event('change')));
    }

    get finger() {
        return this.#finger;
    }
    get editsSecond() {
        return this.#edited === this.second;
    }
    // The fields that the controls show.
    get fields() {
        return this.#edited.of(this.#finger);
    }
    get ownFingers() {
        return this.#edited.fingers;
    }

    edit({ second = this.editsSecond, finger = this.#finger }) {
        this.#edited = second ? this.second : this.main;
        this.#finger = finger;
        this.dispatchEvent(new Event('choice'));
    }

    set(change) {
        this.#edited.set(change, this.#finger);
    }

    wear(look) {
        this.#edited.wear(look);
    }

    resetFinger() {
        this.#edited.reset(this.#finger);
    }
}
