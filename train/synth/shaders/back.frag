// A desk under the hand (plane z = 0, with shadows), or a blurred room far behind it.
uniform mat4 view_ray;
uniform sampler2D desk;
uniform int on_desk;
uniform vec4 desk_map;  // scale, angle, offset
uniform float desk_gloss;
uniform vec3 back_gain;
in vec2 ndc;
out vec4 out_colour;

vec3 desk_colour(vec3 p) {
    float c = cos(desk_map.y), s = sin(desk_map.y);
    vec2 at = mat2(c, s, -s, c) * p.xy * desk_map.x + desk_map.zw;
    vec3 t = texture(desk, abs(mod(at, 2.0) - 1.0)).rgb;  // mirrored, so that no seam shows
    return t * t * (t * 0.3 + 0.7);
}

void main() {
    vec4 far = view_ray * vec4(ndc, 1.0, 1.0);
    vec3 ray = normalize(far.xyz / far.w - eye);
    if (on_desk == 0 || ray.z > -0.02) {
        vec2 at = ndc * 0.5 + 0.5;
        vec3 t = texture(desk, vec2(at.x, 1.0 - at.y)).rgb;
        out_colour = vec4(develop(t * t * back_gain), 1.0);
        return;
    }
    vec3 p = eye - ray * (eye.z / ray.z);
    vec3 n = vec3(0, 0, 1);
    float angle = 6.2831853 * hash(gl_FragCoord.xy), far_out = hash(gl_FragCoord.yx + 17.0);
    vec2 jitter[3];
    for (int j = 0; j < 3; j++)
        jitter[j] = sqrt((float(j) + far_out) / 3.0)
            * vec2(cos(angle + 2.1 * float(j)), sin(angle + 2.1 * float(j)));
    vec3 diffuse = vec3(0.0), all = vec3(1e-4), seen = vec3(0.0);
    for (int i = 0; i < N_LIGHTS; i++) {
        float c = max(light_dir[i].z, 0.0);
        float v = 0.0;
        for (int j = 0; j < 3; j++)
            v += lit(i, p, n, jitter[j]) / 3.0;
        diffuse += light_rgb[i] * c * v;
        seen += light_rgb[i] * v;
        all += light_rgb[i];
    }
    vec3 mirror = reflect(ray, n);
    float fresnel = 0.04 + 0.96 * pow(1.0 - max(mirror.z, 0.0), 5.0);
    vec3 gloss = surroundings(mirror, 0.35) * fresnel * desk_gloss * seen / all;
    out_colour = vec4(develop(desk_colour(p) * diffuse + gloss), 1.0);
}
