// Chooses which nail the controls change: all, or one, selected here or by a tap on it. A nail is
// named after its finger if that is known, else by its position from the left.

export class Chooser {
    #find;
    #lookStore;
    #words;
    #offered = '';
    #nails = [];

    constructor({ find, lookStore, words }) {
        this.#find = find;
        this.#lookStore = lookStore;
        this.#words = words;
        find('nail-list').addEventListener('change', ({ target }) =>
            lookStore.edit({ nail: target.value || null }),
        );
        find('nail-same').addEventListener('click', () => {
            lookStore.resetNail();
            find('nail-list').querySelector('input:checked')?.focus();
        });
    }

    // nails: as a picture has them; mirrored: whether the picture is shown mirrored; reserved: keep
    // the row even without nails, so that the layout does not shift as nails come and go.
    offer(nails, { mirrored = false, reserved = false, force = false } = {}) {
        const order = ['thumb', 'index', 'middle', 'ring', 'little'];
        const rank = ({ finger, x }) =>
            finger ? order.indexOf(finger) : 10 + (mirrored ? -x : x) / 1e5;
        this.#nails = [...nails].sort((a, b) => rank(a) - rank(b));
        // Rebuilt only if the keys change: a list that is rebuilt with every movement cannot be
        // used.
        const keys = [...new Set(this.#nails.map(({ key }) => key))];
        const { nail } = this.#lookStore;
        if (nail && !keys.includes(nail)) keys.push(nail);
        const offered = `${reserved} ${[...keys].sort().join(' ')}`;
        if (!force && offered === this.#offered) return;
        this.#offered = offered;
        this.#build(keys, reserved);
    }

    nameOf(key) {
        if (!key) return this.#words.t('nail.all');
        if (key[0] !== '#') return this.#words.t(`finger.${key}`);
        // Only nails without a known finger are numbered, from 1: "Middle, Nail 1, Nail 2".
        const nameless = this.#nails.filter((nail) => nail.key[0] === '#');
        const place = nameless.findIndex((nail) => nail.key === key);
        const number = (place < 0 ? nameless.length : place) + 1;
        return this.#words.t('nail.number', { number });
    }

    #build(keys, reserved) {
        const list = this.#find('nail-list');
        const focused = list.contains(list.getRootNode().activeElement);
        list.replaceChildren(...[null, ...keys].map((key) => this.#choice(key)));
        this.#find('nail-field').hidden = keys.length === 0 && !reserved;
        this.#find('nail-hint').textContent = this.#words.t(
            keys.length ? 'nail.hint' : 'nail.none',
        );
        this.show();
        if (focused) list.querySelector('input:checked')?.focus();
    }

    #choice(key) {
        const input = document.createElement('input');
        Object.assign(input, { type: 'radio', name: 'nail', value: key ?? '' });
        const chip = document.createElement('i');
        chip.ariaHidden = 'true';
        const span = document.createElement('span');
        span.append(chip, this.nameOf(key));
        const label = document.createElement('label');
        label.append(input, span);
        return label;
    }

    show() {
        const { nail, own } = this.#lookStore;
        for (const input of this.#find('nail-list').querySelectorAll('input')) {
            input.checked = input.value === (nail ?? '');
            const { color } = this.#lookStore.polishOf(input.value || null);
            input.parentElement.querySelector('i').style.setProperty('--shade', color);
        }
        this.#find('nail-same').hidden = !nail || !own.includes(nail);
    }
}
