// Brushed foil: a broad highlight, and a tighter one from the flattest flakes.
import { tinted } from './flakes.js';
import { sheen, sheenUniforms } from './sheen.js';

export const glsl = `${sheen}
void effect(inout vec3 color) { sheen(color); }`;

export function uniforms({ pigment, number: { strength } }) {
    const gain = Math.min(2.2, 0.75 / Math.max(...pigment, 0.15));
    return sheenUniforms([
        {
            keep: 1 - 0.62 * strength,
            tight: 1.5,
            gain: 1.15 * strength,
            edgeGain: 0.25 * strength,
            streak: 0.22,
            grain: 0.16,
            lobe: tinted(pigment, 0.06, gain),
            edge: tinted(pigment, 0.25, gain),
        },
        {
            keep: 1,
            tight: 9,
            gain: 0.55 * strength,
            streak: 0.3,
            grain: 0.3,
            lobe: tinted(pigment, 0.3, gain),
        },
    ]);
}
