// What shiny nails mirror: the frame itself, small and blurred (src/paint/surround.c).

const side = 8; // cells
const perCell = 6; // samples per side of a cell
const reach = 0.32; // offset of the reflected point, in picture heights per radian

// Means of the frame over cells, in linear light.
export const survey = `
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D frame;
out vec4 result;
vec3 toLinear(vec3 c) {
    return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(0.04045, c));
}
void main() {
    ivec2 size = textureSize(frame, 0), first = ivec2(gl_FragCoord.xy) * ${perCell};
    vec3 sum = vec3(0.0);
    for (int j = 0; j < ${perCell}; j++)
        for (int i = 0; i < ${perCell}; i++) {
            ivec2 at = (2 * (first + ivec2(i, j)) + 1) * size / ${2 * side * perCell};
            sum += toLinear(texelFetch(frame, at, 0).rgb);
        }
    result = vec4(sum / ${(perCell * perCell).toFixed(1)}, 1.0);
}`;

// Cells' hues, and in alpha their levels relative to the mean of all.
export const normalise = `
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D cells;
out vec4 result;
float levelAt(ivec2 at) {
    return max(dot(texelFetch(cells, at, 0).rgb, vec3(0.2126, 0.7152, 0.0722)), 0.004);
}
void main() {
    ivec2 here = ivec2(gl_FragCoord.xy);
    float mean = 0.0, own = levelAt(here);
    for (int j = 0; j < ${side}; j++)
        for (int i = 0; i < ${side}; i++) mean += levelAt(ivec2(i, j));
    mean /= ${(side * side).toFixed(1)};
    float level = own / mean;
    vec3 hue = clamp(texelFetch(cells, here, 0).rgb / own, 0.6, 1.6);
    result = vec4(hue, clamp(level * sqrt(level), 0.12, 3.0));
}`;

// Reads hue and level in the direction of a reflection, across the nail and along it.
export const reading = `
uniform sampler2D surround;
uniform vec2 lookAt, lookAcross, lookAlong; // in cells

// Repeats the cells mirrored at the edges, limited to where a sample has four neighbours.
float folded(float cells) {
    float t = 2.0 * fract(cells * ${(0.5 / side).toFixed(4)});
    return clamp((t > 1.0 ? 2.0 - t : t) * ${side.toFixed(1)} - 0.5, 0.0, ${side - 1.001});
}
vec4 mirrored(float across, float along) {
    vec2 cells = lookAt + across * lookAcross + along * lookAlong;
    vec2 p = vec2(folded(cells.x), folded(cells.y));
    ivec2 i = ivec2(p);
    vec2 f = p - vec2(i);
    f = f * f * (3.0 - 2.0 * f);
    vec4 top = mix(texelFetch(surround, i, 0), texelFetch(surround, i + ivec2(1, 0), 0), f.x);
    vec4 low = mix(texelFetch(surround, i + ivec2(0, 1), 0),
                   texelFetch(surround, i + ivec2(1, 1), 0), f.x);
    return mix(top, low, f.y);
}
// Levels at five directions across and three along (lq_glimpse_read).
uniform float lookStep;
float glimpseShare(float off) {
    float t = clamp(1.0 - abs(off), 0.0, 1.0);
    return t * t * (3.0 - 2.0 * t);
}
float glimpse(float across, float along) {
    float x = clamp(across / lookStep, -2.0, 2.0), y = clamp(along, -1.0, 1.0), sum = 0.0;
    for (int i = -2; i <= 2; i++)
        for (int j = -1; j <= 1; j++) {
            float share = glimpseShare(x - float(i)) * glimpseShare(y - float(j));
            if (share > 0.0) sum += share * mirrored(lookStep * float(i), float(j)).a;
        }
    return sum;
}`;

// The uniforms of `reading` for a nail of a picture of that size (lq_outlook_of).
export function outlookOf({ center: [x, y], axis: [ax, ay] }, { width, height }, effect) {
    const across = side / width;
    const down = side / height;
    const far = reach * height;
    return {
        lookAt: [x * across, y * down],
        lookStep: effect === 'chrome' ? 1 : 0.5,
        lookAcross: [-ay * far * across, ax * far * down],
        lookAlong: [ax * far * across, ay * far * down],
    };
}

export { side };
