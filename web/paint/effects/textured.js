// Sand under the polish (relief_row in src/paint/effect_textured.c), with grains that glint.
import { flakes, flakeUniforms, octaves, tinted } from './flakes.js';

export const glsl = `${flakes}
uniform float reliefScale, strength;

void effect(inout vec3 color) {
    // Turned, so that no cell lies along the nail.
    mat2 turned = mat2(0.8, 0.6, -0.6, 0.8);
    vec2 towards = turned * (0.45 * sun.yx / (length(sun) + 0.05));
    vec2 p = turned * (vec2(w, u * aspect) * reliefScale) + 90.0;
    float here = valueNoise(p, 131u), there = valueNoise(p + towards, 131u);
    float fine = valueNoise(p * 2.3, 132u);
    float relief = (here - there) * 1.9 + 0.45 * (here - 0.5) + 0.35 * (fine - 0.5);
    color *= max(1.0 + strength * seen * relief, 0.15);
    flakes(color);
}`;

export function uniforms(coat) {
    const { strength, size } = coat.number;
    const cell = 0.03 + 0.11 * size;
    const sugar = {
        scale: 1.3 / cell,
        radius: 0.38,
        present: 0.3,
        weight: 0.75 * strength,
        tilt: 1,
        tight: 14,
        matt: 0.8,
        flash: 1.6,
        pale: 0.5,
        turn: [0.9, 0.436],
        seed: 151,
    };
    const reliefScale = Math.min(1 / cell, 0.5 / coat.pixel);
    return {
        ...flakeUniforms(octaves(coat, sugar, 1.6), [tinted(coat.pigment, 0.18, 1.15)]),
        strength: strength / (1 + coat.blur * reliefScale),
        reliefScale,
    };
}
