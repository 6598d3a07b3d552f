// The look as a link: read from the page's address, and created by a button.
import { reportMissing } from '../ui/missing.js';
import { linkTo, readLook } from './link.js';

export class Sharing {
    #app;
    #words;
    #dispatch;
    #page;
    #root;
    #button = document.createElement('button');

    // page: the address that links lead to.
    constructor({ app, find, words, dispatch, page }) {
        this.#app = app;
        this.#words = words;
        this.#dispatch = dispatch;
        this.#page = page;
        this.#root = find('app');
        Object.assign(this.#button, { type: 'button', className: 'heart', id: 'share-look' });
        this.#button.innerHTML = '<svg aria-hidden="true"><use href="#i-share"/></svg>';
        find('favourite').after(this.#button);
        this.#button.addEventListener('click', () => this.#open());
        words.addEventListener('change', () => this.#name());
        this.#name();
    }

    #name() {
        this.#button.setAttribute('aria-label', this.#words.t('share.look'));
    }

    get link() {
        const { lookStore, catalogue } = this.#app;
        return linkTo(this.#page, lookStore.main.json, catalogue.looks);
    }

    // Text and link to share with a picture.
    get message() {
        const shade = this.#app.shadeName();
        return { text: this.#words.t('share.text', { shade }), url: this.link };
    }

    // texts: {main, second}: looks as in addresses; each may be missing.
    wear(texts) {
        const { catalogue, lookStore, notices } = this.#app;
        for (const side of ['main', 'second']) {
            if (!texts[side]) continue;
            const read = readLook(texts[side], catalogue);
            if (read) lookStore[side].wear(read.look);
            const key = !read ? 'share.broken' : read.lost.length ? 'share.partly' : '';
            if (key) notices.notify(this.#words.t(key), { kind: 'warn', key: 'link' });
            if (key) this.#dispatch('lacquer-error', { kind: 'link', message: this.#words.t(key) });
        }
    }

    async #open() {
        const part = await import('./sheet.js').catch(() => null);
        if (!part) {
            reportMissing(this.#app, this.#words);
            return;
        }
        const sheet = new part.Sheet(this.#words, (how) =>
            this.#dispatch('lacquer-share', { how, url: this.link }),
        );
        this.#root.append(sheet.element);
        sheet.open(this.message, this.#app.shadeName());
    }
}
