// Saves and shares the picture as shown.
import { canShare, savePicture, sharePicture } from '../photo/download.js';

const seenMs = 2200; // how long the button says that the picture was saved

export class Export {
    #app;
    #find;
    #words;
    #timer = 0;

    constructor({ app, find, words }) {
        this.#app = app;
        this.#find = find;
        this.#words = words;
        find('save').addEventListener('click', this.#save);
        find('share').addEventListener('click', this.#share);
        find('share').hidden = !canShare();
    }

    async #snapshot() {
        const { mode, photo, stage } = this.#app;
        const blob = mode === 'photo' ? photo.result : await stage.save();
        if (blob) this.#app.dispatch('lacquer-picture', { blob });
        return { blob, shade: this.#app.shadeName() };
    }

    #save = async () => {
        const { blob, shade } = await this.#snapshot();
        if (!blob) return;
        savePicture(blob, shade);
        this.#app.notices.say(this.#words.t('say.saved'));
        this.#showSaved();
    };

    // A flash over the picture and a tick on the button: the file itself lands out of sight.
    #showSaved() {
        const save = this.#find('save');
        const icon = save.querySelector('use');
        const stage = this.#find('stage');
        clearTimeout(this.#timer);
        delete stage.dataset.flash;
        requestAnimationFrame(() => {
            stage.dataset.flash = '';
        });
        save.dataset.saved = '';
        icon.setAttribute('href', '#i-tick');
        this.#find('save-text').textContent = this.#words.t('tool.saved');
        this.#timer = setTimeout(() => {
            delete save.dataset.saved;
            delete stage.dataset.flash;
            icon.setAttribute('href', '#i-save');
            this.#find('save-text').textContent = this.#words.t('tool.save');
        }, seenMs);
    }

    #share = async () => {
        const { t } = this.#words;
        const { notices } = this.#app;
        const { blob, shade } = await this.#snapshot();
        try {
            const message = this.#app.message?.();
            if (!blob || !(await sharePicture(blob, shade, message))) return;
            notices.say(t('say.shared'));
            this.#app.dispatch('lacquer-share', { how: 'picture', url: message?.url, blob });
        } catch (error) {
            notices.notify(t('share.failed', { why: error.message }), {
                kind: 'warn',
                action: t('tool.save'),
                run: this.#save,
            });
        }
    };
}
