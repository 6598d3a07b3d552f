// A photo on the stage: shows it when painted, or the reason why it was not. Panel and picture stay
// consistent: a photo that the server could not paint is retried automatically.
import { PhotoError } from '../photo/photo.js';
import { BitmapPicture } from './picture.js';

const againMs = [2000, 4000, 8000, 15000];

export class PhotoMode {
    #app;
    #find;
    #words;
    #tries = 0;
    #timer = 0;

    // app: App (mode, setMode, photo, stage, notices, …).
    constructor({ app, find, words }) {
        this.#app = app;
        this.#find = find;
        this.#words = words;
        const { photo } = app;
        photo.wantsSecond = () => app.stage.wantsSecond;
        photo.onstart = () => this.#started();
        photo.onshow = (result) => this.#shown(result);
        photo.onerror = (error) => this.#failed(error);
    }

    async open(file) {
        const { live, camera, notices, lookStore, photo } = this.#app;
        live.stop();
        camera.stop();
        notices.quiet();
        this.#forget();
        lookStore.forgetNumbers();
        await photo.load(file);
    }

    // Called when the element is added to the page: its retries ended when it was removed.
    resume() {
        if (this.#tries) this.#app.photo.paint();
    }

    // Called when the picture was replaced or removed.
    leave() {
        this.#forget();
        delete this.#find('stage').dataset.stale;
    }

    #forget() {
        clearTimeout(this.#timer);
        this.#tries = 0;
    }

    #started() {
        const { mode, notices } = this.#app;
        clearTimeout(this.#timer);
        if (mode === 'photo') notices.link('wait', this.#words.t('link.painting'));
        notices.busy(this.#words.t('busy.photo'));
    }

    async #shown({ painted, second, nails }) {
        const { t } = this.#words;
        const app = this.#app;
        const { stage, notices } = app;
        const wanted = stage.wantsOriginal && app.mode === 'photo';
        const original = wanted ? await app.photo.before() : null;
        if (app.mode !== 'photo') {
            stage.clear();
            app.setMode('photo');
        }
        this.#forget();
        delete this.#find('stage').dataset.stale;
        stage.mirror = false;
        stage.show(new BitmapPicture(painted, { original, second, nails }));
        app.offerNails();
        const { dataset } = stage.canvas;
        dataset.nails = nails.length;
        dataset.frame = Number(dataset.frame ?? 0) + 1;
        notices.busy('');
        notices.quiet('photo');
        app.pictureReady(true);
        notices.link('idle', t('link.photo'));
        if (nails.length) notices.quiet('nails');
        else notices.notify(t('advice.photo'), { key: 'nails' });
        app.misses.photo(nails);
        this.#announce(nails);
    }

    #announce(nails) {
        const { t } = this.#words;
        const app = this.#app;
        const shade = app.shadeName();
        const count = t('nails', { count: nails.length });
        app.stage.canvas.setAttribute('aria-label', t('picture.photo', { nails: count, shade }));
        const { nail, fields } = app.lookStore;
        const changed = nail ? app.nailName(nail) : count;
        app.notices.say(t('say.painted', { nails: changed, shade: app.shadeName(fields.color) }));
    }

    #failed(error) {
        const { t } = this.#words;
        const { photo, notices } = this.#app;
        notices.busy('');
        if (this.#app.mode === 'live') this.#app.setMode('empty');
        const known = error instanceof PhotoError;
        const text = known ? t(error.key, error.values) : t('photo.failed', { why: error.message });
        if (known && error.passing && photo.open) {
            this.#again(text);
            return;
        }
        if (this.#app.mode === 'photo') notices.link('gone', t('link.notPainted'));
        notices.notify(text, {
            kind: 'bad',
            key: 'photo',
            action: t('another'),
            run: () => this.#find('file').click(),
        });
    }

    // The server is silent or busy, or detection on the device stopped: the picture on the stage is
    // marked as old until it is painted again.
    #again(text) {
        const { t } = this.#words;
        const { live, photo, notices, stage } = this.#app;
        const waitMs = againMs[Math.min(this.#tries++, againMs.length - 1)];
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#app.attached && photo.paint(), waitMs);
        if (!stage.empty) this.#find('stage').dataset.stale = '';
        const key = live.alone ? 'link.deviceGone' : 'link.gone';
        notices.link('gone', t(key, { seconds: Math.round(waitMs / 1000) }));
        notices.notify(text, {
            kind: 'bad',
            key: 'photo',
            action: t('again'),
            run: () => photo.paint(),
        });
    }
}
