// Paints polish on a picture with WebGL 2, with the arithmetic of src/paint (docs/LOOKS.md). A
// painter owns a canvas. It paints the nails of a `nails` reply on a newer frame, each where it has
// moved to, or only their polish, to be laid on later frames (live/layers.js).
import { effectOf } from './effects/index.js';
import { chooseLonger, cropOf, shadow, shadowUniforms } from './extend.js';
import { coatUniforms, mixCoat } from './film.js';
import { pack, Program, Reading, Target, texture } from './gl.js';
import { levelFor, readPattern, spanOf } from './pattern.js';
import { boxMean, given, gleam, prepare, radiiOf } from './shade.js';
import { surface } from './surface.js';
import { normalise, outlookOf, side, survey } from './surround.js';

const margin = 2; // margin in pixels around a moved crop

// Names of software renderers. (failIfMajorPerformanceCaveat does not detect them: Chromium accepts
// SwiftShader once it was requested.)
const inSoftware = /swiftshader|llvmpipe|softpipe|software|basic render/i;

const copy = `
precision highp float;
precision highp sampler2D;
uniform sampler2D frame;
uniform float height;      // 0: into a texture, whose rows run as the frame's do
out vec4 result;
void main() {
    ivec2 at = ivec2(gl_FragCoord.x, abs(height - gl_FragCoord.y));
    result = vec4(texelFetch(frame, at, 0).rgb, 1.0);
}`;

// The position of a crop in the picture: x, y, width, height, or null if it is outside. back: the
// affine map of picture pixels to the reply's: x = a X + b Y + c, y = d X + e Y + f.
function placeOf(crop, [a, b, c, d, e, f], [width, height]) {
    const det = a * e - b * d;
    const left = crop.x;
    const top = crop.y;
    const right = left + crop.width * crop.scale;
    const bottom = top + crop.height * crop.scale;
    const exact = a === 1 && e === 1 && b === 0 && d === 0 && c === 0 && f === 0;
    const corners = [[left, top], [right, top], [left, bottom], [right, bottom]].map(([x, y]) => [
        (e * (x - c) - b * (y - f)) / det,
        (a * (y - f) - d * (x - c)) / det,
    ]);
    const room = exact ? 0 : margin;
    const xs = corners.map(([x]) => x);
    const ys = corners.map(([, y]) => y);
    const x = Math.max(0, Math.floor(Math.min(...xs)) - room);
    const y = Math.max(0, Math.floor(Math.min(...ys)) - room);
    const w = Math.min(width, Math.ceil(Math.max(...xs)) + room) - x;
    const h = Math.min(height, Math.ceil(Math.max(...ys)) + room) - y;
    return w > 0 && h > 0 ? { x, y, w, h, zoom: 1 / Math.sqrt(Math.abs(det)) } : null;
}

// The bounding rectangle of two.
function around(a, b) {
    const x = Math.min(a.x, b.x);
    const y = Math.min(a.y, b.y);
    const right = Math.max(a.x + a.width * a.scale, b.x + b.width * b.scale);
    const bottom = Math.max(a.y + a.height * a.scale, b.y + b.height * b.scale);
    return { x, y, width: right - x, height: bottom - y, scale: 1 };
}

export class Painter {
    canvas = document.createElement('canvas');
    software = false; // whether graphics run in software
    #gl;
    #copy;
    #prepare;
    #box;
    #gleam;
    #shadow;
    #survey;
    #normalise;
    #surround; // what shiny nails mirror, and intermediate results
    #surveyed = false; // of this frame
    #surfaces = new Map(); // finish → program, built at first use
    #frame;
    #shaded; // the frame with the shadows of longer nails, created if there is one
    #beneath; // which of the two is painted on
    #masks;
    #targets;
    #size = [0, 0];
    #layersSize = [0, 0]; // of all nails' rectangles, packed
    #layers = null; // target for polish alone, created at first use
    #reading = null; // … being read back from the GPU
    #nails = null;
    #crops = new Map(); // nail and shape → its coverage and that coverage's position in the masks
    #patterns = new Map(); // name → pattern levels
    #drawnPattern; // the texture of the pattern level drawn last
    #drawnLevel = null;

