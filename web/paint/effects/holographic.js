// Every flake is a grating: a rainbow around the light (grating_row in
// src/paint/effect_holographic.c).
import { tinted } from './flakes.js';
import { sheen, sheenUniforms } from './sheen.js';

export const glsl = `${sheen}
uniform float gratingScale, orders, strength;

float hump(float phase) {
    float t = phase - floor(phase);
    t = t < 0.5 ? 2.0 * t : 2.0 - 2.0 * t;
    return 0.2 + 0.8 * smooth01(clamp01(1.5 * t - 0.25));
}
vec3 bow(float phase) {
    return vec3(hump(phase), hump(phase - 0.3333), hump(phase - 0.6667));
}
void effect(inout vec3 color) {
    sheen(color);
    uint h = cellHash(ivec2(floor(vec2(w, u * aspect) * gratingScale + 60.0)), 53u);
    float one = part(h, 0, 8), two = part(h, 8, 8), off = offLight(s);
    float calm = 1.0 / (1.0 + blur * gratingScale);
    float phase = orders * (sqrt(off + 0.01) - 0.1) - 0.12;
    float flake = phase + 0.22 * calm * (one - 0.5);
    float share = strength * seen, lit = body * (0.16 + 0.84 * lobe(off, 0.75));
    float even = 0.34 * share * lit * (1.0 - 0.8 * lobe(off, 7.0));
    float grains = 0.95 * share * lit * mix(0.25, two * two * two, calm);
    color = color * (1.0 - 0.38 * share) + (even * bow(phase) + grains * bow(flake)) * light;
}`;

export function uniforms(coat) {
    const { strength, size, shift } = coat.number;
    const under = {
        keep: 0.72,
        tight: 1.8,
        gain: 0.55,
        grain: 0.25,
        lobe: tinted(coat.pigment, 0.35, 1.2),
    };
    return {
        ...sheenUniforms([under]),
        strength,
        gratingScale: Math.min(1 / (0.012 + 0.05 * size), 1 / (1.2 * coat.pixel)),
        orders: 0.6 + 1.4 * shift,
    };
}
