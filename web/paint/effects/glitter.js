// Hexagons in three layers that shade the polish between them, and dust that only flashes.
import { flakeColors, flakes, flakeUniforms, octaves } from './flakes.js';

export const glsl = `${flakes}
uniform float depth;
void effect(inout vec3 color) {
    color *= 1.0 - depth * seen;
    flakes(color);
}`;

const sizes = [
    { scale: 2.7, weight: 0.95, turn: [0.88, 0.47], share: 1 },
    { scale: 1.7, weight: 0.97, turn: [0.62, -0.78], share: 1 },
    { scale: 1, weight: 1, turn: [0.97, 0.22], share: 0.5 },
];

export function uniforms(coat) {
    const { strength, size, density } = coat.number;
    const cell = 0.07 + 0.22 * size * size + 0.08 * size;
    const flake = {
        radius: 0.46,
        present: 0.35 + 0.65 * density,
        tilt: 0.8,
        tight: 5,
        matt: 0.32,
        vary: 0.7,
        flash: 0.8 + 1.6 * strength,
        pale: 0.25,
    };
    const layers = sizes.flatMap(({ scale, weight, turn, share }, i) => {
        const present = flake.present * share;
        const layer = { ...flake, scale: scale / cell, present, weight, turn, seed: 11 + i };
        return octaves(coat, layer, 2);
    });
    const dust = {
        ...flake,
        scale: 5.2 / cell,
        present: 0.22 * density,
        weight: Math.min(1, Math.max(0, 2 - (1.2 * coat.pixel * 5.2) / cell)),
        tight: 14,
        matt: 0.5,
        flash: flake.flash * 1.5,
        turn: sizes[2].turn,
        seed: 23,
    };
    if (dust.weight > 0) layers.push(...octaves(coat, dust, 1.2));
    return { ...flakeUniforms(layers, flakeColors(coat)), depth: 0.5 * density };
}
