// Compares the picture with the original, or with a second look beside it.
import { finishName } from '../look/look.js';

export class Comparison {
    #find;
    #words;
    #stage;
    #lookStore;
    #secondOffered;
    #textOf;
    #versus = null; // what the picture is compared with: null, 'original' or 'second'

    // find: id → element; secondOffered: () → whether the picture can show a second look; textOf:
    // (color, finish) → their name in the user's language.
    constructor({ find, words, stage, lookStore, secondOffered, textOf }) {
        this.#find = find;
        this.#words = words;
        this.#stage = stage;
        this.#lookStore = lookStore;
        this.#secondOffered = secondOffered;
        this.#textOf = textOf;
        find('compare').addEventListener('click', () =>
            this.set(this.#versus === null ? 'original' : null),
        );
        find('versus').addEventListener('change', (event) => this.set(event.target.value));
    }

    set(versus) {
        this.#versus = versus;
        const find = this.#find;
        const second = versus === 'second';
        find('compare').setAttribute('aria-pressed', String(versus !== null));
        find('versus').hidden = versus === null || !this.#secondOffered();
        for (const input of find('versus').querySelectorAll('input'))
            input.checked = input.value === (versus ?? 'original');
        find('sides').hidden = !second;
        if (!second && this.#lookStore.editsSecond) this.#lookStore.edit({ second: false });
        this.tag();
        this.#stage.compare(versus);
    }

    // Called when the picture may have become able or unable to show a second look. → whether a
    // second look was shown and no longer can be.
    again() {
        if (this.#versus === null) return false;
        const gone = this.#versus === 'second' && !this.#secondOffered();
        this.set(gone ? 'original' : this.#versus);
        return gone;
    }

    // Names the two sides.
    tag() {
        const { t } = this.#words;
        const { main, second } = this.#lookStore;
        const name = ({ fields }) => this.#textOf(fields.color, finishName(fields));
        if (this.#versus === 'second') this.#stage.tag(name(second), name(main));
        else this.#stage.tag(t('compare.before'), t('compare.after'));
    }
}
