// QR codes (ISO/IEC 18004:2015), byte mode, versions 1 to 15, error correction level M, for a
// phone's camera to read from a screen. At most 412 bytes.

// Versions 1 to 15 at level M: error correction codewords per block, number of shorter blocks,
// their data codewords, number of blocks with one more data codeword (table 9).
const blocks = [
    [10, 1, 16, 0],
    [16, 1, 28, 0],
    [26, 1, 44, 0],
    [18, 2, 32, 0],
    [24, 2, 43, 0],
    [16, 4, 27, 0],
    [18, 4, 31, 0],
    [22, 2, 38, 2],
    [22, 3, 36, 2],
    [26, 4, 43, 1],
    [30, 1, 50, 4],
    [22, 6, 36, 2],
    [22, 8, 37, 1],
    [24, 4, 40, 5],
    [24, 5, 41, 5],
];

// Centres of alignment patterns (annex E).
const centres = [
    [],
    [6, 18],
    [6, 22],
    [6, 26],
    [6, 30],
    [6, 34],
    [6, 22, 38],
    [6, 24, 42],
    [6, 26, 46],
    [6, 28, 50],
    [6, 30, 54],
    [6, 32, 58],
    [6, 34, 62],
    [6, 26, 46, 66],
    [6, 26, 48, 70],
];

// ---- Reed-Solomon over GF(256), x^8 + x^4 + x^3 + x^2 + 1 -------------------------------------

function multiply(a, b) {
    let product = 0;
    for (let bit = 7; bit >= 0; bit--) {
        product = (product << 1) ^ ((product >> 7) * 0x11d);
        if ((b >> bit) & 1) product ^= a;
    }
    return product;
}

function generator(degree) {
    const result = new Uint8Array(degree);
    result[degree - 1] = 1;
    for (let i = 0, root = 1; i < degree; i++, root = multiply(root, 2))
        for (let k = 0; k < degree; k++)
            result[k] = multiply(result[k], root) ^ (k + 1 < degree ? result[k + 1] : 0);
    return result;
}

function correction(data, divisor) {
    const rest = new Uint8Array(divisor.length);
    for (const byte of data) {
        const factor = byte ^ rest[0];
        rest.copyWithin(0, 1);
        rest[rest.length - 1] = 0;
        divisor.forEach((value, i) => (rest[i] ^= multiply(value, factor)));
    }
    return rest;
}

// ---- data -------------------------------------------------------------------------------------

const capacity = ([, short, size, long]) => short * size + long * (size + 1);

function dataWords(bytes, version, count) {
    const bits = [];
    const add = (value, length) => {
        for (let i = length - 1; i >= 0; i--) bits.push((value >> i) & 1);
    };
    add(4, 4);
    add(bytes.length, version < 10 ? 8 : 16);
    for (const byte of bytes) add(byte, 8);
    add(0, Math.min(4, 8 * count - bits.length));
    while (bits.length % 8) bits.push(0);
    for (let pad = 0xec; bits.length < 8 * count; pad ^= 0xec ^ 0x11) add(pad, 8);
    return Uint8Array.from({ length: count }, (_, i) =>
        parseInt(bits.slice(8 * i, 8 * i + 8).join(''), 2),
    );
}

// Interleaves the blocks codeword by codeword, followed by their error correction codewords.
function interleave(data, [degree, short, size, long]) {
    const divisor = generator(degree);
    const parts = [];
    for (let i = 0, at = 0; i < short + long; i++) {
        const length = size + (i >= short);
        parts.push(data.slice(at, at + length));
        at += length;
    }
    const words = [];
    for (const [list, longest] of [
        [parts, size + 1],
        [parts.map((part) => correction(part, divisor)), degree],
    ])
        for (let i = 0; i < longest; i++)
            for (const part of list) if (i < part.length) words.push(part[i]);
    return words;
}

// ---- modules ----------------------------------------------------------------------------------

class Matrix {
    constructor(version) {
        this.version = version;
        this.size = 17 + 4 * version;
        this.dark = Array.from({ length: this.size }, () => new Uint8Array(this.size));
        this.fixed = Array.from({ length: this.size }, () => new Uint8Array(this.size));
    }

    set(x, y, dark) {
        if (x < 0 || y < 0 || x >= this.size || y >= this.size) return;
        this.dark[y][x] = dark ? 1 : 0;
        this.fixed[y][x] = 1;
    }

    // Concentric rings: a module is dark depending on its distance from the centre.
    rings(cx, cy, radius, isDark) {
        for (let y = -radius; y <= radius; y++)
            for (let x = -radius; x <= radius; x++)
                this.set(cx + x, cy + y, isDark(Math.max(Math.abs(x), Math.abs(y))));
    }

