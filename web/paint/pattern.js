// Pictures painted on nails (src/paint/pattern.c): linear light with premultiplied alpha, and
// reduced copies for smaller nails.

const linear = new Float32Array(256).map((_, i) => {
    const v = i / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});

// Means of 2x2; an odd last row or column is averaged with itself.
function halve({ width, height, texels }) {
    const half = { width: (width + 1) >> 1, height: (height + 1) >> 1 };
    const out = new Float32Array(4 * half.width * half.height);
    for (let y = 0, to = 0; y < half.height; y++)
        for (let x = 0; x < half.width; x++) {
            const x1 = Math.min(2 * x + 1, width - 1);
            const y1 = Math.min(2 * y + 1, height - 1);
            for (let k = 0; k < 4; k++, to++) {
                const at = (column, row) => texels[4 * (row * width + column) + k];
                out[to] = 0.25 * (at(2 * x, 2 * y) + at(x1, 2 * y) + at(2 * x, y1) + at(x1, y1));
            }
        }
    return { ...half, texels: out };
}

// data URL of a PNG → [{width, height, texels}], each half as large as the one before.
export async function readPattern(url) {
    const bytes = Uint8Array.from(atob(url.split(',')[1]), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const { data } = context.getImageData(0, 0, width, height);
    const texels = new Float32Array(data.length);
    for (let at = 0; at < data.length; at += 4) {
        const alpha = data[at + 3] / 255;
        for (let k = 0; k < 3; k++) texels[at + k] = linear[data[at + k]] * alpha;
        texels[at + 3] = alpha;
    }
    const levels = [{ width, height, texels }];
    while (levels.at(-1).width >= 8 && levels.at(-1).height >= 8) levels.push(halve(levels.at(-1)));
    return levels;
}

// The smallest level that still has a texel for every pixel across.
export function levelFor(levels, width) {
    let level = 0;
    while (level + 1 < levels.length && levels[level + 1].width >= width) level++;
    return levels[level];
}

// How often the pattern's height repeats along a nail as long as `aspect` widths (lq_pattern_span).
export function spanOf([{ width, height }], aspect) {
    const times = (aspect * width) / height;
    return times > 1 ? Math.max(times / 1.15, 1) : Math.min(times * 1.15, 1);
}
