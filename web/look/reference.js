// Reads the polish of a manicure from a picture: each nail's colour as a swatch, and an estimate of
// its finish from highlights and grain. Pure: gets pixels and nails and knows nothing of the page.
import { fingersWorn } from './accents.js';
import { labOfLinear } from './palette.js';

const whitest = 0.94; // as in film.js: no polish reflects all light
const gain = 1.05; // of a film's middle tones relative to its pigment: the film is curved towards
                   // the light
const haze = 0.03; // reflection of the room by a clear film (src/paint/surround.h) …
const matteHaze = 0.0045; // … and by a matte one
const alike = 6; // Delta E below which two nails count as wearing the same polish

const linear = Float32Array.from({ length: 256 }, (_, i) => {
    const v = i / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});

const luminance = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

function hexOf(rgb) {
    const stored = (v) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
    return `#${rgb
        .map((v) => Math.round(255 * stored(Math.min(1, Math.max(0, v)))))
        .map((v) => v.toString(16).padStart(2, '0'))
        .join('')}`;
}

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
const median = (values) =>
    at(
        [...values].sort((a, b) => a - b),
        0.5,
    );

// The fully covered pixels away from the rim, where light falls off: linear colour, luminance, and
// grain.
function bodyOf({ data, width, height }, nail) {
    const pixels = [];
    const [ax, ay] = nail.axis;
    const read = (x, y) => {
        const from = 4 * (y * width + x);
        return [linear[data[from]], linear[data[from + 1]], linear[data[from + 2]]];
    };
    const { crop } = nail;
    for (let row = 0; row < crop.height; row++)
        for (let column = 0; column < crop.width; column++) {
            if (crop.cover[row * crop.width + column] < 250) continue;
            const x = Math.round(crop.x + (column + 0.5) * crop.scale - 0.5);
            const y = Math.round(crop.y + (row + 0.5) * crop.scale - 0.5);
            if (x < 1 || y < 1 || x >= width - 1 || y >= height - 1) continue;
            const dx = x + 0.5 - nail.center[0];
            const dy = y + 0.5 - nail.center[1];
            const u = (2 * (dx * ax + dy * ay)) / nail.length;
            const w = (2 * (dy * ax - dx * ay)) / nail.width;
            if (Math.abs(u) > 0.72 || Math.abs(w) > 0.68) continue;
            const rgb = read(x, y);
            const around = [read(x - 1, y), read(x + 1, y), read(x, y - 1), read(x, y + 1)];
            const mean = around.reduce((sum, each) => sum + luminance(each), 0) / 4;
            pixels.push({ rgb, y: luminance(rgb), grain: Math.abs(luminance(rgb) - mean) });
        }
    return pixels;
}

// The most colourful third: flakes that mirror the room are pale.
function colourful(pixels) {
    const paleness = ({ rgb }) => Math.min(...rgb) / Math.max(1e-4, ...rgb);
    const sorted = [...pixels].sort((a, b) => paleness(a) - paleness(b));
    return sorted.slice(0, Math.max(4, Math.ceil(sorted.length / 3)));
}

// The colour without highlights: the median of the middle half by brightness.
function bodyColor(pixels, grainy = false) {
    const sorted = [...pixels].sort((a, b) => a.y - b.y);
    const middle = sorted.slice(Math.floor(0.2 * sorted.length), Math.ceil(0.7 * sorted.length));
    const read = grainy ? colourful(middle) : middle;
    const color = [0, 1, 2].map((k) => median(read.map(({ rgb }) => rgb[k])));
    if (!grainy) return color;
    // Scaled to the brightness that the flakes give the whole nail.
    const brighter = at(sorted, 0.7).y / Math.max(1e-4, luminance(color));
    return color.map((v) => v * brighter);
}

// Chooses the finish by how far the brightest parts exceed the body colour, and by grain.
function finishOf(pixels, color, exposure) {
    const body = luminance(color);
    const sorted = pixels.map(({ y }) => y).sort((a, b) => a - b);
    const peak = (at(sorted, 0.985) - body) / exposure;
    const grain = median(pixels.map((pixel) => pixel.grain)) / Math.max(0.03, body);
    const spread = (at(sorted, 0.9) - at(sorted, 0.1)) / Math.max(0.05, body);
    if (grain > 0.13) return 'glitter';
    if (grain > 0.05) return 'shimmer';
    if (spread > 1.5 && peak > 0.25) return 'chrome';
    if (peak > 0.2) return 'gloss';
    if (peak > 0.05) return 'creme';
    return 'matte';
}

// image: ImageData of the scene's size; scene: from readNails, with width and height. → [{finger,
// color: "#rrggbb", finish}], one for each nail that is large enough.
export function readManicure(image, scene) {
    const worn = fingersWorn(scene.nails);
    const { exposure } = scene.light;
    const light = scene.light.tint.map((tint) => tint * exposure * whitest * gain);
    const read = [];
    scene.nails.forEach((nail, i) => {
        const pixels = bodyOf(image, nail);
        if (pixels.length < 12) return;
        const finish = finishOf(pixels, bodyColor(pixels), exposure);
        const color = bodyColor(pixels, finish === 'glitter');
        const veil = finish === 'matte' ? matteHaze : haze;
        const swatch = color.map((v, k) => Math.min(1, Math.max(0, v / light[k] - veil)));
        read.push({ finger: worn[i], color: hexOf(swatch), lab: labOfLinear(swatch), finish });
    });
    return read;
}

const apart = (a, b) => Math.hypot(...a.lab.map((v, k) => v - b.lab[k]));

// The look that those nails wear: the most common polish for the hand, accents for fingers that
// differ. null if there are no nails.
export function lookOf(nails) {
    if (!nails.length) return null;
    const like = (nail) => nails.filter((other) => apart(nail, other) < alike);
    const common = [...nails].sort((a, b) => like(b).length - like(a).length)[0];
    const crowd = like(common);
    const [L, a, b] = [0, 1, 2].map((k) => median(crowd.map(({ lab }) => lab[k])));
    const nearest = [...crowd].sort(
        (one, two) => apart(one, { lab: [L, a, b] }) - apart(two, { lab: [L, a, b] }),
    )[0];
    const votes = (finish) => crowd.filter((nail) => nail.finish === finish).length;
    const finish = [...crowd].sort((one, two) => votes(two.finish) - votes(one.finish))[0].finish;
    const fingers = {};
    for (const nail of nails)
        if (nail.finger && apart(nail, nearest) >= 2 * alike)
            fingers[nail.finger] = { color: nail.color, finish: nail.finish };
    const look = { color: nearest.color, finish };
    return Object.keys(fingers).length ? { ...look, fingers } : look;
}
