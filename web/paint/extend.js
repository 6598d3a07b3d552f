// Longer nails: coverage beyond the natural tip (same arithmetic as src/paint/extend.c). Only if
// the reply says which end is the tip.

// Half width 1 - taper * t^power; over the last `cap` of t the corner is rounded.
const shapes = {
    square: { taper: 0, power: 1, cap: 0.05, round: 2.5 },
    squoval: { taper: 0.05, power: 2, cap: 0.22, round: 2.6 },
    oval: { taper: 0.1, power: 2, cap: 0.52, round: 2 },
    almond: { taper: 0.48, power: 1.7, cap: 0.38, round: 2 },
    stiletto: { taper: 0.9, power: 1.15, cap: 0.06, round: 2 },
    coffin: { taper: 0.46, power: 1.4, cap: 0.05, round: 3 },
};
const begin = 0.15;
const narrow = 0.72;
const steps = 64;
const widthMin = 4; // minimum width in pixels of a nail that can be extended
const handReach = 12; // distance in nail sizes within which nails belong to one hand

// The shadow on the skin below, in nail widths (lq_extend_shadow).
const shadowReach = 0.12;
const shadowSoft = 0.13;

const hold01 = (x) => Math.min(1, Math.max(0, x));

function halfAt({ taper, power, cap, round }, t) {
    const left = Math.max(1 - hold01((t - 1 + cap) / cap) ** round, 0);
    return (1 - taper * t ** power) * left ** (1 / round);
}

function coverAt({ crop }, x, y) {
    const column = Math.floor((x - crop.x) / crop.scale);
    const row = Math.floor((y - crop.y) / crop.scale);
    const inside = column >= 0 && row >= 0 && column < crop.width && row < crop.height;
    return inside ? crop.cover[row * crop.width + column] / 255 : 0;
}

// From nail coordinates to the reply's pixels.
function placeAt({ center, axis, length, width }, u, w) {
    const along = 0.5 * length * u;
    const across = 0.5 * width * w;
    return [
        center[0] + along * axis[0] - across * axis[1],
        center[1] + along * axis[1] + across * axis[0],
    ];
}

// Mean half width where the extension begins, in nail coordinates.
function measureHalf(nail) {
    let sum = 0;
    for (let k = 0; k < 3; k++)
        for (let i = 0; i < 48; i++)
            sum += coverAt(nail, ...placeAt(nail, begin + 0.08 * k, -1.2 + (2.4 * (i + 0.5)) / 48));
    return (0.5 * 2.4 * sum) / (3 * 48);
}

// Two bytes per sample, the coverage of the natural nail and of the whole one, in a crop of the
// reply's pixels: {x, y, width, height, scale, covers, end}; end is the new tip's u, 1 without
// extension.
export function cropOf(nail, shape, picture) {
    const longer = shapes[shape?.kind] && nail.tipKnown && nail.width >= widthMin;
    const half = longer ? measureHalf(nail) : 0;
    if (half < 0.3) return naturalCrop(nail.crop);
    const end = 1 + 2 * (shape.length ?? 0.4);
    const crop = { ...extentOf(nail, half, end, picture), end };
    const halves = outlineOf(shapes[shape.kind], half);
    crop.covers = drawCovers(nail, crop, halves);
    crop.shadow = { halves, box: shadowBox(nail, half, end) };
    return crop;
}

// The rectangle in which the shadow may fall, in the reply's pixels.
function shadowBox(nail, half, end) {
    const corners = [[0.5, -half], [0.5, half], [end, -half], [end, half]];
    const places = corners.map(([u, w]) => placeAt(nail, u, w));
    const margin = (shadowReach + shadowSoft) * nail.width + 1;
    const [x, y] = [0, 1].map((k) => Math.floor(Math.min(...places.map((p) => p[k])) - margin));
    const [right, bottom] = [0, 1].map((k) => Math.max(...places.map((p) => p[k])) + margin);
    return { x, y, width: Math.ceil(right - x), height: Math.ceil(bottom - y), scale: 1 };
}

// Black with an alpha that darkens the photo, in stored (sRGB) values.
export const shadow = (given) => `${given}
uniform vec2 size;         // of the natural nail in the reply's pixels, halved: along, across
uniform vec2 towards;      // the light, in the reply's pixels
uniform float halves[66];  // half widths from where the outline narrows to its end
uniform vec3 ends;         // the tip's u, steps of the outline per u, softness
uniform float height;      // of a canvas, whose rows run upwards; 0: into a texture
uniform ivec2 toFrame;     // from there to the picture
out vec4 result;
float clamp01(float x) { return clamp(x, 0.0, 1.0); }
void main() {
    vec2 place = vec2(gl_FragCoord.x, abs(height - gl_FragCoord.y)) + vec2(toFrame);
    vec2 key = keyOf(place), nail = nailOf(key + towards);
    float at_ = min(max(nail.x - ${narrow}, 0.0) * ends.y, ${steps}.0);
    int i = int(at_);
    float side = (mix(halves[i], halves[i + 1], fract(at_)) - abs(nail.y)) * size.y;
    float inside = clamp01(0.5 + min(side, (ends.x - nail.x) * size.x) * ends.z);
    float begun = clamp01(2.5 * (nail.x - 0.55)) * (1.0 - coverAt(key).x);
    float dark = inside * inside * (3.0 - 2.0 * inside) * begun * fade;
    result = vec4(vec3(0.0), 0.34 * dark);
}`;

