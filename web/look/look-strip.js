// The strip of complete looks: one group at a time, with arrows.

const shiny = [
    'pearl',
    'shimmer',
    'glitter',
    'metallic',
    'chrome',
    'holographic',
    'cat-eye',
    'textured',
];

// The group of a look: by its nail art first, then its shape, then its finish.
export function groupOf({ finish, fingers, pattern, french, ombre, shape }) {
    const own = Object.values(fingers ?? {});
    if (pattern || own.some((fields) => fields.pattern)) return 'art';
    if (french || ombre) return 'french';
    if (shape?.length > 0) return 'long';
    const finishes = [finish, ...own.map((fields) => fields.finish)];
    return finishes.some((one) => shiny.includes(one?.name ?? one)) ? 'shine' : 'classic';
}

const groups = ['classic', 'french', 'shine', 'art', 'long'];

export class LookStrip {
    #find;
    #words;

    constructor({ find, words }) {
        this.#find = find;
        this.#words = words;
        find('look-group').addEventListener('change', () => this.#show());
        find('looks-back').addEventListener('click', () => this.#step(-1));
        find('looks-on').addEventListener('click', () => this.#step(1));
        find('looks').addEventListener('scroll', () => this.#offerSteps(), { passive: true });
        new ResizeObserver(() => this.#offerSteps()).observe(find('looks'));
    }

    // Called after the cards were built; looks: of the catalogue, in the cards' order.
    build(looks) {
        const { t } = this.#words;
        const labels = [...this.#find('looks').children];
        looks.forEach(({ look }, i) => {
            labels[i].dataset.group = groupOf(look);
        });
        const select = this.#find('look-group');
        const chosen = select.value || 'all';
        const there = groups.filter((name) => labels.some(({ dataset }) => dataset.group === name));
        select.replaceChildren(
            ...['all', ...there].map((name) => new Option(t(`group.${name}`), name)),
        );
        select.value = there.includes(chosen) ? chosen : 'all';
        this.#show();
    }

    #show() {
        const strip = this.#find('looks');
        const { value } = this.#find('look-group');
        for (const label of strip.children)
            label.hidden = value !== 'all' && label.dataset.group !== value;
        strip.scrollLeft = 0;
        this.#offerSteps();
    }

    #step(way) {
        const strip = this.#find('looks');
        const turned = getComputedStyle(strip).direction === 'rtl' ? -way : way;
        strip.scrollBy({ left: turned * 0.85 * strip.clientWidth, behavior: 'smooth' });
    }

    #offerSteps() {
        const { scrollLeft, scrollWidth, clientWidth } = this.#find('looks');
        const at = Math.abs(scrollLeft);
        this.#find('looks-back').disabled = at < 2;
        this.#find('looks-on').disabled = at > scrollWidth - clientWidth - 2;
    }
}
