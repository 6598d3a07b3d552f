// Fine flakes that are visible one by one up close.
import { flakeColors, flakes, flakeUniforms, octaves } from './flakes.js';
import { sheen, sheenUniforms } from './sheen.js';

export const glsl = `${sheen}${flakes}
void effect(inout vec3 color) { sheen(color); flakes(color); }`;

export function uniforms(coat) {
    const { strength, size, density } = coat.number;
    const colors = flakeColors(coat);
    const layer = {
        scale: 1 / (0.022 + 0.065 * size),
        radius: 0.4,
        present: 0.2 + 0.5 * density,
        weight: 0.35 + 0.4 * strength,
        tilt: 0.85,
        tight: 11,
        matt: 0.62,
        vary: 0.3,
        flash: 0.5 + 1.6 * strength,
        pale: 0.3,
        turn: [0.83, 0.557],
        seed: 31,
    };
    const larger = {
        ...layer,
        scale: layer.scale * 0.58,
        present: layer.present * 0.22,
        flash: layer.flash * 1.4,
        turn: [0.83, -0.557],
        seed: 37,
    };
    const layers = [...octaves(coat, layer, 1.2), ...octaves(coat, larger, 1.4)];
    const under = {
        keep: 1 - 0.3 * strength,
        tight: 2.4,
        gain: 0.55 * strength,
        grain: 0.5 * strength,
        lobe: colors[0],
    };
    return { ...sheenUniforms([under]), ...flakeUniforms(layers, colors) };
}