export function shadowUniforms(nail, { end, shadow: { halves } }, light) {
    return {
        size: [nail.length / 2, nail.width / 2],
        towards: light.direction.map((d) => d * shadowReach * nail.width),
        halves,
        ends: [end, steps / (end - narrow), 0.5 / (shadowSoft * nail.width)],
    };
}

// Which nails may be extended: all nails of a hand or none (lq_extend_choose).
export function chooseLonger(nails) {
    const chosen = nails.map((nail) => nail.tipKnown || nail.width < widthMin);
    for (let changed = true; changed; ) {
        changed = false;
        nails.forEach((nail, i) => {
            if (!chosen[i] || !nails.some((other, j) => !chosen[j] && sameHand(nail, other)))
                return;
            chosen[i] = false;
            changed = true;
        });
    }
    return chosen;
}

// The picture's hands, each as the indices of its nails (lq_extend_hands).
export function handsOf(nails) {
    const left = new Set(nails.keys());
    const hands = [];
    for (const start of left) {
        const hand = [start];
        left.delete(start);
        for (let at = 0; at < hand.length; at++)
            for (const other of left)
                if (sameHand(nails[hand[at]], nails[other])) {
                    left.delete(other);
                    hand.push(other);
                }
        hands.push(hand);
    }
    return hands;
}

function sameHand(a, b) {
    const size = Math.sqrt(Math.max(a.length * a.width, b.length * b.width, 1));
    return Math.hypot(a.center[0] - b.center[0], a.center[1] - b.center[1]) < handReach * size;
}

function naturalCrop({ x, y, width, height, scale, cover }) {
    const covers = new Uint8Array(2 * cover.length);
    for (let i = 0; i < cover.length; i++) covers[2 * i] = covers[2 * i + 1] = cover[i];
    return { x, y, width, height, scale, covers, end: 1 };
}

// The larger crop continues the crop's own grid, so that samples keep their positions.
function extentOf(nail, half, end, picture) {
    const { x, y, width, height, scale } = nail.crop;
    const xs = [x, x + width * scale];
    const ys = [y, y + height * scale];
    for (const [u, w] of [[begin, -half], [begin, half], [end, -half], [end, half]]) {
        const [px, py] = placeAt(nail, u, w);
        xs.push(px);
        ys.push(py);
    }
    const margin = 2 + 0.06 * nail.width;
    const edges = (values, from, most) => {
        const low = Math.max(0, Math.min(...values) - margin);
        const high = Math.min(most, Math.max(...values) + margin);
        const least = from - scale * Math.min(Math.ceil((from - low) / scale), from / scale | 0);
        return [least, Math.max(1, Math.floor((high - least) / scale))];
    };
    const [left, columns] = edges(xs, x, picture.width);
    const [top, rows] = edges(ys, y, picture.height);
    return { x: left, y: top, width: columns, height: rows, scale };
}

// Half widths from where the outline narrows to its end, and one more.
function outlineOf(shape, half) {
    const at = (_, i) => half * halfAt(shape, Math.min(i / steps, 1));
    return Array.from({ length: steps + 2 }, at);
}

function drawCovers(nail, crop, halves) {
    const { x: left, y: top, width, height, scale, end } = crop;
    const [ax, ay] = nail.axis;
    const sharpU = (0.5 * nail.length) / scale;
    const sharpW = (0.5 * nail.width) / scale;
    const covers = new Uint8Array(2 * width * height);
    for (let row = 0, at = 0; row < height; row++)
        for (let column = 0; column < width; column++, at += 2) {
            const x = left + (column + 0.5) * scale;
            const y = top + (row + 0.5) * scale;
            const own = Math.round(255 * coverAt(nail, x, y));
            const dx = x - nail.center[0];
            const dy = y - nail.center[1];
            const u = (2 * (dx * ax + dy * ay)) / nail.length;
            const w = (2 * (dy * ax - dx * ay)) / nail.width;
            covers[at] = covers[at + 1] = own;
            if (u < begin || u > end + 1 / sharpU) continue;
            const step = Math.min((Math.max(u - narrow, 0) * steps) / (end - narrow), steps);
            const i = Math.floor(step);
            const side = halves[i] + (halves[i + 1] - halves[i]) * (step - i) - Math.abs(w);
            const cover = hold01(side * sharpW + 0.5) * hold01((end - u) * sharpU + 0.5);
            covers[at + 1] = Math.max(own, Math.floor(255 * cover + 0.5));
        }
    return covers;
}
