// The parameters of a polish in a nail's light for the shader, as lq_coat_mix (src/paint/finish.c)
// and mix_coat (src/paint/paint.c) compute them. docs/LOOKS.md has the steps.

const whitest = 0.94; // no polish reflects all light

// Top coats from matte to wet; between two of them every parameter is interpolated.
const names = [
    'contrast', 'lift', 'volume', 'depth', 'rim', 'halfW', 'halfU', 'softW', 'softU', 'strength',
    'mirror', 'haze', 'fresnel', 'kept',
];
const tops = [
    [0.0, [0.92, 0.7, 0.22, 0, 0.12, 0, 0, 0.9, 0.9, 0.012, 0, 0.016, 0, 0]],
    [0.35, [0.95, 0.6, 0.26, 0, 0.16, 0.05, 0.16, 0.55, 0.55, 0.13, 0.15, 0.028, 0.015, 0.2]],
    [0.6, [0.98, 0.9, 0.26, 0, 0.18, 0.01, 0.1, 0.36, 0.46, 0.1, 0.5, 0.03, 0.03, 0.85]],
    [1.0, [1.05, 1, 0.3, 0.1, 0.24, 0.07, 0.2, 0.11, 0.22, 0.4, 1, 0.026, 0.1, 1.15]],
];

// Each finish's top coat, how far one coat of it hides the nail, how far it tints what is seen
// through it, and the defaults of its parameters.
export const finishes = {
    creme: { gloss: 0.6, hide: 1, stain: 0 },
    gloss: { gloss: 1, hide: 1, stain: 0 },
    sheer: { gloss: 1, hide: 0.36, stain: 0.25 },
    jelly: { gloss: 1, hide: 0.3, stain: 0.9, strength: 0.7 },
    satin: { gloss: 0.35, hide: 1, stain: 0 },
    matte: { gloss: 0, hide: 1, stain: 0 },
    pearl: { gloss: 0.85, hide: 0.96, stain: 0, strength: 0.6, shift: 0.4 },
    shimmer: { gloss: 0.95, hide: 1, stain: 0, strength: 0.6, size: 0.3, density: 0.6 },
    glitter: { gloss: 0.95, hide: 0.85, stain: 0.3, strength: 0.7, size: 0.5, density: 0.7 },
    metallic: { gloss: 0.7, hide: 1, stain: 0, strength: 0.7 },
    chrome: { gloss: 0.85, hide: 1, stain: 0, strength: 1, shift: 0 },
    holographic: { gloss: 0.9, hide: 1, stain: 0, strength: 0.7, size: 0.3, shift: 0.5 },
    'cat-eye': { gloss: 1, hide: 1, stain: 0, strength: 0.8, width: 0.35, offset: 0.5, shift: 0 },
    textured: { gloss: 0.08, hide: 1, stain: 0, strength: 0.6, size: 0.4 },
};

const sharpEdge = 2; // width in pixels of the edges in a sharp picture

const clamp = (x, least, most) => Math.min(most, Math.max(least, x));

export function linearOf(hex) {
    return [1, 3, 5].map((i) => {
        const v = parseInt(hex.slice(i, i + 2), 16) / 255;
        return whitest * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    });
}

function recipeAt(gloss) {
    let i = 0;
    while (i + 2 < tops.length && gloss > tops[i + 1][0]) i++;
    const [low, high] = [tops[i], tops[i + 1]];
    const t = clamp((gloss - low[0]) / (high[0] - low[0]), 0, 1);
    return Object.fromEntries(
        names.map((name, k) => [name, low[1][k] + (high[1][k] - low[1][k]) * t]),
    );
}

// Makes a highlight as soft as the photo: it becomes larger and weaker.
function softened(top, blur, aspect) {
    const size = top.halfW + 0.5 * top.softW;
    if (blur <= 0 || size <= 0) return top;
    return {
        ...top,
        softW: top.softW + blur,
        softU: top.softU + blur / Math.max(aspect, 0.5),
        strength: (top.strength * size) / (size + 0.5 * blur),
    };
}

// A rough surface scatters light that has passed through some of the film: its shine takes the
// polish's colour and is weaker on a dark polish.
function gleamOf(pigment, gloss) {
    const rough = clamp(1.4 - gloss * (1.4 / 0.6), 0, 1);
    const most = Math.max(...pigment);
    const dark = 1 - clamp(2.5 * most, 0, 1);
    const less = 1 - 0.5 * clamp(1.7 * rough, 0, 1) * dark;
    return pigment.map((c) => less * (1 + (c / Math.max(most, 0.05) - 1) * 0.8 * rough));
}

// polish: a look's keys (docs/LOOKS.md), finish as a name or an object. → {name, parameters, …}
function effectOf(polish) {
    const said = typeof polish.finish === 'object' ? polish.finish : { name: polish.finish };
    const name = said.name in finishes ? said.name : 'creme';
    return { ...finishes[name], ...said, name, colors: (said.colors ?? []).map(linearOf) };
}

