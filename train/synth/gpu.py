"""Draws one scene with OpenGL (Mesa's software renderer is enough) and reads it back.

A Renderer owns its context and everything in it; use it from the thread that created it. Light is a
set of directional samples of area lights and sky, each with its own tile in a shadow atlas;
together they give soft shadows, contact shadows and ambient occlusion. Gloss mirrors the same area
lights analytically.
"""

import os

import numpy as np

N_LIGHTS = 16
N_BOXES = 5
ATLAS_TILES = 4


class RenderError(RuntimeError):
    """The machine cannot render; the message is one line."""


def _context():
    try:
        import moderngl
        return moderngl.create_standalone_context(backend="egl", require=330)
    except Exception as err:  # the binding raises a bare Exception
        raise RenderError(f"cannot start OpenGL through EGL: {err} "
                          "(needs libegl1 and libgl1-mesa-dri)") from err


def _shader(name):
    folder = os.path.join(os.path.dirname(__file__), "shaders")
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


class Renderer:
    def __init__(self, tile=512):
        self.ctx = _context()
        self.tile = tile
        common = _shader("common.glsl")
        self.hand_prog = self.ctx.program(
            vertex_shader=_shader("hand.vert"), fragment_shader=common + _shader("hand.frag"))
        self.back_prog = self.ctx.program(
            vertex_shader=_shader("screen.vert"), fragment_shader=common + _shader("back.frag"))
        self.shadow_prog = self.ctx.program(
            vertex_shader=_shader("shadow.vert"), fragment_shader=_shader("shadow.frag"))
        self.depth_prog = self.ctx.program(
            vertex_shader=_shader("depth.vert"), fragment_shader=_shader("depth.frag"))
        self.resolve_prog = self.ctx.program(
            vertex_shader=_shader("screen.vert"), fragment_shader=_shader("resolve.frag"))
        side = tile * ATLAS_TILES
        self.atlas = self.ctx.depth_texture((side, side))
        self.atlas.compare_func = "<="
        self.atlas_fbo = self.ctx.framebuffer(depth_attachment=self.atlas)
        quad = self.ctx.buffer(np.array([-1, -1, 3, -1, -1, 3], "f4").tobytes())
        self.back_vao = self.ctx.vertex_array(self.back_prog, [(quad, "2f", "in_pos")])
        self.resolve_vao = self.ctx.vertex_array(self.resolve_prog, [(quad, "2f", "in_pos")])
        self.targets = {}
        self.textures = {}

    def close(self):
        self.ctx.release()

    # -- resources

    def _target(self, width, height, scale):
        key = (width, height, scale)
        if key not in self.targets:
            big = (width * scale, height * scale)
            colour = self.ctx.texture(big, 4, dtype="f2")
            ids = self.ctx.texture(big, 1, dtype="u1")
            depth = self.ctx.depth_renderbuffer(big)
            back = self.ctx.texture((width, height), 4, dtype="f2")
            out = self.ctx.texture((width, height), 4, dtype="f4")
            self.targets[key] = (self.ctx.framebuffer([colour, ids], depth),
                                 self.ctx.framebuffer([back]), self.ctx.framebuffer([out]))
        return self.targets[key]

    def _texture(self, slot, image):
        """Uploads an 8-bit image, unless this slot already contains it."""
        kept = self.textures.get(slot)
        if kept and kept[0] is image:
            return kept[1]
        if kept:
            kept[1].release()
        texture = self.ctx.texture(image.shape[1::-1], image.shape[2],
                                   np.ascontiguousarray(image).tobytes(), alignment=1)
        texture.build_mipmaps()
        texture.filter = (self.ctx.LINEAR_MIPMAP_LINEAR, self.ctx.LINEAR)
        texture.repeat_x = texture.repeat_y = False
        self.textures[slot] = (image, texture)
        return texture

    # -- passes

    def draw(self, scene, size, scale):
        """Returns (h, w, 3) float32 camera-linear colour and (h*scale, w*scale) uint8 ids.

        Ids: 0 background, 1..5 nails in the order of mesh.FINGERS, 6 skin, 7 sleeve.
        """
        width, height = size
        geo = scene["geometry"]
        buffers = [self.ctx.buffer(geo["vertices"].astype("f4").tobytes()),
                   self.ctx.buffer(geo["tris"].astype("i4").tobytes()),
                   self.ctx.buffer(geo["shadow_pos"].astype("f4").tobytes()),
                   self.ctx.buffer(geo["shadow_tris"].astype("i4").tobytes())]
        hand = self.ctx.vertex_array(
            self.hand_prog,
            [(buffers[0], "3f 3f 2f 2f 1f 1f", "in_pos", "in_normal", "in_uv", "in_st", "in_mat",
              "in_id")], buffers[1])
        # The same arithmetic as in hand.vert, so that the second pass gets equal depths.
        depth_only = self.ctx.vertex_array(
            self.depth_prog, [(buffers[0], "3f 36x", "in_pos")], buffers[1])
        caster = self.ctx.vertex_array(self.shadow_prog, [(buffers[2], "3f", "in_pos")], buffers[3])
        try:
            self._draw_shadows(scene, caster)
            fbo, back, out = self._target(width, height, scale)
            back.use()
            self.ctx.disable(self.ctx.DEPTH_TEST)
            self._bind(scene, self.back_prog, width, height)
            self.back_vao.render(self.ctx.TRIANGLES, 3)
            fbo.use()
            fbo.clear()
            self.ctx.enable(self.ctx.DEPTH_TEST)
            self.depth_prog["view_proj"].write(scene["view_proj"].T.astype("f4").tobytes())
            depth_only.render(self.ctx.TRIANGLES)
            self.ctx.depth_func = "<="
            self._bind(scene, self.hand_prog, width * scale, height * scale)
            hand.render(self.ctx.TRIANGLES)
            self.ctx.depth_func = "<"
            ids = fbo.read(components=1, attachment=1, dtype="u1", alignment=1)
            ids = np.frombuffer(ids, np.uint8)
            self._resolve(fbo, back, out, scale)
            pixels = np.frombuffer(out.read(components=4, dtype="f4"), np.float32)
        finally:
            for thing in [hand, depth_only, caster] + buffers:
                thing.release()
        image = pixels.reshape(height, width, 4)[::-1, :, :3]
        return image.copy(), ids.reshape(height * scale, width * scale)[::-1].copy()

    def _resolve(self, fbo, back, out, scale):
        out.use()
        self.ctx.disable(self.ctx.DEPTH_TEST)
        sources = (*fbo.color_attachments, *back.color_attachments)
        for unit, (name, texture) in enumerate(zip(("colour", "ids", "back"), sources)):
            texture.use(unit)
            self.resolve_prog[name] = unit
        self.resolve_prog["scale"] = scale
        self.resolve_vao.render(self.ctx.TRIANGLES, 3)

    def _draw_shadows(self, scene, caster):
        self.atlas_fbo.use()
        self.atlas_fbo.clear(depth=1.0)
        self.ctx.enable(self.ctx.DEPTH_TEST)
        self.shadow_prog["centre"] = tuple(scene["centre"])
        self.shadow_prog["radius"] = scene["radius"]
        for i, basis in enumerate(scene["light_basis"]):
            x, y = i % ATLAS_TILES * self.tile, i // ATLAS_TILES * self.tile
            self.atlas_fbo.viewport = (x, y, self.tile, self.tile)
            self.shadow_prog["basis"].write(basis.astype("f4").tobytes())
            caster.render(self.ctx.TRIANGLES)

    def _bind(self, scene, prog, width, height):
        values = dict(scene["uniforms"])
        values["screen"] = (float(width), float(height))
        values["centre"] = tuple(scene["centre"])
        values["radius"] = scene["radius"]
        values["atlas_tile"] = float(self.tile)
        units = {"atlas": self.atlas}
        for slot, image in scene["textures"].items():
            units[slot] = self._texture(slot, image)
        for unit, (name, texture) in enumerate(units.items()):
            if name in prog:
                texture.use(unit)
                prog[name] = unit
        arrays = {"light_dir": scene["light_dir"], "light_rgb": scene["light_rgb"],
                  "light_basis": scene["light_basis"].reshape(-1, 3, 3),
                  "box_basis": scene["box_basis"], "box_rgb": scene["box_rgb"],
                  "box_shape": scene["box_shape"], "view_proj": scene["view_proj"].T,
                  "view_ray": scene["view_ray"].T,
                  "light_spread": scene["light_spread"]}
        for name, value in arrays.items():
            if name in prog:
                prog[name].write(np.ascontiguousarray(value, "f4").tobytes())
        for name, value in values.items():
            if name in prog:
                prog[name] = value