    patterns() {
        const { size, version } = this;
        for (let i = 0; i < size; i++) {
            this.set(6, i, i % 2 === 0);
            this.set(i, 6, i % 2 === 0);
        }
        for (const [x, y] of [
            [3, 3],
            [size - 4, 3],
            [3, size - 4],
        ])
            this.rings(x, y, 4, (distance) => distance !== 2 && distance !== 4);
        const places = centres[version - 1];
        const last = places.length - 1;
        places.forEach((x, i) =>
            places.forEach((y, k) => {
                if ((i === 0 && (k === 0 || k === last)) || (i === last && k === 0)) return;
                this.rings(x, y, 2, (distance) => distance !== 1);
            }),
        );
        this.format(0);
        this.versionBits();
    }

    // The format information: level M and the mask, with a BCH code (7.9), in two copies.
    format(mask) {
        let rest = mask;
        for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
        const bits = ((mask << 10) | rest) ^ 0x5412;
        const bit = (i) => (bits >> i) & 1;
        for (let i = 0; i < 8; i++) {
            this.set(8, i < 6 ? i : i + 1, bit(i));
            this.set(this.size - 1 - i, 8, bit(i));
        }
        for (let i = 8; i < 15; i++) {
            this.set(i === 8 ? 7 : 14 - i, 8, bit(i));
            this.set(8, this.size - 15 + i, bit(i));
        }
        this.set(8, this.size - 8, 1);
    }

    versionBits() {
        if (this.version < 7) return;
        let rest = this.version;
        for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
        const bits = (this.version << 12) | rest;
        for (let i = 0; i < 18; i++) {
            const [a, b] = [this.size - 11 + (i % 3), Math.floor(i / 3)];
            this.set(a, b, (bits >> i) & 1);
            this.set(b, a, (bits >> i) & 1);
        }
    }

    // Places bits in two columns at a time from the right, alternately upwards and downwards
    // (7.7.3).
    words(words) {
        let at = 0;
        for (let right = this.size - 1; right > 0; right -= 2) {
            if (right === 6) right = 5;
            for (let step = 0; step < this.size; step++) {
                const upward = ((right + 1) & 2) === 0;
                const y = upward ? this.size - 1 - step : step;
                for (const x of [right, right - 1]) {
                    if (this.fixed[y][x]) continue;
                    this.dark[y][x] =
                        at < 8 * words.length ? (words[at >> 3] >> (7 - (at & 7))) & 1 : 0;
                    at++;
                }
            }
        }
    }

    mask(number) {
        const tests = [
            (x, y) => (x + y) % 2,
            (x, y) => y % 2,
            (x) => x % 3,
            (x, y) => (x + y) % 3,
            (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2,
            (x, y) => ((x * y) % 2) + ((x * y) % 3),
            (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2,
            (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
        ];
        for (let y = 0; y < this.size; y++)
            for (let x = 0; x < this.size; x++)
                if (!this.fixed[y][x] && tests[number](x, y) === 0) this.dark[y][x] ^= 1;
        this.format(number);
    }

    // Penalty score of a symbol: the higher, the harder it is to read (7.8.3).
    penalty() {
        let sum = 0;
        const { size, dark } = this;
        const lines = [...dark, ...dark.map((_, x) => dark.map((row) => row[x]))];
        for (const line of lines) {
            const text = Array.from(line).join('');
            for (const [run] of text.matchAll(/0{5,}|1{5,}/g)) sum += run.length - 2;
            for (const looksLikeFinder of ['10111010000', '00001011101'])
                for (let at = -1; (at = text.indexOf(looksLikeFinder, at + 1)) >= 0;) sum += 40;
        }
        let count = 0;
        for (let y = 0; y < size; y++)
            for (let x = 0; x < size; x++) {
                count += dark[y][x];
                if (
                    x &&
                    y &&
                    new Set([dark[y][x], dark[y - 1][x], dark[y][x - 1], dark[y - 1][x - 1]])
                        .size === 1
                )
                    sum += 3;
            }
        return sum + 10 * Math.floor(Math.abs((20 * count) / (size * size) - 10));
    }
}

// The symbol as rows of 0 (light) and 1 (dark), without its quiet zone of four modules. null if the
// text is too long.
export function qrCode(text) {
    const bytes = new TextEncoder().encode(text);
    const header = (version) => (version < 10 ? 2 : 3); // bytes, rounded up
    const version = 1 + blocks.findIndex((one, i) => capacity(one) >= bytes.length + header(i + 1));
    if (version === 0) return null;
    const layout = blocks[version - 1];
    const words = interleave(dataWords(bytes, version, capacity(layout)), layout);
    let best = null;
    for (let mask = 0; mask < 8; mask++) {
        const symbol = new Matrix(version);
        symbol.patterns();
        symbol.words(words);
        symbol.mask(mask);
        const penalty = symbol.penalty();
        if (!best || penalty < best.penalty) best = { penalty, rows: symbol.dark };
    }
    return best.rows;
}
