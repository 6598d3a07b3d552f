// Skin, nails, forearm and sleeve.
uniform sampler2D skin_tex;
uniform sampler2D normal_tex;
uniform sampler2D orm_tex;
uniform float bump;
uniform float skin_gloss;
uniform float skin_scatter;
uniform vec3 arm_rgb;
uniform vec3 bed_rgb;
uniform vec3 lunula_rgb;
uniform vec3 edge_rgb;
uniform float lunula_size[5];
uniform float edge_start;
uniform float nail_rough;
uniform vec4 polish[5];       // linear colour, coverage (0 bare .. 1)
uniform vec4 polish_kind[5];  // roughness, metal, flakes, pattern (0 plain, 1 French, 2 ombre)
uniform vec3 polish_two;      // second colour for the pattern and the flakes
uniform vec3 sleeve_rgb;
in vec3 pos;
in vec3 normal;
in vec2 uv;
in vec2 st;
flat in int mat_id;
flat in int part_id;
layout(location = 0) out vec4 out_colour;
layout(location = 1) out uint out_id;

vec3 bumped(vec3 n, float strength) {
    vec3 dp1 = dFdx(pos), dp2 = dFdy(pos);
    vec2 du1 = dFdx(uv), du2 = dFdy(uv);
    vec3 t = cross(dp2, n) * du1.x + cross(n, dp1) * du2.x;
    vec3 b = cross(dp2, n) * du1.y + cross(n, dp1) * du2.y;
    float longest = max(dot(t, t), dot(b, b));
    if (longest < 1e-30)
        return n;
    float k = inversesqrt(longest);
    vec2 m = texture(normal_tex, uv).xy * 2.0 - 1.0;
    m.y = -m.y;
    return normalize(n + (t * m.x + b * m.y) * k * strength);
}

struct surface {
    vec3 albedo;
    vec3 f0;
    float rough;
    vec3 scatter;  // how far light wraps round, per channel
    vec3 n_soft;
    vec3 n;
};

surface skin_surface(vec3 n) {
    surface s;
    float arm = mat_id == 2 ? 1.0 : smoothstep(-0.035, 0.008, st.y);
    s.albedo = texture(skin_tex, uv).rgb;
    s.albedo *= s.albedo * (s.albedo * 0.3 + 0.7);
    vec3 orm = texture(orm_tex, uv).rgb;
    s.albedo *= mix(0.75, 1.0, orm.r);
    s.albedo = mix(s.albedo, arm_rgb, arm);
    s.albedo *= 0.94 + 0.08 * noise(uv * 260.0) + 0.06 * noise(uv * 31.0);
    s.rough = clamp(mix(orm.g, 0.62, arm) * 0.75 * skin_gloss, 0.25, 0.9);
    s.f0 = vec3(0.028);
    s.scatter = vec3(0.32, 0.14, 0.09) * skin_scatter;
    s.n_soft = n;
    s.n = mat_id == 0 ? bumped(n, bump * (1.0 - arm)) : n;
    return s;
}