    // null if the browser has no WebGL 2 that renders to half floats.
    static create() {
        try {
            return new Painter();
        } catch {
            return null;
        }
    }

    constructor() {
        const gl = this.#open();
        const draws = ['EXT_color_buffer_float', 'EXT_color_buffer_half_float'];
        if (!draws.some((name) => gl.getExtension(name)))
            throw new Error('WebGL 2 draws no half floats');
        this.#gl = gl;
        this.#copy = new Program(gl, copy);
        this.#prepare = new Program(gl, prepare);
        this.#box = new Program(gl, boxMean);
        this.#gleam = new Program(gl, gleam);
        this.#shadow = new Program(gl, shadow(given));
        this.#survey = new Program(gl, survey);
        this.#normalise = new Program(gl, normalise);
        this.#surround = [0, 1].map(() => new Target(gl));
        for (const target of this.#surround) target.resize(side, side);
        this.#frame = texture(gl);
        this.#shaded = new Target(gl, 'RGBA8', 'UNSIGNED_BYTE');
        this.#masks = texture(gl);
        this.#drawnPattern = texture(gl);
        gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
        this.#targets = [0, 1, 2].map(() => new Target(gl));
    }

    #open() {
        const gl = this.canvas.getContext('webgl2', { antialias: false, depth: false });
        if (!gl) throw new Error('no WebGL 2');
        const names = gl.getExtension('WEBGL_debug_renderer_info');
        const name = names ? gl.getParameter(names.UNMASKED_RENDERER_WEBGL) : '';
        this.software = inSoftware.test(name);
        return gl;
    }

    get lost() {
        return this.#gl.isContextLost();
    }

    close() {
        this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
    }

    // Sets the picture to paint on: anything texImage2D takes, with its size in pixels.
    setFrame(source, width, height) {
        const gl = this.#gl;
        this.#size = [width, height];
        this.#surveyed = false;
        gl.bindTexture(gl.TEXTURE_2D, this.#frame);
        gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, source);
    }

    // Pictures for nails, as GET /api/looks has them: [{name, image}].
    async takePatterns(patterns) {
        for (const { name, image } of patterns) this.#patterns.set(name, await readPattern(image));
    }

    // Whether all of a polish can be drawn here.
    knows({ pattern }) {
        return !pattern || this.#patterns.has(pattern.image ?? pattern);
    }

    // Sets a scene of readNails; it stays until the next one.
    setNails(scene) {
        this.#nails = scene;
        this.#crops.clear();
    }

    // Packs the crops of these nails in these shapes into one texture.
    #cut(worn) {
        const { nails, width, height } = this.#nails;
        const longer = chooseLonger(nails);
        const keys = worn.map(({ index, polish: { shape } }) =>
            longer[index] && shape?.length > 0 && shape.kind !== 'natural'
                ? `${index} ${shape.kind} ${shape.length}`
                : String(index),
        );
        let more = false;
        keys.forEach((key, i) => {
            if (this.#crops.has(key)) return;
            const { index, polish } = worn[i];
            const shape = key.includes(' ') ? polish.shape : null;
            this.#crops.set(key, cropOf(nails[index], shape, { width, height }));
            more = true;
        });
        if (more) this.#uploadCrops([...this.#crops.values()]);
        return keys.map((key) => this.#crops.get(key));
    }

    #uploadCrops(crops) {
        const gl = this.#gl;
        const { places, width, height } = pack(crops.map((crop) => [crop.width, crop.height]));
        gl.bindTexture(gl.TEXTURE_2D, this.#masks);
        gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
        gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG8, width, height, 0, gl.RG, gl.UNSIGNED_BYTE, null);
        crops.forEach((crop, i) => {
            crop.at = places[i];
            gl.texSubImage2D(
                gl.TEXTURE_2D, 0, ...crop.at, crop.width, crop.height, gl.RG, gl.UNSIGNED_BYTE,
                crop.covers,
            );
        });
    }

