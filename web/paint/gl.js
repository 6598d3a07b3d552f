// Helpers for WebGL 2: programs whose uniforms are set by name, textures, render targets,
// positions.

const setters = {
    INT: 'uniform1i',
    FLOAT: 'uniform1f',
    FLOAT_VEC2: 'uniform2fv',
    FLOAT_VEC3: 'uniform3fv',
    FLOAT_VEC4: 'uniform4fv',
    INT_VEC2: 'uniform2iv',
    INT_VEC4: 'uniform4iv',
    SAMPLER_2D: 'uniform1i',
};

// One triangle that covers the viewport.
const cover = `#version 300 es
void main() {
    vec2 at = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
    gl_Position = vec4(at, 0.0, 1.0);
}`;

function shader(gl, type, source) {
    const it = gl.createShader(type);
    gl.shaderSource(it, source);
    gl.compileShader(it);
    return it;
}

export class Program {
    #gl;
    #program;
    #places = new Map();

    constructor(gl, fragment) {
        const program = gl.createProgram();
        const parts = [
            shader(gl, gl.VERTEX_SHADER, cover),
            shader(gl, gl.FRAGMENT_SHADER, `#version 300 es\n${fragment}`),
        ];
        for (const part of parts) gl.attachShader(program, part);
        gl.linkProgram(program);
        if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost())
            throw new Error(`a shader does not build: ${gl.getShaderInfoLog(parts[1])}`);
        for (const part of parts) gl.deleteShader(part);
        const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS) ?? 0;
        for (let i = 0; i < count; i++) {
            const { name, type, size } = gl.getActiveUniform(program, i);
            const kind = Object.keys(setters).find((key) => gl[key] === type);
            let setter = setters[kind];
            if (size > 1 && !setter.endsWith('v')) setter += 'v';
            this.#places.set(name.replace(/\[0\]$/, ''), {
                at: gl.getUniformLocation(program, name),
                setter,
            });
        }
        this.#gl = gl;
        this.#program = program;
    }

    use() {
        this.#gl.useProgram(this.#program);
        return this;
    }

    // Ignores names that the program does not use.
    set(values) {
        for (const [name, value] of Object.entries(values)) {
            const place = this.#places.get(name);
            if (place) this.#gl[place.setter](place.at, value);
        }
        return this;
    }

    draw() {
        this.#gl.drawArrays(this.#gl.TRIANGLES, 0, 3);
    }
}

export function texture(gl) {
    const it = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, it);
    for (const name of ['MIN_FILTER', 'MAG_FILTER'])
        gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], gl.NEAREST);
    for (const name of ['WRAP_S', 'WRAP_T'])
        gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], gl.CLAMP_TO_EDGE);
    return it;
}

// A texture to draw into, of half floats by default.
export class Target {
    #gl;
    #size = [0, 0];
    #kind;

    constructor(gl, format = 'RGBA16F', type = 'HALF_FLOAT') {
        this.#gl = gl;
        this.#kind = [gl[format], gl[type]];
        this.texture = texture(gl);
        this.frame = gl.createFramebuffer();
    }

    resize(width, height) {
        if (this.#size[0] === width && this.#size[1] === height) return;
        const gl = this.#gl;
        this.#size = [width, height];
        gl.bindTexture(gl.TEXTURE_2D, this.texture);
        const [format, type] = this.#kind;
        gl.texImage2D(gl.TEXTURE_2D, 0, format, width, height, 0, gl.RGBA, type, null);
        gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
        gl.framebufferTexture2D(
            gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.texture, 0,
        );
    }
}

// Reads pixels of the bound framebuffer without blocking: the GPU writes them into a buffer and
// signals when they are there.
export class Reading {
    #gl;
    #buffer;
    #sync = null;
    #pixels = null;
    #size = [0, 0];

    constructor(gl) {
        this.#gl = gl;
        this.#buffer = gl.createBuffer();
    }

    // wait: blocks until they are there.
    start(width, height, { wait = false } = {}) {
        const gl = this.#gl;
        this.#size = [width, height];
        this.#pixels = wait ? new Uint8ClampedArray(4 * width * height) : null;
        this.#forget();
        if (wait) {
            gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, this.#pixels);
            return;
        }
        gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#buffer);
        gl.bufferData(gl.PIXEL_PACK_BUFFER, 4 * width * height, gl.STREAM_READ);
        gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, 0);
        gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
        this.#sync = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
        gl.flush();
    }

    // ImageData, once after each start, its colours not multiplied by alpha; null: not there yet.
    take() {
        const pixels = this.#pixels ?? this.#read();
        this.#pixels = null;
        return pixels && new ImageData(divided(pixels), ...this.#size);
    }

    #read() {
        const gl = this.#gl;
        if (!this.#sync || gl.getSyncParameter(this.#sync, gl.SYNC_STATUS) !== gl.SIGNALED)
            return null;
        this.#forget();
        const pixels = new Uint8ClampedArray(4 * this.#size[0] * this.#size[1]);
        gl.bindBuffer(gl.PIXEL_PACK_BUFFER, this.#buffer);
        gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, pixels);
        gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
        return pixels;
    }

    #forget() {
        if (this.#sync) this.#gl.deleteSync(this.#sync);
        this.#sync = null;
    }
}

// Divides premultiplied colours by their alpha, in place.
function divided(pixels) {
    for (let at = 3; at < pixels.length; at += 4) {
        const alpha = pixels[at];
        if (alpha === 0 || alpha === 255) continue;
        for (let c = at - 3; c < at; c++) pixels[c] = (pixels[c] * 255) / alpha;
    }
    return pixels;
}

// Packs rectangles in shelves: [[width, height]] → {places: [[x, y]], width, height}. The total
// height is a power of two, so that it seldom changes.
export function pack(sizes, widthLeast = 512) {
    const width = Math.max(widthLeast, ...sizes.map(([w]) => w));
    const places = [];
    let x = 0;
    let y = 0;
    let shelf = 0;
    for (const [w, h] of sizes) {
        if (x + w > width) {
            y += shelf;
            x = shelf = 0;
        }
        places.push([x, y]);
        x += w;
        shelf = Math.max(shelf, h);
    }
    let height = 64;
    while (height < y + shelf) height *= 2;
    return { places, width, height };
}
