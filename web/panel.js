// The polish controls: shades, finish, sliders. Native inputs, so keyboards and readers know them.
import { finishText, parseHex, shades, shadeText } from './look.js';

const $ = (id) => document.getElementById(id);

function element(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
}

function buildSwatches(look) {
    const box = $('swatches');
    for (const [name, color] of shades) {
        const input = element('input', {
            type: 'radio',
            name: 'shade',
            value: color,
            'aria-label': name,
        });
        const nail = element('span');
        nail.style.setProperty('--c', color);
        input.addEventListener('change', () => look.set({ color }));
        box.append(element('label', { class: 'swatch', title: name }, input, nail));
    }
    const picker = element('input', { type: 'color', id: 'custom', 'aria-label': 'Any colour' });
    picker.addEventListener('input', () => look.set({ color: picker.value }));
    box.append(
        element(
            'label',
            { class: 'swatch custom', title: 'Any colour', id: 'custom-tile' },
            picker,
            element('span'),
        ),
    );
}

export function buildFinishes(look, names) {
    const box = $('finishes');
    box.replaceChildren(
        ...names.map((name) => {
            const input = element('input', { type: 'radio', name: 'finish', value: name });
            input.addEventListener('change', () => look.set({ finish: name }));
            const chip = element('i', { 'data-finish': name, 'aria-hidden': 'true' });
            return element('label', {}, input, element('span', {}, chip, finishText(name)));
        }),
    );
    if (!names.includes(look.fields.finish)) look.set({ finish: names[0] });
    show(look.fields);
}

function slider(look, name) {
    const input = $(name);
    input.addEventListener('input', () => look.set({ [name]: Number(input.value) / 100 }));
}

function showSlider(name, value) {
    const percent = Math.round(value * 100);
    const input = $(name);
    if (Number(input.value) !== percent) input.value = percent;
    input.setAttribute('aria-valuetext', `${percent} percent`);
    input.style.setProperty('--fill', `${percent}%`);
    $(`${name}-out`).textContent = `${percent}%`;
}

function show(fields) {
    document.documentElement.style.setProperty('--shade', fields.color);
    $('shade-name').textContent = shadeText(fields.color);
    const known = document.querySelector(`input[name=shade][value="${fields.color}"]`);
    for (const input of document.querySelectorAll('input[name=shade]'))
        input.checked = input === known;
    $('custom-tile').toggleAttribute('data-on', !known);
    $('custom').value = fields.color;
    if (document.activeElement !== $('hex')) $('hex').value = fields.color;
    for (const input of document.querySelectorAll('input[name=finish]')) {
        input.checked = input.value === fields.finish;
    }
    showSlider('texture', fields.texture);
    showSlider('opacity', fields.opacity);
    $('sheen').checked = fields.sheen;
}

function wireHex(look) {
    const hex = $('hex');
    hex.addEventListener('input', () => {
        const color = parseHex(hex.value);
        hex.setAttribute('aria-invalid', String(!color && hex.value.length > 6));
        if (color && hex.value.replace('#', '').length === 6) look.set({ color });
    });
    hex.addEventListener('change', () => {
        const color = parseHex(hex.value);
        hex.removeAttribute('aria-invalid');
        if (color) look.set({ color });
        hex.value = look.fields.color;
    });
}

// A fan of swatch sticks in the chosen colour, for the page before there is a picture.
function buildFan() {
    const fan = $('fan');
    const make = (name, attributes) => {
        const node = document.createElementNS('http://www.w3.org/2000/svg', name);
        for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
        return node;
    };
    for (const angle of [-50, -25, 50, 25, 0]) {
        const group = make('g', { transform: `rotate(${angle} 160 196)` });
        group.append(
            make('path', { class: 'stick', d: 'M150 100h20l-3 104a7 7 0 0 1-14 0Z' }),
            make('path', {
                class: 'tip',
                d: 'M138 112V74c0-34 9-62 22-62s22 28 22 62v38c0 9-10 14-22 14s-22-5-22-14Z',
            }),
            make('path', {
                class: 'shadow',
                d: 'M160 12c13 0 22 28 22 62v38c0 9-10 14-22 14 8-3 12-8 12-18V74c0-30-4-52-12-62Z',
            }),
            make('path', { class: 'gloss', d: 'M148 98V70c0-19 3-32 7-39' }),
        );
        fan.append(group);
    }
    fan.append(make('circle', { class: 'pin', cx: 160, cy: 196, r: 5 }));
}

export function buildPanel(look, finishes) {
    buildFan();
    buildSwatches(look);
    buildFinishes(look, finishes);
    wireHex(look);
    slider(look, 'texture');
    slider(look, 'opacity');
    $('sheen').addEventListener('change', () => look.set({ sheen: $('sheen').checked }));
    $('panel').addEventListener('submit', (event) => event.preventDefault());
    look.addEventListener('change', () => show(look.fields));
    show(look.fields);
}