surface nail_surface(vec3 n) {
    surface s;
    int k = part_id % 8 - 1;
    float along = st.y, across = st.x;
    float ridge = noise(vec2(across * 14.0 + float(k) * 7.0, along * 1.5)) - 0.5;
    s.albedo = bed_rgb * (1.0 + 0.10 * ridge) * (0.95 + 0.1 * noise(st * vec2(3.0, 4.0) + 3.0));
    float moon = 1.0 - smoothstep(0.75, 1.05, length(vec2(across * 1.15, along / lunula_size[k])));
    s.albedo = mix(s.albedo, lunula_rgb, moon * 0.65);
    float wave = 0.02 * (noise(vec2(across * 5.0, 4.0)) - 0.5);
    float line = edge_start - 0.07 * across * across + wave;
    float band = smoothstep(line - 0.035, line, along)
        * (1.0 - smoothstep(line, line + 0.03, along));
    s.albedo *= 1.0 - 0.10 * band;
    s.albedo = mix(s.albedo, edge_rgb, smoothstep(line, line + 0.045, along) * 0.85);
    float rim = smoothstep(0.80, 1.0, abs(across)) + 1.0 - smoothstep(0.0, 0.07, along);
    s.albedo *= 1.0 - 0.22 * clamp(rim, 0.0, 1.0);
    s.rough = nail_rough;
    s.f0 = vec3(0.055);
    s.scatter = vec3(0.22, 0.12, 0.10);
    s.n_soft = n;
    s.n = normalize(bumped(n, 0.12) + vec3(ridge) * 0.03);
    vec4 p = polish[k];
    float cover = p.a * smoothstep(0.015, 0.04, along + 0.01 * noise(st * 9.0))
        * (1.0 - smoothstep(0.95, 0.985, abs(across)));
    if (cover > 0.0) {
        vec4 kind = polish_kind[k];
        vec3 colour = p.rgb;
        if (kind.w > 1.5)
            colour = mix(p.rgb, polish_two, smoothstep(0.25, 0.95, along));
        else if (kind.w > 0.5)
            colour = along > line - 0.10 - 0.10 * across * across ? polish_two : p.rgb;
        vec3 flat_n = n;
        float metal = kind.y;
        if (kind.z > 0.0) {
            vec2 cell = floor(st * vec2(38.0, 46.0));
            float r = hash(cell + float(k) * 31.0);
            float on = step(1.0 - kind.z, r);
            vec3 tilt = vec3(hash(cell + 1.7), hash(cell + 5.1), hash(cell + 9.3)) - 0.5;
            flat_n = normalize(n + tilt * 0.9 * on);
            colour = mix(colour, mix(polish_two, vec3(1.0), 0.4), on * 0.8);
            metal = max(metal, on);
        }
        s.albedo = mix(s.albedo, colour * (1.0 - metal), cover);
        s.f0 = mix(s.f0, mix(vec3(0.05), colour, metal), cover);
        s.rough = mix(s.rough, kind.x, cover);
        s.scatter *= 1.0 - 0.8 * cover;
        s.n = normalize(mix(s.n, flat_n, cover));
    }
    return s;
}

surface sleeve_surface(vec3 n) {
    surface s;
    vec2 q = vec2(st.x * 140.0, st.y * 22.0);
    float knit = sin(q.x * 3.14159) * 0.5 + 0.25 * sin(q.y * 12.0);
    s.albedo = sleeve_rgb * (0.86 + 0.10 * knit + 0.10 * noise(q * 0.35));
    s.f0 = vec3(0.02);
    s.rough = 0.95;
    s.scatter = vec3(0.1);
    s.n_soft = s.n = n;
    return s;
}

void main() {
    vec3 n = normalize(normal);
    vec3 view = normalize(eye - pos);
    if (dot(n, view) < 0.0 && mat_id == 1)
        n = -n;
    surface s;
    if (mat_id == 1)
        s = nail_surface(n);
    else if (mat_id == 3)
        s = sleeve_surface(n);
    else
        s = skin_surface(n);
    float angle = 6.2831853 * hash(gl_FragCoord.xy);
    vec2 jitter = vec2(cos(angle), sin(angle)) * sqrt(hash(gl_FragCoord.yx + 17.0));
    vec3 diffuse = vec3(0.0), seen = vec3(0.0), all = vec3(1e-4);
    vec3 wrap = s.scatter;
    for (int i = 0; i < N_LIGHTS; i++) {
        float v = lit(i, pos, n, jitter * 0.45);
        float hard = dot(s.n, light_dir[i]), soft = dot(s.n_soft, light_dir[i]);
        vec3 c = mix(vec3(hard), vec3(soft), vec3(0.75, 0.45, 0.3));
        c = max(c + wrap, 0.0) / ((1.0 + wrap) * (1.0 + wrap));
        vec3 bleed = pow(vec3(v), 1.0 - vec3(0.55, 0.2, 0.1) * min(wrap * 3.0, 1.0));
        diffuse += light_rgb[i] * c * bleed;
        float front = step(0.0, soft);
        seen += light_rgb[i] * v * front;
        all += light_rgb[i] * front;
    }
    float below = clamp(0.5 - 0.5 * dot(n, up), 0.0, 1.0);
    diffuse += ground_rgb * below * below * 0.5;
    vec3 open = seen / all;
    float facing = max(dot(s.n, view), 0.0);
    vec3 fresnel = s.f0 + (max(vec3(1.0 - s.rough), s.f0) - s.f0) * pow(1.0 - facing, 5.0);
    vec3 gloss = surroundings(reflect(-view, s.n), s.rough) * fresnel;
    gloss *= mix(vec3(0.25), vec3(1.0), open);
    out_colour = vec4(develop(s.albedo * diffuse + gloss), 1.0);
    out_id = uint(part_id);
}
