// Converts a look to a short text for addresses, and back: "?look=valentine" for one of the
// catalogue, "?look=c*5a1118~f'gloss~n(R(c*d4af37))" for any other. It uses only characters that
// need no escaping in a query. Keys are shortened by the table below; a value's first character
// gives its kind.
import { fingers, parseHex } from '../look/look.js';

const keys = {
    color: 'c',
    finish: 'f',
    texture: 't',
    opacity: 'o',
    sheen: 's',
    coats: 'k',
    gloss: 'g',
    ombre: 'm',
    french: 'r',
    pattern: 'p',
    shape: 'h',
    fingers: 'n',
    thumb: 'T',
    index: 'I',
    middle: 'M',
    ring: 'R',
    little: 'L',
    name: 'a',
    image: 'i',
    length: 'l',
    kind: 'd',
    width: 'w',
    from: 'b',
    to: 'e',
    curve: 'v',
    colors: 'z',
};
const longKeys = Object.fromEntries(Object.entries(keys).map(([long, short]) => [short, long]));
const usual = { finish: 'creme', texture: 0.5, sheen: true, opacity: 1 };
const charactersMax = 2000;

// ---- writing -----------------------------------------------------------------------------------

function spellObject(object) {
    return Object.entries(object)
        .map(([key, value]) => [keys[key] ?? key, spell(value)])
        .filter(([, text]) => text !== null)
        .map(([key, text]) => key + text)
        .join('~');
}

