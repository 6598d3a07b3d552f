// Fine, flat flakes, seen as a continuous surface (lq_sheen_lay in src/paint/effect_sheen.c).

export const sheen = `
uniform int sheenCount;
uniform vec4 sheenLight[2]; // keep, tight, gain, edge gain
uniform vec2 sheenBreak[2]; // streak, grain
uniform vec3 sheenLobe[2], sheenEdge[2];

void sheenLayer(int i, inout vec3 color) {
    vec4 l = sheenLight[i];
    float x = w, y = u * aspect, fine = min(0.5 / pixel, 38.0);
    float near = lobe(offLight(s), l.y);
    float stroke = valueNoise(vec2(x * 9.0, y * 0.7) + 40.0, 5u) +
                   0.5 * valueNoise(vec2(x * 21.0, y * 1.1) + 40.0, 6u) - 0.75;
    float grain = valueNoise(vec2(x, y) * fine + 90.0, 7u) - 0.5;
    float broken = 1.0 + sheenBreak[i].x * stroke + sheenBreak[i].y / (1.0 + blur * fine) * grain;
    float lit = body * seen, on = near * l.z * broken * lit, outer = (1.0 - s.z) * l.w * lit;
    color = color * (1.0 - (1.0 - l.x) * seen) + (sheenLobe[i] * on + sheenEdge[i] * outer) * light;
}
void sheen(inout vec3 color) {
    for (int i = 0; i < sheenCount; i++) sheenLayer(i, color);
}`;

// layers: [{keep, tight, gain, edgeGain, streak, grain, lobe, edge}]
export function sheenUniforms(layers) {
    const flat = (size, of) => {
        const out = new Float32Array(2 * size);
        layers.forEach((layer, i) => out.set(of(layer), size * i));
        return out;
    };
    const black = [0, 0, 0];
    return {
        sheenCount: layers.length,
        sheenLight: flat(4, (l) => [l.keep, l.tight, l.gain, l.edgeGain ?? 0]),
        sheenBreak: flat(2, (l) => [l.streak ?? 0, l.grain ?? 0]),
        sheenLobe: flat(3, (l) => l.lobe),
        sheenEdge: flat(3, (l) => l.edge ?? black),
    };
}
