#version 330
// The hand's depth alone, so that every sample is shaded once.
uniform mat4 view_proj;
in vec3 in_pos;
invariant gl_Position;
void main() {
    gl_Position = view_proj * vec4(in_pos, 1.0);
}
