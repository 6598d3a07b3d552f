#version 330
// One directional light's depth, over the sphere that holds the hand.
uniform vec3 centre;
uniform float radius;
uniform mat3 basis;  // columns: right, up, towards the light
in vec3 in_pos;
void main() {
    vec3 p = (in_pos - centre) * basis / radius;
    gl_Position = vec4(p.xy, clamp(-p.z, -1.0, 1.0), 1.0);
}