    // Draws the frame with polish into the canvas; read it before the task ends. polishOf: nail →
    // polish or null; movedBy: nail → {back, fade}, back as in placeOf.
    paint(polishOf, movedBy = () => ({ back: [1, 0, 0, 0, 1, 0], fade: 1 })) {
        const jobs = this.#jobs(polishOf, movedBy);
        this.#fit(...this.#size);
        this.#castShadows(jobs.filter(({ crop }) => crop.shadow));
        if (jobs.length) {
            this.#lookAround();
            this.#split(jobs);
        }
        const gl = this.#gl;
        const [width, height] = this.#size;
        gl.bindFramebuffer(gl.FRAMEBUFFER, null);
        gl.viewport(0, 0, width, height);
        this.#bind(0, this.#beneath);
        this.#copy.use().set({ frame: 0, height }).draw();
        gl.enable(gl.SCISSOR_TEST);
        for (const job of jobs)
            this.#finish(job, { box: job.rect, toFrame: [0, 0], height, alone: 0 });
        gl.disable(gl.SCISSOR_TEST);
    }

    // Draws only the polish, with the shadows of longer nails, each nail into a cell of a picture
    // that readLayers returns later, or with `wait` at once.
    // → [{nail, cell: [x, y, width, height], at: [x, y]}], at: of the cell's corner in the frame.
    paintLayers(polishOf, movedBy, { wait = false } = {}) {
        const jobs = this.#jobs(polishOf, movedBy, { shadows: true });
        if (!jobs.length) return [];
        const gl = this.#gl;
        this.#beneath = this.#frame;
        this.#lookAround();
        this.#split(jobs);
        this.#layers ??= new Target(gl, 'RGBA8', 'UNSIGNED_BYTE');
        this.#layers.resize(...this.#layersSize);
        gl.bindFramebuffer(gl.FRAMEBUFFER, this.#layers.frame);
        gl.viewport(0, 0, ...this.#layersSize);
        gl.clearColor(0, 0, 0, 0);
        gl.clear(gl.COLOR_BUFFER_BIT);
        this.#bind(0, this.#frame);
        gl.enable(gl.SCISSOR_TEST);
        gl.enable(gl.BLEND);
        gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
        for (const job of jobs) {
            const { cell, rect } = job;
            const where = { box: cell, toFrame: [rect[0] - cell[0], rect[1] - cell[1]], height: 0 };
            if (job.crop.shadow) this.#castShadow(job, where);
            this.#finish(job, { ...where, alone: 1 });
        }
        gl.disable(gl.BLEND);
        gl.disable(gl.SCISSOR_TEST);
        this.#reading ??= new Reading(gl);
        this.#reading.start(...this.#layersSize, { wait });
        return jobs.map(({ nail, cell, rect: [x, y] }) => ({ nail, cell, at: [x, y] }));
    }

    // ImageData of what paintLayers drew last, or null if it is not there yet.
    readLayers() {
        return this.#reading?.take() ?? null;
    }

    #fit(width, height) {
        if (this.canvas.width !== width || this.canvas.height !== height)
            Object.assign(this.canvas, { width, height });
    }

    #lookAround() {
        if (this.#surveyed) return;
        this.#surveyed = true;
        const gl = this.#gl;
        const [means, surround] = this.#surround;
        gl.viewport(0, 0, side, side);
        gl.bindFramebuffer(gl.FRAMEBUFFER, means.frame);
        this.#bind(0, this.#frame);
        this.#survey.use().set({ frame: 0 }).draw();
        gl.bindFramebuffer(gl.FRAMEBUFFER, surround.frame);
        this.#bind(5, means.texture);
        this.#normalise.use().set({ cells: 5 }).draw();
    }

    // Draws longer nails' shadows onto a copy of the frame, because a frame may be painted more
    // than once.
    #castShadows(jobs) {
        this.#beneath = jobs.length ? this.#shaded.texture : this.#frame;
        if (!jobs.length) return;
        const gl = this.#gl;
        this.#shaded.resize(...this.#size);
        gl.bindFramebuffer(gl.FRAMEBUFFER, this.#shaded.frame);
        gl.viewport(0, 0, ...this.#size);
        this.#bind(0, this.#frame);
        this.#bind(3, this.#masks);
        this.#copy.use().set({ frame: 0, height: 0 }).draw();
        gl.enable(gl.SCISSOR_TEST);
        gl.enable(gl.BLEND);
        gl.blendFunc(gl.ZERO, gl.ONE_MINUS_SRC_ALPHA);
        for (const job of jobs) {
            const place = placeOf(job.crop.shadow.box, job.back, this.#size);
            if (!place) continue;
            const box = [place.x, place.y, place.w, place.h];
            this.#castShadow(job, { box, toFrame: [0, 0], height: 0 });
        }
        gl.disable(gl.BLEND);
        gl.disable(gl.SCISSOR_TEST);
    }

    // box: the rectangle to draw into; toFrame: offset from it to the frame; height: of a canvas,
    // whose rows run upwards, or 0.
    #castShadow({ nail, crop, given }, { box, toFrame, height }) {
        this.#scissor(box, height);
        this.#shadow.use().set({ ...given, ...shadowUniforms(nail, crop, this.#nails.light) });
        this.#shadow.set({ height, toFrame }).draw();
    }

    #scissor([x, y, w, h], height) {
        this.#gl.scissor(x, height ? height - y - h : y, w, h);
    }

    // shadows: a nail's rectangle includes its shadow.
    #jobs(polishOf, movedBy, { shadows = false } = {}) {
        const jobs = [];
        const worn = (this.#nails?.nails ?? [])
            .map((nail, index) => ({ nail, index, polish: polishOf(nail), ...movedBy(nail) }))
            .filter(({ polish, fade }) => polish && fade > 0);
        const crops = worn.length ? this.#cut(worn) : [];
        worn.forEach(({ nail, polish, back, fade }, i) => {
            const crop = crops[i];
            const whole = shadows && crop.shadow ? around(crop, crop.shadow.box) : crop;
            const place = placeOf(whole, back, this.#size);
            if (!place) return;
            const { x, y, w, h, zoom } = place;
            const given = this.#given(nail, crop, back, fade, [x, y]);
            jobs.push({ nail, polish, crop, zoom, back, rect: [x, y, w, h], given });
        });
        const { places, width, height } = pack(jobs.map(({ rect }) => rect.slice(2)));
        jobs.forEach((job, i) => {
            job.cell = [...places[i], job.rect[2], job.rect[3]];
            job.given.cell = job.cell;
        });
        this.#layersSize = [width, height];
        if (jobs.length) for (const target of this.#targets) target.resize(width, height);
        return jobs;
    }

    // The uniforms that every pass over a nail shares (shade.js).
    #given(nail, crop, back, fade, at) {
        const long = nail.length / 2;
        const broad = nail.width / 2;
        const [ax, ay] = nail.axis;
        const [cx, cy] = nail.center;
        const row = (x, y) => [x, y, -(x * cx + y * cy)];
        return {
            frame: 0,
            masks: 3,
            at,
            keyX: back.slice(0, 3),
            keyY: back.slice(3),
            crop: [...crop.at, crop.width, crop.height],
            cropAt: [crop.x, crop.y, crop.scale],
            extended: crop.end > 1 ? 1 : 0,
            fade,
            mapU: row(ax / long, ay / long),
            mapW: row(-ay / broad, ax / broad),
            fitLow: nail.shading.slice(0, 3),
            fitHigh: nail.shading.slice(3),
            level: nail.level,
            grey: nail.grey,
        };
    }

    #bind(unit, it) {
        this.#gl.activeTexture(this.#gl.TEXTURE0 + unit);
        this.#gl.bindTexture(this.#gl.TEXTURE_2D, it);
        this.#gl.activeTexture(this.#gl.TEXTURE0);
    }

    // Runs one pass over every nail's rectangle: from the textures bound, into a target.
    #pass(jobs, program, target, uniforms) {
        const gl = this.#gl;
        gl.bindFramebuffer(gl.FRAMEBUFFER, target.frame);
        program.use();
        for (const job of jobs) {
            gl.viewport(...job.cell);
            program.set(uniforms(job)).draw();
        }
    }

