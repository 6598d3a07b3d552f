// The first passes: split each nail of the photo as src/paint/shade.c does, one rectangle per nail
// in a shared texture. Rows start at the picture's top.

// Shared by every pass over nails: the rectangle's position, the pixel, the photo, the mask.
export const given = `
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D frame;   // the photo, sRGB
uniform sampler2D masks;   // coverage at the time of the reply: natural, with its extension
uniform ivec4 cell;        // this nail's rectangle in the shared textures: x, y, width, height
uniform ivec2 at;          // … and in the photo
uniform vec3 keyX, keyY;   // photo to the reply's pixels, as rows of an affine matrix
uniform ivec4 crop;        // the mask's place in masks, and its size in samples
uniform vec3 cropAt;       // the reply's pixels: left, top, pixels a sample
uniform float fade;        // 1; less for a nail whose track is being lost
uniform vec3 mapU, mapW;   // the reply's pixels to nail coordinates
uniform vec3 fitLow, fitHigh; // shading: 1, u, w and u u, u w, w w
uniform float level, grey; // of the bare nail
uniform float extended;    // 1: a nail made longer

vec3 toLinear(vec3 c) {
    return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(0.04045, c));
}
vec3 photo(ivec2 pixel) {
    ivec2 most = textureSize(frame, 0) - 1;
    return toLinear(texelFetch(frame, clamp(pixel, ivec2(0), most), 0).rgb);
}
vec2 keyOf(vec2 point) {
    vec3 p = vec3(point, 1.0);
    return vec2(dot(keyX, p), dot(keyY, p));
}
vec2 maskAt(ivec2 sampleAt) {
    bool inside = all(greaterThanEqual(sampleAt, ivec2(0))) && all(lessThan(sampleAt, crop.zw));
    return inside ? texelFetch(masks, crop.xy + sampleAt, 0).rg : vec2(0.0);
}
// Coverage of the natural nail and of the whole one.
vec2 coverAt(vec2 key) {
    vec2 s = (key - cropAt.xy) / cropAt.z - 0.5;
    vec2 whole = floor(s + 1e-3), part = max(s - whole, 0.0);
    part *= step(2e-3, part);
    ivec2 i = ivec2(whole);
    vec2 low = mix(maskAt(i), maskAt(i + ivec2(1, 0)), part.x);
    vec2 high = mix(maskAt(i + ivec2(0, 1)), maskAt(i + ivec2(1, 1)), part.x);
    return mix(low, high, part.y) * fade;
}
float brightest(vec3 c) { return max(c.r, max(c.g, c.b)); }
float fitted(vec2 nail) {
    vec2 p = clamp(nail, vec2(-1.5), vec2(1.0, 1.5));
    return exp(dot(fitLow, vec3(1.0, p)) + dot(fitHigh, vec3(p.x * p.x, p.x * p.y, p.y * p.y)));
}
vec2 nailOf(vec2 key) { return vec2(dot(mapU, vec3(key, 1.0)), dot(mapW, vec3(key, 1.0))); }
// The natural tip's own edge must not show on a longer nail: it fades out before it.
float ownOf(float natural, float u) {
    return natural * mix(1.0, clamp((0.66 - u) * 2.5, 0.0, 1.0), extended);
}
`;

const within = `
out vec4 result;
`;

// fit_row: ratio of the photo to the fit, weighted by coverage, and the coverage itself.
export const prepare = `${given}${within}
void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy) - cell.xy + at;
    vec2 key = keyOf(vec2(pixel) + 0.5);
    vec2 cover = coverAt(key), nail = nailOf(key);
    float own = ownOf(cover.x, nail.x), weight = own * own;
    float ratio = clamp(brightest(photo(pixel)) / fitted(nail), 0.3, 1.15);
    result = vec4(weight * ratio + 1e-4, weight + 1e-4, cover.y, 0.0);
}`;

// lq_box_mean in one direction; the rectangle's edge crops the window. radii: for x, y, z, w.
export const boxMean = `
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D planes;
uniform ivec4 cell, radii;
uniform ivec2 along;       // (1, 0) or (0, 1)
${within}
void main() {
    ivec2 here = ivec2(gl_FragCoord.xy);
    int place = along.x * (here.x - cell.x) + along.y * (here.y - cell.y);
    int last = along.x * (cell.z - 1) + along.y * (cell.w - 1);
    int most = max(max(radii.x, radii.y), max(radii.z, radii.w));
    vec4 sum = vec4(0.0), count = vec4(0.0);
    for (int d = -most; d <= most; d++) {
        if (place + d < 0 || place + d > last) continue;
        vec4 in_window = vec4(lessThanEqual(ivec4(abs(d)), radii));
        sum += in_window * texelFetch(planes, here + along * d, 0);
        count += in_window;
    }
    result = sum / count;
}`;

// gleam_row without the highlight's local mean: highlight, base, rim, coverage.
export const gleam = `${given}
uniform sampler2D means;
${within}
void main() {
    ivec2 here = ivec2(gl_FragCoord.xy), pixel = here - cell.xy + at;
    vec2 key = keyOf(vec2(pixel) + 0.5);
    vec4 mean = texelFetch(means, here, 0);
    float t = clamp((mean.z - 0.5) * 2.2, 0.0, 1.0), rim = t * (2.0 - t);
    vec3 c = photo(pixel);
    float bright = brightest(c), dark = min(c.r, min(c.g, c.b));
    float base = fitted(nailOf(key)) * (mean.x / mean.y);
    float byColor = clamp((0.95 - grey) * 5.0, 0.0, 1.0);
    float over = bright - 1.06 * base;
    float white = mix(over, (dark - grey * bright) / (1.05 - grey), byColor);
    float shown = max(min(white, over) - 0.08 * base, 0.0);
    float inside = max((rim - 0.85) * 6.6, 0.0);
    result = vec4(shown * inside, base, rim, coverAt(key).y);
}`;

// The radii of the windows for a nail that many pixels wide.
export function radiiOf(width) {
    const radius = (r) => Math.max(1, Math.min(400, Math.floor(r + 0.5)));
    return {
        base: radius(width * 0.09),
        rim: radius(Math.max(width * 0.05, width > 14 ? 2 : 1)),
        around: radius(width * 0.17),
    };
}
