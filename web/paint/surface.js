// The last pass: polish on a nail (src/paint/finish.c and layout.c), with the finish's own effect
// in the middle.
import { noise } from './noise.js';
import { given } from './shade.js';
import { reading } from './surround.js';

const uniforms = `
uniform sampler2D split;   // highlight, base, rim, cover
uniform sampler2D around;  // the highlight's local mean
uniform float height;      // of the canvas, whose rows run upwards; 0: into a texture
uniform ivec2 toFrame;     // from there to the picture
uniform float alone;       // 1: polish over nothing; 0: over the photo
uniform vec3 pigment, light;
uniform float hide, stain, texture_, kept, added, stretch, aspect, pixel, line_, blur, cuticle;
uniform vec4 body_;        // contrast, volume, depth, rim
uniform float lift;        // of what is brighter than the bare nail's mean
uniform vec4 lamp;         // half sizes and softness of the highlight: w, u, w, u
uniform vec4 back;         // strength, mirror, haze, fresnel
uniform vec3 gleam_;       // the highlight's colour relative to the light's
uniform vec2 axis;         // the nail's, in the picture, in which a lamp is upright
uniform vec2 sun;          // u, w
uniform vec3 ombreColor, ombreAt; // from, scale, on
uniform vec3 frenchColor, frenchAt; // width, curve, on
uniform int frenchShape;
uniform vec3 bed;          // colour below an extension
uniform vec2 whole;        // u over the whole, extended nail: u * whole.x + whole.y
uniform sampler2D pattern; // linear light, alpha multiplied in
uniform float patternOn, patternSpan; // its opacity, 0: none; repetitions along the nail
uniform vec4 patternDye;   // replaces its colours; w 0: none
out vec4 result;
`;

// What an effect may read: u, w; s: the surface's normal (u, w, z); body: light on it; seen: how
// strongly the effect shows.
const state = `
float u, w, body, seen;
vec3 s;
`;

const layout = `
vec4 patternAt(vec2 at_) {
    ivec2 size = textureSize(pattern, 0);
    vec2 p = vec2(clamp(at_.x * float(size.x) - 0.5, 0.0, float(size.x - 1)),
                  (fract(at_.y) + 1.0) * float(size.y) - 0.5);
    vec2 part_ = fract(p);
    ivec2 a = ivec2(p), b = ivec2(min(a.x + 1, size.x - 1), (a.y + 1) % size.y);
    a.y %= size.y;
    return mix(mix(texelFetch(pattern, a, 0), texelFetch(pattern, ivec2(b.x, a.y), 0), part_.x),
               mix(texelFetch(pattern, ivec2(a.x, b.y), 0), texelFetch(pattern, b, 0), part_.x),
               part_.y);
}
vec3 lay(out float hides) {
    vec3 color = pigment;
    float along = u * whole.x + whole.y;
    hides = hide;
    seen = 1.0;
    if (ombreAt.z > 0.0) {
        float t = smooth01(clamp01((0.5 + 0.5 * along - ombreAt.x) * ombreAt.y));
        vec3 root = mix(sqrt(pigment), sqrt(ombreColor), t);
        color = root * root;
    }
    if (frenchAt.z > 0.0) {
        float line = 1.0 - 2.0 * frenchAt.x, curve = frenchAt.y;
        if (frenchShape == 0) line -= 0.60 * curve * w * w;
        if (frenchShape == 2) line += 0.9 * curve * (abs(w) - 0.5);
        if (frenchShape == 3) line += 0.6 * curve * w;
        float tip = clamp01((along - line) * aspect / (line_ * whole.x) + 0.5);
        color = mix(color, frenchColor, tip);
        hides = mix(hides, 1.0, tip);
        seen *= 1.0 - tip;
    }
    if (patternOn > 0.0) {
        vec4 drawn = patternAt(vec2(0.5 + 0.5 * w, (0.5 - 0.5 * along) * patternSpan));
        drawn.rgb = mix(drawn.rgb, patternDye.rgb * drawn.a, patternDye.w);
        drawn *= patternOn;
        color = color * (1.0 - drawn.a) + drawn.rgb;
        hides = mix(hides, 1.0, drawn.a);
        seen *= 1.0 - drawn.a;
    }
    return color;
}`;