    // Leaves highlight, base, rim and coverage in the first target, the highlight's mean in the
    // third.
    #split(jobs) {
        const [a, b, c] = this.#targets;
        const mean = (from, to, along, radiiFor) => {
            this.#bind(2, from.texture);
            this.#pass(jobs, this.#box, to, (job) => ({
                planes: 2,
                along,
                cell: job.cell,
                radii: radiiFor(radiiOf(Math.max(1, job.nail.width * job.zoom))),
            }));
        };
        const first = ({ base, rim }) => [base, base, rim, 0];
        const second = ({ around }) => [around, 0, 0, 0];
        this.#bind(0, this.#beneath);
        this.#bind(3, this.#masks);
        this.#pass(jobs, this.#prepare, b, (job) => job.given);
        mean(b, c, [1, 0], first);
        mean(c, b, [0, 1], first);
        this.#bind(2, b.texture);
        this.#pass(jobs, this.#gleam, a, (job) => ({ ...job.given, means: 2 }));
        mean(a, b, [1, 0], second);
        mean(b, c, [0, 1], second);
    }

    // A position relative to the picture's middle, in picture heights.
    #placeOf({ center: [x, y] }) {
        const { width, height } = this.#nails;
        return [(x - width / 2) / height, y / height - 0.5];
    }

    // Parameters as for #castShadow; alone: 1 for the polish alone.
    #finish({ nail, polish, crop, zoom, given }, { box, toFrame, height, alone }) {
        const coat = mixCoat(polish, nail, this.#nails.light, zoom, crop.end, this.#placeOf(nail));
        const effect = effectOf(coat.effect);
        if (!this.#surfaces.has(coat.effect))
            this.#surfaces.set(coat.effect, new Program(this.#gl, surface(effect.glsl)));
        this.#bind(1, this.#targets[0].texture);
        this.#bind(2, this.#targets[2].texture);
        this.#bind(4, this.#drawnPattern);
        this.#bind(5, this.#surround[1].texture);
        this.#readyPattern(coat, nail.width * zoom);
        this.#scissor(box, height);
        this.#surfaces
            .get(coat.effect)
            .use()
            .set({ ...given, ...coatUniforms(coat), ...effect.uniforms(coat) })
            .set({ height, toFrame, alone, split: 1, around: 2, pattern: 4, surround: 5 })
            .set({ ...outlookOf(nail, this.#nails, coat.effect), patternSpan: this.#spanOf(coat) })
            .draw();
    }

    #spanOf({ pattern, aspect, whole }) {
        const levels = pattern && this.#patterns.get(pattern.image);
        return levels ? spanOf(levels, aspect / whole[0]) : 1;
    }

    // Binds the pattern level for a nail of that width to texture unit 4.
    #readyPattern({ pattern }, nailWidth) {
        const levels = pattern && this.#patterns.get(pattern.image);
        const level = levels && levelFor(levels, Math.max(1, nailWidth));
        if (!level || level === this.#drawnLevel) return;
        const gl = this.#gl;
        this.#drawnLevel = level;
        gl.activeTexture(gl.TEXTURE4);
        const { width, height, texels } = level;
        gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, height, 0, gl.RGBA, gl.FLOAT, texels);
        gl.activeTexture(gl.TEXTURE0);
    }
}
