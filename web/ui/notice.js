// The page's messages: one over the picture, the state in the top line, a line for screen readers,
// and a busy indicator.

export class Notices {
    #find;
    #timer = 0;
    onclose = () => {}; // (key of the message that the user dismissed)
    onbad = () => {}; // (key, text) of an error message, once while it stays

    constructor(find) {
        this.#find = find;
        find('notice-close').addEventListener('click', () => {
            this.onclose(this.shown);
            this.quiet();
        });
    }

    // One message at a time, known by its key; kind: 'info', 'warn' or 'bad'.
    notify(text, { kind = 'info', action = '', run = null, key = '', forMs = 0 } = {}) {
        clearTimeout(this.#timer);
        const box = this.#find('notice');
        const line = this.#find('notice-text');
        const button = this.#find('notice-action');
        if (kind === 'bad' && this.shown !== key) this.onbad(key, text);
        box.dataset.kind = kind;
        box.dataset.key = key;
        box.hidden = false;
        if (line.textContent !== text) line.textContent = text;
        button.hidden = !action;
        button.textContent = action;
        button.onclick = run;
        if (forMs) this.#timer = setTimeout(() => this.quiet(key), forMs);
    }

    quiet(key) {
        const box = this.#find('notice');
        if (key !== undefined && box.dataset.key !== key) return;
        box.hidden = true;
        box.dataset.key = '';
        this.#find('notice-text').textContent = '';
    }

    // Key of the message shown, '' for none.
    get shown() {
        const box = this.#find('notice');
        return box.hidden ? '' : box.dataset.key;
    }

    link(state, text) {
        this.#find('link').dataset.state = state;
        const line = this.#find('link-text');
        if (line.textContent !== text) line.textContent = text;
    }

    say = (text) => {
        const line = this.#find('live');
        if (line.textContent !== text) line.textContent = text;
    };

    // '' ends it: the line for screen readers is emptied, so that the same text is read out again.
    busy(text) {
        const line = this.#find('busy-text');
        this.#find('busy').hidden = !text;
        if (text) this.say((line.textContent = text));
        else if (this.#find('live').textContent === line.textContent) this.say('');
    }
}
