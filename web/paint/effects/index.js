// The effect of each finish; finishes not listed here have only polish and top coat.
import * as catEye from './cat-eye.js';
import * as chrome from './chrome.js';
import * as glitter from './glitter.js';
import * as holographic from './holographic.js';
import * as metallic from './metallic.js';
import * as pearl from './pearl.js';
import * as shimmer from './shimmer.js';
import * as textured from './textured.js';

const none = { glsl: 'void effect(inout vec3 color) {}', uniforms: () => ({}) };
const effects = {
    pearl, shimmer, glitter, metallic, chrome, holographic, 'cat-eye': catEye, textured,
};

export const effectOf = (finish) => effects[finish] ?? none;
