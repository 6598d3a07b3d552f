#version 330
// Lights, shadows and the mirrored surroundings, shared by the hand and what lies behind it.
#define N_LIGHTS 16
#define N_BOXES 5
#define TILES 4.0
uniform vec3 eye;
uniform vec2 screen;
uniform vec3 centre;
uniform float radius;
uniform float atlas_tile;
uniform sampler2DShadow atlas;
uniform vec3 light_dir[N_LIGHTS];
uniform vec3 light_rgb[N_LIGHTS];
uniform float light_spread[N_LIGHTS];  // how far shadow look-ups wander, texels
uniform mat3 light_basis[N_LIGHTS];
uniform mat3 box_basis[N_BOXES];  // columns: right, up, towards
uniform vec3 box_rgb[N_BOXES];
uniform vec3 box_shape[N_BOXES];  // tangent half sizes, softness
uniform vec3 up;
uniform vec3 sky_rgb;
uniform vec3 ground_rgb;
uniform float exposure;

float hash(vec2 p) {
    vec3 q = fract(vec3(p.xyx) * 0.1031);
    q += dot(q, q.yzx + 33.33);
    return fract((q.x + q.y) * q.z);
}

float noise(vec2 p) {
    vec2 i = floor(p), f = fract(p);
    f = f * f * (3.0 - 2.0 * f);
    return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x),
               mix(hash(i + vec2(0, 1)), hash(i + vec2(1, 1)), f.x), f.y);
}

float lit(int i, vec3 p, vec3 n, vec2 jitter) {
    vec3 q = (p + n * 0.0012 - centre) * light_basis[i] / radius;
    if (any(greaterThan(abs(q), vec3(0.99))))
        return 1.0;
    vec2 at = q.xy * 0.5 + 0.5;
    at += jitter * light_spread[i] / atlas_tile;
    at = clamp(at, 1.0 / atlas_tile, 1.0 - 1.0 / atlas_tile);
    vec2 tile = vec2(mod(float(i), TILES), floor(float(i) / TILES));
    float depth = (-q.z) * 0.5 + 0.5 - 0.004;
    float fade = smoothstep(0.7, 0.97, max(abs(q.x), max(abs(q.y), abs(q.z))));
    return mix(texture(atlas, vec3((at + tile) / TILES, depth)), 1.0, fade);
}

vec3 surroundings(vec3 d, float rough) {
    float h = dot(d, up);
    float soft = 0.15 + rough;
    vec3 sum = mix(ground_rgb, sky_rgb, smoothstep(-soft, soft, h)) * (1.0 + 0.25 * h);
    for (int i = 0; i < N_BOXES; i++) {
        vec3 q = d * box_basis[i];
        if (q.z < 0.02)
            continue;
        vec2 half_size = box_shape[i].xy;
        float s = box_shape[i].z + rough * 1.1;
        vec2 a = abs(q.xy / q.z);
        vec2 cover = smoothstep(half_size + s, half_size - min(vec2(s), half_size), a);
        vec2 keep = half_size / (half_size + vec2(rough * 0.6));
        sum += box_rgb[i] * cover.x * cover.y * keep.x * keep.y;
    }
    return sum;
}

vec3 develop(vec3 c) {
    c *= exposure;
    vec3 over = max(c - 0.65, 0.0);
    return min(c, 0.65) + 0.4 * (1.0 - exp(-over / 0.4));
}
