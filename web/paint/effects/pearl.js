// Fine mica whose edges shift to another colour.
import { tinted } from './flakes.js';
import { sheen, sheenUniforms } from './sheen.js';

export const glsl = `${sheen}
void effect(inout vec3 color) { sheen(color); }`;

export function uniforms(coat) {
    const { strength, shift } = coat.number;
    const { pigment, colors } = coat;
    const gain = Math.min(2.5, 0.8 / Math.max(...pigment, 0.15));
    const ice = [0.62, 0.8, 0.94];
    return sheenUniforms([
        {
            keep: 1 - 0.22 * strength,
            tight: 2,
            gain: 0.62 * strength,
            edgeGain: 0.45 * strength * shift,
            streak: 0.16,
            grain: 0.07,
            lobe: colors[0] ?? tinted(pigment, 0.38, gain),
            edge: colors[1] ?? ice.map((c, k) => 0.4 * c + 0.6 * pigment[k]),
        },
    ]);
}