const coat = `
float window(float x, float half_, float soft) {
    return smooth01(clamp01(1.0 - (abs(x) - half_) / soft));
}
float gleamOf(float detail, float rim) {
    float pw = 2.0 * s.z * s.y, pu = 2.0 * s.z * s.x;
    float level = 1.0 + (glimpse(pw, pu) - 1.0) * back.y;
    float rw = pw - sun.y + (detail - 1.0) * texture_ * 0.2, ru = (pu - sun.x) * stretch;
    float across = axis.x * ru - axis.y * rw, down = axis.y * ru + axis.x * rw;
    float lit = window(across, lamp.x, lamp.z) * window(down, lamp.y, lamp.w);
    float haze = window(rw, 0.0, 0.55) * window(ru, 0.1, 0.7);
    float graze = 1.0 - s.z;
    float sent = back.x * lit * (0.6 + 0.4 * level) + back.z * haze +
                 back.w * graze * graze * level;
    float sky = 1.0 + 1.2 * (s.y * sun.y + s.x * sun.x); // gleam_row in src/paint/finish.c
    return added * (sent * rim + 0.034 * sky * level);
}
// A longer nail's free edge, lit where it faces the light (edge_row).
float edgeOf(float rim) {
    float free = clamp01(4.0 * u - 3.6) * extended;
    float facing = clamp01(0.55 + 2.0 * s.x * sun.x + 1.2 * s.y * sun.y);
    return added * (0.06 + 0.30 * back.x) * free * facing * 4.0 * rim * (1.0 - rim);
}
// Leaves room below white, so that light polish keeps its shading and its highlights.
vec3 shoulder(vec3 x) {
    vec3 over = max((x - 0.8) * 5.0, 0.0);
    return mix(0.8 + 0.2 * over / (1.0 + over), x, step(x, vec3(0.8)));
}
vec3 toStored(vec3 x) {
    x = clamp(x, 0.0, 1.0);
    vec3 curve = 1.055 * pow(max(x, 1e-6), vec3(1.0 / 2.4)) - 0.055;
    return mix(curve, x * 12.92, step(x, vec3(0.0031308)));
}`;

const main = `
void main() {
    ivec2 picture = ivec2(gl_FragCoord.x, abs(height - gl_FragCoord.y)) + toFrame;
    ivec2 here = picture - at + cell.xy;
    vec4 planes = texelFetch(split, here, 0);
    float cover = planes.w, rim = planes.z, base = planes.y, shine = planes.x;
    if (cover <= 0.0) discard;
    vec2 key = keyOf(vec2(picture) + 0.5), nail = nailOf(key);
    u = nail.x;
    w = nail.y;
    float own = ownOf(coverAt(key).x, u), along = u * whole.x + whole.y;
    vec3 photo_ = photo(picture);
    float detail = 1.0 + (clamp((brightest(photo_) - shine) / base, 0.55, 1.12) - 1.0) * own;
    float slow = clamp(base / level, 0.15, 2.2);
    shine = max((shine - texelFetch(around, here, 0).x) * 1.25, 0.0) * own;

    s.y = clamp01(0.5 + 0.43 * w * (1.0 + 0.3 * along * along)) * 2.0 - 1.0;
    s.x = clamp01(0.5 + 0.5 * (along * (0.10 + 0.36 * along * along))) * 2.0 - 1.0;
    s.z = sqrt(max(1.0 - s.y * s.y - s.x * s.x, 0.01));

    float over = slow - 1.0, fine_ = (detail - 1.0) * texture_;
    body = 1.0 + over * (over > 0.0 ? lift : body_.x);
    body *= 1.0 + body_.y * (s.y * sun.y + s.x * sun.x + s.z - 0.80);
    body *= 1.0 + fine_ * (fine_ > 0.0 ? lift : 1.0);
    float foot = clamp01(-1.6 * u - 0.6) * 0.9 * cuticle;
    body = max(body * (1.0 - body_.w * (1.0 + foot) * (1.0 - rim)), 0.02);

    float hides;
    vec3 color = lay(hides);
    float deep = 1.0 - body_.z * (1.0 - rim);
    vec3 below = mix(photo_, mix(bed * slow, photo_, own), extended);
    vec3 under = below * (1.0 - stain * (1.0 - color / max(brightest(color), 0.05)));
    vec3 painted = mix(under, color * light * body * deep, hides);
    effect(painted);
    float gleam = gleamOf(detail, rim) + edgeOf(rim);
    painted = shoulder(painted + shine * kept * hides + gleam * light * gleam_);
    result = vec4(toStored(mix(photo_, painted, max(cover, alone))), 1.0);
    result *= mix(1.0, cover, alone);
}`;

// effect: GLSL that defines void effect(inout vec3 color).
export const surface = (effect) =>
    [given, uniforms, reading, state, noise, layout, coat, effect, main].join('\n');
