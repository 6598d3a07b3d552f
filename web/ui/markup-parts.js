// Markup shared by several files. Texts are keys, which i18n.js replaces.

export const icon = (name) => `<svg aria-hidden="true"><use href="#i-${name}"/></svg>`;

export const slider = (name, min = 0, max = 100) => `
<div class="slider" id="${name}-box"><span class="slider-head"><label class="label" for="${name}"
    data-t="${name}"></label><span class="slider-out" id="${name}-out"
    aria-hidden="true"></span></span>
  <input id="${name}" type="range" min="${min}" max="${max}" data-t-aria-label="${name}"
      aria-describedby="${name}-hint">
  <span class="slider-ends" id="${name}-hint"><span data-t="${name}.low"></span> <span
      data-t="${name}.high"></span></span></div>`;

// The line below a switch's name is its description, no part of the name.
export const toggle = (id, name, hint) => `
<label class="switch"><span><b id="${id}-name" data-t="${name}"></b><small id="${id}-hint"
    data-t="${hint}"></small></span><input id="${id}" type="checkbox" role="switch"
    aria-labelledby="${id}-name" aria-describedby="${id}-hint"></label>`;
