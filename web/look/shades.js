// The controls for a shade: grid with search, groups and favourites, colour picker, colour code.
import { parseHex } from './look.js';
import { seasonNames, skinNames } from './palette.js';

function element(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
}

export class Shades {
    #find;
    #lookStore;
    #catalogue;
    #words;
    #say;
    #picker;

    // find: id → element; say: text → nothing, announces it to screen readers.
    constructor({ find, lookStore, catalogue, words, say }) {
        this.#find = find;
        this.#lookStore = lookStore;
        this.#catalogue = catalogue;
        this.#words = words;
        this.#say = say;
        this.#wire();
        this.#wireHex();
        this.build();
        catalogue.addEventListener('change', () => this.build());
    }

    nameOf(color) {
        const shade = this.#catalogue.shadeOf(color);
        return shade ? this.#nameText(shade) : this.#words.t('shade.own');
    }

    // A shop's own shades keep the name that the shop gave them.
    #nameText({ id, name }) {
        const key = `swatch.${id}`;
        return this.#words.means(key, name) ? this.#words.t(key) : name;
    }

    // Called after a change of language or of the catalogue.
    build() {
        this.#buildGroups();
        this.#buildGrid();
        this.show();
    }

    show() {
        const { color } = this.#lookStore.fields;
        this.#find('shade-name').textContent = this.nameOf(color);
        const heart = this.#find('favourite');
        heart.setAttribute('aria-pressed', String(this.#catalogue.isFavourite(color)));
        heart.setAttribute(
            'aria-label',
            this.#words.t('shade.favourite', { shade: this.nameOf(color) }),
        );
        let shown = false;
        for (const input of this.#find('swatches').querySelectorAll('input[type=radio]')) {
            input.checked = input.value === color;
            shown ||= input.checked;
        }
        const custom = !shown && !this.#catalogue.shadeOf(color);
        this.#picker.parentElement.toggleAttribute('data-on', custom);
        this.#picker.value = color;
        const hex = this.#find('hex');
        if (hex.getRootNode().activeElement !== hex) hex.value = color;
    }

    // A shop's own families have no translation.
    #groupText(name) {
        const key = `group.${name}`;
        if (this.#words.has(key)) return this.#words.t(key);
        return name.charAt(0).toUpperCase() + name.slice(1);
    }

    #buildGroups() {
        const select = this.#find('group');
        const chosen = select.value || 'all';
        const { families } = this.#catalogue;
        const options = (names) => names.map((name) => new Option(this.#groupText(name), name));
        const under = (key, names) =>
            element('optgroup', { label: this.#words.t(key) }, ...options(names));
        select.replaceChildren(
            ...options(['all', 'favourites']),
            under('group.families', families),
            under('group.seasons', seasonNames),
            under('group.skins', skinNames),
        );
        const names = ['all', 'favourites', ...families, ...seasonNames, ...skinNames];
        select.value = names.includes(chosen) ? chosen : 'all';
    }

    #buildGrid() {
        const query = this.#find('search').value;
        const group = this.#find('group').value;
        const familyText = (family) => `${family} ${this.#groupText(family)}`;
        const nameText = (shade) => this.#nameText(shade);
        const shades = this.#catalogue.find({ query, group, familyText, nameText });
        this.#find('swatches').replaceChildren(
            ...shades.map((shade) => this.#swatch(shade)),
            this.#customTile(),
        );
        const none = this.#find('shades-none');
        none.hidden = shades.length > 0 || !this.#catalogue.shades.length;
        none.textContent = this.#words.t(
            group === 'favourites' && !query ? 'shade.noFavourites' : 'shade.none',
        );
        return shades.length;
    }

    #swatch(shade) {
        const { name, color, family } = shade;
        const title = name ? this.#nameText(shade) : color;
        // A shade's name alone does not describe the colour to a user who cannot see it.
        const label = family ? `${title}, ${this.#groupText(family)}` : title;
        const input = element('input', {
            type: 'radio',
            name: 'shade',
            value: color,
            'aria-label': label,
        });
        const nail = element('span');
        nail.style.setProperty('--c', color);
        input.addEventListener('change', () => this.#lookStore.set({ color }));
        return element('label', { class: 'swatch', title }, input, nail);
    }

    #customTile() {
        const title = this.#words.t('shade.any');
        this.#picker = element('input', { type: 'color', id: 'custom', 'aria-label': title });
        this.#picker.addEventListener('input', () =>
            this.#lookStore.set({ color: this.#picker.value }),
        );
        return element('label', { class: 'swatch custom', title }, this.#picker, element('span'));
    }

    #wire() {
        const again = () => {
            const count = this.#buildGrid();
            this.show();
            this.#say(this.#words.t('shades', { count }));
        };
        this.#find('search').addEventListener('input', again);
        this.#find('group').addEventListener('change', again);
        this.#find('favourite').addEventListener('click', () => {
            const { color } = this.#lookStore.fields;
            const on = !this.#catalogue.isFavourite(color);
            this.#catalogue.setFavourite(color, on);
            this.#say(
                this.#words.t(on ? 'say.favourite' : 'say.notFavourite', {
                    shade: this.nameOf(color),
                }),
            );
        });
    }

    #wireHex() {
        const hex = this.#find('hex');
        hex.addEventListener('input', () => {
            const color = parseHex(hex.value);
            hex.setAttribute('aria-invalid', String(!color && hex.value.length > 6));
            if (color && hex.value.replace('#', '').length === 6) this.#lookStore.set({ color });
        });
        hex.addEventListener('change', () => {
            const color = parseHex(hex.value);
            hex.removeAttribute('aria-invalid');
            if (color) this.#lookStore.set({ color });
            hex.value = this.#lookStore.fields.color;
        });
    }
}
