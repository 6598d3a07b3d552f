#version 330
uniform mat4 view_proj;
in vec3 in_pos;
in vec3 in_normal;
in vec2 in_uv;
in vec2 in_st;
in float in_mat;
in float in_id;
invariant gl_Position;
out vec3 pos;
out vec3 normal;
out vec2 uv;
out vec2 st;
flat out int mat_id;
flat out int part_id;
void main() {
    pos = in_pos;
    normal = in_normal;
    uv = in_uv;
    st = in_st;
    mat_id = int(in_mat + 0.5);
    part_id = int(in_id + 0.5);
    gl_Position = view_proj * vec4(in_pos, 1.0);
}
