// Flakes: at most one hexagon per cell (flake_row and lq_flakes_lay in src/paint/effect_flakes.c).

export const layersMax = 8;

export const flakes = `
uniform int layerCount, flakeColorCount;
uniform vec4 flakePlace[${layersMax}]; // scale, radius, present, weight
uniform vec4 flakeLight[${layersMax}]; // tilt, tight, matt, flash
uniform vec2 flakeTint[${layersMax}];  // vary, pale
uniform vec4 flakeTurn[${layersMax}];  // cosine, sine, seed, calm
uniform vec3 flakeColor[4], flakeMean;

void flakeLayer(vec4 place, vec4 shine, vec2 tint, vec4 turn, inout vec3 color) {
    vec2 p = vec2(w, u * aspect) * place.x;
    vec2 q = vec2(p.x * turn.x + p.y * turn.y, p.y * turn.x - p.x * turn.y);
    ivec2 cellAt = ivec2(floor(q));
    uint h = cellHash(cellAt, uint(turn.z));
    float here = part(h, 0, 6) < place.z ? place.w : 0.0;
    float radius = place.y * (0.6 + 0.4 * part(h, 17, 4)), room = 1.0 - 2.0 * radius;
    vec2 jitter = radius + room * vec2(part(h, 6, 4), part(h, 10, 4));
    float tw = 2.0 * part(h, 14, 5) - 1.0, tu = 2.0 * part(h, 19, 5) - 1.0;
    float pick = part(h, 24, 8) * 0.999;
    // Rotation from the tangent of half the angle, which needs no sine.
    float t = tw * 0.6 + tu * 0.4, inverse_ = 1.0 / (1.0 + t * t);
    float c = (1.0 - t * t) * inverse_, n = 2.0 * t * inverse_;
    vec2 a = q - vec2(cellAt) - jitter;
    vec2 b = abs(vec2(a.x * c + a.y * n, a.y * c - a.x * n));
    float edge = max(b.y, 0.8660254 * b.x + 0.5 * b.y);
    float covers = clamp01((radius - edge) / (pixel * place.x) + 0.5) * here * seen;
    float rw = 2.0 * s.z * s.y + tw * shine.x - sun.y;
    float ru = 2.0 * s.z * s.x + tu * shine.x - sun.x;
    float flash = lobe(rw * rw + ru * ru, shine.y) * shine.w;
    float dull = shine.z * (1.0 + tint.x * (2.0 * part(h, 20, 4) - 1.0));
    vec3 own = mix(flakeMean, flakeColor[int(pick * float(flakeColorCount))], turn.w);
    vec3 sent = own * (dull + (1.0 - tint.y) * flash) + tint.y * flash;
    color = mix(color, sent * light * body, covers);
}
void flakes(inout vec3 color) {
    for (int i = 0; i < layerCount; i++)
        flakeLayer(flakePlace[i], flakeLight[i], flakeTint[i], flakeTurn[i], color);
}`;

// In a soft picture flakes blur into one another: they tilt less, have one colour, and fill less of
// their cells.
function calmed(layer, blur) {
    const calm = 1 / (1 + blur * layer.scale);
    const present = 1 + (layer.present - 1) * calm;
    const radius = 0.9 + (layer.radius - 0.9) * calm;
    return {
        ...layer,
        calm,
        present,
        radius,
        weight: (layer.weight * layer.present * (layer.radius / radius) ** 2) / present,
        tilt: layer.tilt * calm,
        vary: (layer.vary ?? 0) * calm,
    };
}

// Flakes that are too small for the picture's pixels are replaced by larger ones, one octave at a
// time, with a cross-fade.
export function octaves(coat, layer, leastPixels) {
    const wanted = leastPixels * coat.pixel * layer.scale;
    const octave = wanted > 1 ? Math.log2(wanted) : 0;
    const whole = Math.floor(octave);
    const far = octave - whole;
    const near = { ...layer, scale: layer.scale * 2 ** -whole, weight: layer.weight * (1 - far) };
    if (far < 0.01) return [calmed(near, coat.blur)];
    const next = {
        ...near,
        scale: near.scale * 0.5,
        seed: layer.seed + 101,
        weight: layer.weight * far,
    };
    return [calmed(near, coat.blur), calmed(next, coat.blur)];
}

export const tinted = (color, white, gain) =>
    color.map((c) => c * gain + (0.94 - c * gain) * white);

// The effect's own colours, or variants of the pigment: as it is, paler, brighter.
export function flakeColors({ colors, pigment }) {
    if (colors.length) return colors;
    const gain = Math.min(3, 0.8 / Math.max(...pigment, 0.12));
    return [
        tinted(pigment, 0, gain),
        tinted(pigment, 0.28, gain),
        tinted(pigment, 0.02, 0.5 * gain),
    ];
}

export function flakeUniforms(layers, colors) {
    const rows = (of, size = 4) => {
        const out = new Float32Array(size * layersMax);
        layers.forEach((layer, i) => out.set(of(layer), size * i));
        return out;
    };
    const table = new Float32Array(12);
    const some = colors.slice(0, 4);
    some.forEach((color, i) => table.set(color, 3 * i));
    return {
        layerCount: layers.length,
        flakeColorCount: some.length,
        flakePlace: rows((l) => [l.scale, l.radius, l.present, l.weight]),
        flakeLight: rows((l) => [l.tilt, l.tight, l.matt, l.flash]),
        flakeTint: rows((l) => [l.vary ?? 0, l.pale ?? 0], 2),
        flakeTurn: rows((l) => [l.turn[0], l.turn[1], l.seed, l.calm]),
        flakeColor: table,
        flakeMean: [0, 1, 2].map((k) => some.reduce((sum, c) => sum + c[k], 0) / some.length),
    };
}
