// The dialog for a look's link: a QR code, the link, copy, and the system's own share sheet.
import { qrCode } from './qr.js';

const quiet = 4; // width in modules of the light margin around the code

function drawCode(link) {
    const rows = qrCode(link);
    if (!rows) return null;
    const side = rows.length + 2 * quiet;
    const scale = Math.max(2, Math.floor(480 / side));
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = side * scale;
    const context = canvas.getContext('2d');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = '#000';
    rows.forEach((row, y) =>
        row.forEach((dark, x) => {
            if (dark) context.fillRect((x + quiet) * scale, (y + quiet) * scale, scale, scale);
        }),
    );
    return canvas;
}

function button(text, id, run) {
    const node = Object.assign(document.createElement('button'), { type: 'button', id });
    node.textContent = text;
    node.addEventListener('click', run);
    return node;
}

export class Sheet {
    element = document.createElement('dialog');
    #words;
    #shared;

    // shared: (how: 'copy' or 'sheet') → nothing, called when the link was copied or shared.
    constructor(words, shared) {
        this.#words = words;
        this.#shared = shared;
        Object.assign(this.element, { className: 'sheet', id: 'share-sheet' });
        this.element.addEventListener('close', () => this.element.remove());
        this.element.addEventListener('click', ({ target }) => {
            if (target === this.element) this.element.close();
        });
    }

    open({ text, url }, shade) {
        const { t } = this.#words;
        const title = document.createElement('h2');
        title.textContent = t('share.title', { shade });
        title.id = 'sheet-title';
        this.element.setAttribute('aria-labelledby', title.id);
        const code = drawCode(url);
        const hint = document.createElement('p');
        hint.textContent = t('share.scan');
        const link = Object.assign(document.createElement('input'), {
            readOnly: true,
            value: url,
            id: 'share-link',
            dir: 'ltr',
        });
        link.setAttribute('aria-label', t('share.link'));
        link.addEventListener('focus', () => link.select());
        if (code) {
            code.setAttribute('role', 'img');
            code.setAttribute('aria-label', t('share.scan'));
        }
        const actions = document.createElement('div');
        actions.append(button(t('share.copy'), 'share-copy', (event) => this.#copy(event, link)));
        if (navigator.canShare?.({ text, url }))
            actions.append(button(t('share.send'), 'share-send', () => this.#send(text, url)));
        actions.append(button(t('dismiss'), 'share-close', () => this.element.close()));
        const body = document.createElement('div');
        body.append(title, ...(code ? [code, hint] : []), link, actions);
        this.element.replaceChildren(body);
        this.element.showModal();
    }

    async #copy({ currentTarget }, link) {
        try {
            await navigator.clipboard.writeText(link.value);
        } catch {
            link.select(); // not allowed in this frame: the link is selected, so that the user can
                           // copy it
            return;
        }
        currentTarget.textContent = this.#words.t('share.copied');
        this.#shared('copy');
    }

    async #send(text, url) {
        try {
            await navigator.share({ text, url });
            this.#shared('sheet');
        } catch {
            /* the user cancelled; the dialog with the link stays open */
        }
    }
}
