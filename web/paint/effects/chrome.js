// Mirrors the surroundings (mirror_row in src/paint/effect_chrome.c).

export const glsl = `
uniform float strength, shift;
uniform vec3 face, edgeColor, ground;
uniform vec2 away; // from the picture's middle: every nail mirrors another part of the picture

float bandOf(float x, float half_, float soft) {
    return smooth01(clamp01((half_ + soft - abs(x)) / soft));
}
void effect(inout vec3 color) {
    float wave = valueNoise(vec2(w * 1.1, u * aspect * 0.8) + 20.0 + 7.0 * away.yx, 71u) - 0.5;
    float graze = (1.0 - s.z) * (1.0 - s.z);
    // The reflection's angle instead of its sine, which hardly changes on the flanks.
    float angle = s.y * (2.0 + 0.55 * s.y * s.y);
    float x = angle + 0.30 * wave, y = 2.0 * s.z * s.x + 0.24 * wave;
    vec3 hue = mirrored(0.0, 0.0).rgb;
    float offW = x - sun.y, offU = y - sun.x;
    float across = axis.x * offU - axis.y * offW, down = axis.y * offU + axis.x * offW;
    float lit_ = bandOf(across, 0.09, 0.20) * bandOf(down, 0.30, 0.34);
    float off = across * across + 0.5 * down * down;
    float walls = 1.0 - 0.72 * bandOf(off - 0.42, 0.05, 0.40);
    float far_ = smooth01(clamp01(0.45 * off - 0.35));
    float room = glimpse(x, y) * walls * (1.0 - 0.65 * far_);
    float bright = 0.46 * room + 0.90 * lit_ + 0.6 * graze;
    float turn = clamp01((1.0 - s.z) * 2.2 + 0.25 * wave) * shift;
    float white = smooth01(clamp01(1.1 * bright - 0.62)) * 0.62;
    vec3 sent = (bright - 0.16 * room + 0.16 * room * hue) * light + far_ * ground;
    vec3 metal = mix(mix(face, edgeColor, turn), vec3(0.94), white);
    color = mix(color, metal * sent * (0.4 + 0.6 * body), strength * seen);
}`;

export function uniforms(coat) {
    const { strength, shift } = coat.number;
    const own = coat.colors[0] ?? coat.pigment;
    const gain = 0.92 / Math.max(...own, 0.25);
    const face = own.map((c) => c * gain + (0.92 - c * gain) * 0.08);
    return {
        strength,
        shift,
        away: coat.away,
        face,
        edgeColor: coat.colors[1] ?? [face[1], face[2], face[0]],
        ground: coat.bed.map((c) => 0.5 * c),
    };
}
