// A small room in a mirror (mirror_row in src/paint/effect.c).

export const glsl = `
uniform float strength, shift;
uniform vec3 face, edgeColor, ground;
uniform vec2 away; // of the nail from the picture's middle: every nail mirrors another part of it

float bandOf(float x, float half_, float soft) {
    return smooth01(clamp01((half_ + soft - abs(x)) / soft));
}
void effect(inout vec3 color) {
    float across = sun.y < 0.0 ? 1.0 : -1.0;
    float wave = valueNoise(vec2(w * 1.1, u * aspect * 0.8) + 20.0 + 5.0 * away.yx, 71u) - 0.5;
    float graze = (1.0 - s.z) * (1.0 - s.z);
    float y = 2.0 * s.z * s.x - 0.5 * sun.x + 0.45 * away.x + 0.24 * wave;
    float angle = s.y * (2.0 + 0.55 * s.y * s.y); // of the reflection: its sine stalls on the flanks
    float x = (angle - sun.y + 0.35 * away.y) * (1.0 + 0.30 * y * y) + 0.22 * wave;
    float end_ = 1.0 - 0.80 * smooth01(clamp01(abs(y) * 1.7 - 0.30));
    float lit_ = bandOf(x, 0.07, 0.26) * end_;
    float other = bandOf(x - 1.20 * across, 0.04, 0.30) * end_;
    float walls = (1.0 - 0.66 * bandOf(x - 0.62 * across, 0.06, 0.55)) *
                  (1.0 - 0.56 * bandOf(x + 0.50 * across, 0.04, 0.46));
    float up = smooth01(clamp01(0.55 + 0.8 * y));
    float far_ = smooth01(clamp01((abs(x) - 0.55) * 0.9));
    float ceiling_ = (0.30 + 0.42 * up) * (1.0 - 0.80 * far_);
    float bright = ceiling_ * walls + 0.90 * lit_ + 0.40 * other + 0.6 * graze;
    float turn = clamp01((1.0 - s.z) * 2.2 + 0.25 * wave) * shift;
    float white = smooth01(clamp01(1.1 * bright - 0.62)) * 0.62;
    vec3 room = bright * light + (1.0 - up) * walls * ground;
    vec3 metal = mix(mix(face, edgeColor, turn), vec3(0.94), white);
    color = mix(color, metal * room * (0.4 + 0.6 * body), strength * seen);
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
