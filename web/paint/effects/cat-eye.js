// Flakes turned upright by a magnet: a band below the surface (magnet_row in
// src/paint/effect_cat_eye.c).

export const glsl = `
uniform float strength, inverseWidth, bandAt, shift;
uniform vec2 turn;
uniform vec3 core, flank;

void effect(inout vec3 color) {
    // Small nails show the band, not the flakes in it.
    float fine = min(0.5 / pixel, 34.0), rough = 0.9 * fine / 34.0 / (1.0 + blur * fine);
    float x = w * turn.x - u * aspect * turn.y, y = w * turn.y + u * aspect * turn.x;
    // The band lies below the surface, so it is slightly curved and offset against the light.
    float t = x - bandAt - 0.05 * y * y + 0.22 * sun.y;
    float grain = valueNoise(vec2(w, u * aspect) * fine + 70.0, 91u) - 0.5;
    float soft = valueNoise(vec2(w * 3.0, u * aspect * 1.5) + 30.0, 92u) - 0.5;
    float d = t * inverseWidth * (1.0 + 0.25 * soft);
    float middle = lobe(d * d, 1.0), glow = 1.0 / (1.0 + 0.22 * d * d);
    float ends = 1.0 - 0.30 * u * u, share = strength * seen;
    float lit_ = body * (1.0 + rough * grain * glow);
    float dark = 1.0 - share * (0.80 - 0.55 * glow);
    float leans = shift * clamp01(1.0 - middle * 1.4);
    float on = share * lit_ * (0.85 * middle * ends + 0.16 * glow);
    color = color * dark + mix(core, flank, leans) * on * light;
}`;

export function uniforms(coat) {
    const { strength, width, offset, shift } = coat.number;
    const { pigment, colors } = coat;
    const gain = Math.min(6, 0.85 / Math.max(...pigment, 0.1));
    return {
        strength,
        shift,
        turn: coat.turn,
        inverseWidth: 1 / (0.07 + 0.45 * width),
        bandAt: 1.6 * (offset - 0.5),
        core: colors[0] ?? pigment.map((c) => c * gain + (0.94 - c * gain) * 0.22),
        flank: colors[1] ?? [1, 2, 0].map((k) => pigment[k] * gain),
    };
}
