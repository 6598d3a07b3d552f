#version 330
// The box filter that turns samples into pixels; samples beside the hand show what is behind it.
uniform sampler2D colour;
uniform usampler2D ids;
uniform sampler2D back;
uniform int scale;
out vec4 pixel;
void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    vec4 behind = texelFetch(back, at, 0);
    vec4 sum = vec4(0.0);
    for (int y = 0; y < scale; y++)
        for (int x = 0; x < scale; x++) {
            ivec2 sample_at = at * scale + ivec2(x, y);
            bool hand = texelFetch(ids, sample_at, 0).r != 0u;
            sum += hand ? min(texelFetch(colour, sample_at, 0), vec4(1.5)) : behind;
        }
    pixel = sum / float(scale * scale);
}