// Returns null for values that an address cannot express, such as the user's own design.
function spell(value) {
    if (value === null) return '!n';
    if (typeof value === 'boolean') return value ? '!1' : '!0';
    if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
    if (Array.isArray(value)) return `(${value.map(spell).join('~')})`;
    if (typeof value === 'object') return `(${spellObject(value)})`;
    if (parseHex(value)) return `*${value.slice(1)}`;
    return /^[a-z0-9-]+$/i.test(value) ? `'${value}` : null;
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// The fields in which a finger differs from the hand; null removes a field of the hand.
function ownOf(finger, hand) {
    const own = {};
    for (const key of new Set([...Object.keys(finger), ...Object.keys(hand)])) {
        if (key === 'shape' || key === 'fingers' || same(finger[key], hand[key])) continue;
        own[key] = finger[key] ?? null;
    }
    return own;
}

// look: as Look.json gives it; named: the catalogue's looks.
export function writeLook(look, named = []) {
    const known = named.find((one) => same(sorted(one.look), sorted(look)));
    if (known) return known.name;
    const { fingers: own = {}, ...hand } = look;
    const said = Object.entries(hand).filter(([key, value]) => !same(value, usual[key]));
    const changed = Object.entries(own).map(([name, fields]) => [name, ownOf(fields, hand)]);
    if (changed.length) said.push(['fingers', Object.fromEntries(changed)]);
    return spellObject(Object.fromEntries(said));
}

function sorted(value) {
    if (!value || typeof value !== 'object' || Array.isArray(value)) return value;
    return Object.fromEntries(
        Object.keys(value)
            .sort()
            .filter((key) => value[key] !== undefined)
            .map((key) => [key, sorted(value[key])]),
    );
}

// ---- reading -----------------------------------------------------------------------------------

class Reader {
    #at = 0;

    constructor(text) {
        this.text = text;
    }

    get done() {
        return this.#at >= this.text.length;
    }

    #take(pattern) {
        pattern.lastIndex = this.#at;
        const found = pattern.exec(this.text);
        if (!found) throw new Error(`no look: character ${this.#at + 1}`);
        this.#at = pattern.lastIndex;
        return found[0];
    }

    // Reads items up to a closing bracket, or to the end at the top level.
    object(depth) {
        const object = {};
        do {
            const key = this.#take(/[A-Za-z]+?(?=[*'!(\d-])/y);
            object[longKeys[key] ?? key] = this.value(depth);
        } while (this.#next('~'));
        return object;
    }

    #array(depth) {
        const array = [];
        do array.push(this.value(depth));
        while (this.#next('~'));
        return array;
    }

    #next(character) {
        if (this.text[this.#at] !== character) return false;
        this.#at++;
        return true;
    }

    value(depth) {
        if (depth > 4) throw new Error('no look: too deep');
        const kind = this.text[this.#at];
        if (kind === '*') return `#${this.#take(/\*[0-9a-f]{6}/y).slice(1)}`;
        if (kind === "'") return this.#take(/'[a-z0-9-]+/iy).slice(1);
        if (kind === '!') return { '!1': true, '!0': false, '!n': null }[this.#take(/![10n]/y)];
        if (kind !== '(') return Number(this.#take(/-?\d+(\.\d+)?/y));
        this.#at++;
        const isObject = /[A-Za-z]/.test(this.text[this.#at] ?? '');
        const inner = isObject ? this.object(depth + 1) : this.#array(depth + 1);
        this.#take(/\)/y);
        return inner;
    }
}

// Rules for the values of a look (docs/LOOKS.md); other values are left out.
const between = (least, most) => (v) => Number.isFinite(v) && v >= least && v <= most;
const unit = between(0, 1);
const hex = (v) => typeof v === 'string' && parseHex(v) !== null;
const among = (list) => (v) => list.includes(v);
const shapes = ['natural', 'square', 'squoval', 'oval', 'almond', 'stiletto', 'coffin'];

function rulesOf({ finishes, patterns }) {
    const finish = {
        name: among(finishes),
        strength: unit,
        size: unit,
        density: unit,
        shift: unit,
        width: unit,
        offset: unit,
        angle: between(-90, 90),
        colors: (v) => Array.isArray(v) && v.length <= 4 && v.every(hex),
    };
    const pattern = { image: among(patterns.map(({ name }) => name)), opacity: unit };
    const polish = {
        color: hex,
        texture: unit,
        opacity: unit,
        gloss: unit,
        coats: among([1, 2, 3, 4]),
        sheen: (v) => typeof v === 'boolean',
        finish: [finish, 'name'],
        pattern: [pattern, 'image'],
        ombre: [{ color: hex, from: unit, to: unit }, 'color'],
        french: [
            {
                color: hex,
                width: unit,
                curve: unit,
                shape: among(['smile', 'straight', 'chevron', 'diagonal']),
            },
            'color',
        ],
    };
    const own = Object.fromEntries(fingers.map((name) => [name, [polish, null]]));
    return {
        ...polish,
        shape: [{ kind: among(shapes), length: unit }, 'kind'],
        fingers: [own, null],
    };
}

const takenAway = ['ombre', 'french', 'pattern', 'gloss'];

// Keeps only what the rules allow. A rule is a test, or [rules, key]: an object that must contain
// the key, and that the key's bare value may replace. lost: collects the keys left out.
function keep(object, rules, lost) {
    const kept = {};
    for (const [key, value] of Object.entries(object)) {
        const rule = Object.hasOwn(rules, key) ? rules[key] : () => false;
        const good =
            (value === null && takenAway.includes(key)) ||
            (typeof rule === 'function' ? rule(value) : keepInner(value, rule, kept, key, lost));
        if (!good) lost.push(key);
        else if (typeof rule === 'function' || value === null) kept[key] = value;
    }
    return kept;
}

function keepInner(value, [rules, needed], kept, key, lost) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
        if (!needed || !rules[needed](value)) return false;
        kept[key] = value;
        return true;
    }
    const inner = keep(value, rules, lost);
    if (needed && !(needed in inner)) return false;
    kept[key] = inner;
    return true;
}

// → {look, lost: its keys that are not known here}, or null if the text contains no look.
export function readLook(text, catalogue) {
    const named = catalogue.looks.find(({ name }) => name === text);
    if (named) return { look: named.look, lost: [] };
    if (!text || text.length > charactersMax) return null;
    try {
        const reader = new Reader(text);
        const said = reader.object(0);
        if (!reader.done) return null;
        const lost = [];
        const look = keep(said, rulesOf(catalogue), lost);
        return Object.keys(look).length ? { look, lost } : null;
    } catch {
        return null;
    }
}

// The address of a page with this look, without parameters that the look replaces and without
// tokens.
export function linkTo(page, look, named) {
    const url = new URL(page);
    for (const name of ['look', 'second', 'token']) url.searchParams.delete(name);
    url.hash = '';
    const rest = url.searchParams.toString();
    return `${url.origin}${url.pathname}?${rest ? `${rest}&` : ''}look=${writeLook(look, named)}`;
}