// The art drawn over the colour. Art that needs the nail's tip is left out if the tip is not known.
function artOf({ pattern, ombre, french }, tipKnown, opacity) {
    return {
        pattern: pattern && {
            image: pattern.image ?? pattern,
            opacity: (pattern.opacity ?? 1) * opacity,
            color: pattern.color ? linearOf(pattern.color) : null,
        },
        ombre: tipKnown && ombre && {
            color: linearOf(ombre.color),
            from: ombre.from ?? 0.2,
            to: ombre.to ?? 0.9,
        },
        french: tipKnown && french && {
            color: linearOf(french.color ?? '#fbf8f2'),
            width: french.width ?? 0.25,
            curve: french.curve ?? 0.5,
            shape: ['smile', 'straight', 'chevron', 'diagonal'].indexOf(french.shape ?? 'smile'),
        },
    };
}

// The values that are constant for a nail. zoom: picture pixels per reply pixel; end: u of its tip,
// above 1 if the nail is extended. place: of the nail, relative to the picture's middle, in picture
// heights.
export function mixCoat(polish, nail, light, zoom, end = 1, place = [0, 0]) {
    const effect = effectOf(polish);
    // An asymmetric band needs to know which end is the tip; without it, the band is centred.
    if (!nail.tipKnown && 'offset' in effect) effect.offset = 0.5;
    const film = finishes[effect.name];
    const opacity = polish.opacity ?? 1;
    const relative = clamp((nail.level / (light.level || nail.level)) ** 0.75, 0.5, 1.25);
    const width = Math.max(1, nail.width * zoom);
    const sheen = polish.sheen === false ? 0 : clamp((width - 5) * 0.1, 0, 1);
    const aspect = (nail.length * zoom) / width;
    const [ax, ay] = nail.axis;
    const [dx, dy] = light.direction;
    // How much softer the camera's edges are than those of a sharp picture, in half widths.
    const blur = (Math.max((nail.edge ?? 0) - sharpEdge, 0) * 2) / Math.max(1, nail.width);
    const gloss = polish.gloss ?? film.gloss;
    const top = softened(recipeAt(gloss), blur, aspect);
    const pigment = linearOf(polish.color);
    const away = [place[0] * ax + place[1] * ay, place[1] * ax - place[0] * ay];
    const stain = film.stain * opacity * (effect.name === 'jelly' ? effect.strength : 1);
    const turn = ((effect.angle ?? 0) * Math.PI) / 180;
    return {
        effect: effect.name,
        number: effect,
        top,
        pigment,
        gleam: gleamOf(pigment, gloss),
        light: light.tint.map((tint) => light.exposure * tint * relative),
        // If the nail's mean colour is not known: computed from its brightest and darkest channel,
        // which are known, in skin's order of channels.
        bed: nail.bed ?? [nail.level, nail.level * (0.3 + 0.7 * nail.grey), nail.level * nail.grey],
        hide: (1 - (1 - film.hide) ** (polish.coats ?? 1)) * opacity,
        stain,
        texture: polish.texture ?? 0.5,
        kept: sheen * top.kept,
        added: sheen,
        sun: [
            0.3 * (dx * ax + dy * ay) - 0.15 * away[0],
            0.75 * (dx * -ay + dy * ax) - 0.4 * away[1] + 0.3 * clamp(nail.shading[2], -0.6, 0.6),
        ],
        away,
        axis: nail.axis,
        stretch: aspect < 1.35 ? 1 + 2 * (1.35 - aspect) : 1,
        aspect,
        pixel: 2 / width,
        line: 2 / width + 0.5 * blur,
        blur,
        cuticle: nail.tipKnown ? 1 : 0,
        whole: [2 / (end + 1), 2 / (end + 1) - 1],
        turn: [Math.cos(turn), Math.sin(turn)],
        colors: effect.colors,
        ...artOf(polish, nail.tipKnown, opacity),
    };
}

// The uniforms of surface.js.
export function coatUniforms(coat) {
    const { top, ombre, french } = coat;
    return {
        pigment: coat.pigment,
        light: coat.light,
        hide: coat.hide,
        stain: coat.stain,
        body_: [top.contrast, top.volume, top.depth, top.rim],
        lift: top.lift,
        lamp: [top.halfW, top.halfU, top.softW, top.softU],
        back: [top.strength, top.mirror, top.haze, top.fresnel],
        gleam_: coat.gleam,
        axis: coat.axis,
        texture_: coat.texture,
        kept: coat.kept,
        added: coat.added,
        sun: coat.sun,
        stretch: coat.stretch,
        aspect: coat.aspect,
        pixel: coat.pixel,
        line_: coat.line,
        blur: coat.blur,
        cuticle: coat.cuticle,
        ombreColor: ombre ? ombre.color : [0, 0, 0],
        ombreAt: ombre ? [ombre.from, 1 / Math.max(ombre.to - ombre.from, 0.01), 1] : [0, 0, 0],
        frenchColor: french ? french.color : [0, 0, 0],
        frenchAt: french ? [french.width, french.curve, 1] : [0, 0, 0],
        frenchShape: french ? french.shape : 0,
        patternOn: coat.pattern ? coat.pattern.opacity : 0,
        patternDye: coat.pattern?.color ? [...coat.pattern.color, 1] : [0, 0, 0, 0],
        whole: coat.whole,
        bed: coat.bed,
    };
}
