// A few lines of WebGL 2: programs whose uniforms are set by name, textures, targets, places.

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

    // Names that the program does not read are passed over.
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

// A texture to draw into, of half floats unless told otherwise.
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

// Places for rectangles, in shelves: [[width, height]] → {places: [[x, y]], width, height}, the
// whole a power of two high, so that it seldom changes.
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
