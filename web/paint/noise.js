// Noise that is fixed to the nail: src/paint/noise.h, bit for bit, and the lobes of light.
export const noise = `
uint cellHash(ivec2 c, uint seed) {
    uint h = uint(c.x) * 0x8da6b343u + uint(c.y) * 0xd8163841u + seed * 0xcb1ab31fu;
    h ^= h >> 16; h *= 0x7feb352du; h ^= h >> 15; h *= 0x846ca68bu;
    return h ^ (h >> 16);
}
float part(uint h, int from, int bits) {
    uint mask = (1u << bits) - 1u;
    return float((h >> from) & mask) * (1.0 / float(mask));
}
float smooth01(float t) { return t * t * (3.0 - 2.0 * t); }
float clamp01(float x) { return clamp(x, 0.0, 1.0); }
float valueNoise(vec2 p, uint seed) {
    ivec2 i = ivec2(floor(p));
    vec2 f = p - vec2(i);
    f = f * f * (3.0 - 2.0 * f);
    float a = part(cellHash(i, seed), 0, 16), b = part(cellHash(i + ivec2(1, 0), seed), 0, 16);
    float c = part(cellHash(i + ivec2(0, 1), seed), 0, 16);
    float d = part(cellHash(i + ivec2(1, 1), seed), 0, 16);
    return mix(mix(a, b, f.x), mix(c, d, f.x), f.y);
}
// Squared distance of the view's reflection from the light's: 0 where the surface mirrors it.
float offLight(vec3 s) {
    vec2 d = vec2(2.0 * s.z * s.y - sun.y, 2.0 * s.z * s.x - sun.x);
    return dot(d, d);
}
float lobe(float off, float tight) {
    float t = 1.0 / (1.0 + tight * off);
    return t * t;
}
`;
