#version 330
layout(location = 0) out vec4 out_colour;
layout(location = 1) out uint out_id;
void main() {
    out_colour = vec4(0.0);
    out_id = 0u;
}
