// The try-on's wiring: modes (empty, live, photo), buttons, messages. Everything else has its own
// file.
import { Adviser } from '../live/advice.js';
import { Camera } from '../live/camera.js';
import { Cards } from '../look/cards.js';
import { Catalogue } from '../look/catalogue.js';
import { Chooser } from '../look/chooser.js';
import { Comparison } from './compare.js';
import { drawFan } from './fan.js';
import { takePhotos } from '../photo/files.js';
import { Hud } from './hud.js';
import { canShare, savePicture, sharePicture } from '../photo/download.js';
import { Live } from '../live/live.js';
import { LookStore } from '../look/look.js';
import { Notices } from './notice.js';
import { Panel } from '../look/panel.js';
import { Photo, PhotoError } from '../photo/photo.js';
import { BitmapPicture } from './picture.js';
import { Shades } from '../look/shades.js';
import { Stage } from './stage.js';
import { Stats } from '../live/stats.js';

export class App {
    stats = new Stats();
    lookStore = new LookStore();
    catalogue = new Catalogue();
    #find;
    #words;
    #base;
    #tell;
    #notices;
    #hud;
    #shades;
    #panel;
    #cards;
    #chooser;
    #comparison;
    #adviser = new Adviser();
    #mode = 'empty';
    #cameraCount = 0;
    #facing;
    #deviceId = '';
    #mirrorChosen = null; // null: mirror what faces the user
    #wakeLock = null;
    #nails = -1;
    #ticking = 0;
    #leaveFiles = null;

    // root: the shadow root; tell: (event name, detail) → nothing.
    constructor({ root, words, base, facing, tell }) {
        const find = (id) => root.getElementById(id);
        const { lookStore, catalogue, stats } = this;
        this.#find = find;
        this.#words = words;
        this.#base = base;
        this.#tell = tell;
        this.#facing =
            facing ?? (matchMedia('(pointer: coarse)').matches ? 'environment' : 'user');
        this.#notices = new Notices(find);
        this.stage = new Stage(find, words);
        this.camera = new Camera(find('video'));
        this.live = new Live({
            camera: this.camera,
            stage: this.stage,
            stats,
            lookStore,
            base,
        });
        this.photo = new Photo({ lookStore, base });
        this.#hud = new Hud(find, words);
        this.#shades = new Shades({ find, lookStore, catalogue, words, say: this.#notices.say });
        this.#panel = new Panel({ find, lookStore, words });
        this.#cards = new Cards({ find, lookStore, catalogue, words, base });
        this.#chooser = new Chooser({ find, lookStore, words });
        this.#comparison = new Comparison({
            find,
            words,
            stage: this.stage,
            lookStore,
            secondOffered: () => this.#secondOffered,
            textOf: (color, finish) =>
                `${this.#shades.nameOf(color)} · ${this.#cards.finishText(finish)}`,
        });
        drawFan(find('fan'));
        this.#wireControls();
        this.#wireLive();
        this.#wirePhoto();
        this.#panel.build([]);
        this.#showLook();
        this.#readInfo();
        this.#readCatalogue();
        this.#listCameras();
    }

    // In the page, and out of it.
    resume() {
        this.#leaveFiles ??= takePhotos({
            find: this.#find,
            choose: [this.#find('choose'), this.#find('photo')],
            open: (file) => this.#openPhoto(file),
        });
        this.#ticking ||= setInterval(() => this.#tick(), 250);
    }

    pause() {
        if (this.#mode === 'live') this.#stopCamera();
        clearInterval(this.#ticking);
        this.#ticking = 0;
        this.#leaveFiles?.();
        this.#leaveFiles = null;
    }

    // After a change of language: what no data-t attribute says.
    translate() {
        const { t } = this.#words;
        this.#hud.name(this.#words);
        this.#shades.build();
        this.#cards.build();
        this.#panel.build(this.catalogue.patterns.map(({ name }) => name));
        this.#offerNails({ force: true });
        this.#setMode(this.#mode, { same: true });
        if (this.#mode === 'empty') this.#notices.link('idle', t('link.ready'));
        this.#comparison.tag();
        this.#transportHint();
        this.#listCameras();
    }

    // ---- modes ---------------------------------------------------------------------------------

    #setMode(next, { same = false } = {}) {
        const find = this.#find;
        this.#mode = next;
        find('stage').dataset.mode = next;
        find('intro').hidden = next !== 'empty';
        find('tools').hidden = next === 'empty';
        find('hud').hidden = next !== 'live';
        this.#offerFlip();
        const stop = next === 'photo' ? 'tool.camera' : 'tool.stop';
        find('stop-text').textContent = this.#words.t(stop);
        find('stop-icon').setAttribute('href', next === 'photo' ? '#i-camera' : '#i-stop');
        this.#offerNails();
        if (same) return;
        if (next === 'empty') {
            this.stage.clear();
            this.#notices.link('idle', this.#words.t('link.ready'));
        }
        if (next !== 'live') delete find('stage').dataset.stale;
        this.#comparison.set(null);
        this.#pictureReady(!this.stage.empty);
    }

    #pictureReady(ready) {
        for (const id of ['save', 'share', 'compare']) this.#find(id).disabled = !ready;
    }

    // ---- compare -------------------------------------------------------------------------------

    get #secondOffered() {
        return this.#mode === 'photo' || (this.#mode === 'live' && this.live.picture !== null);
    }

    async #wanted() {
        if (this.#mode === 'photo' && this.stage.wantsSecond) this.photo.paint();
        const { picture } = this.stage;
        if (!this.stage.wantsOriginal || !picture?.setOriginal) return;
        const original = await (this.#mode === 'photo' ? this.photo.before() : this.live.before());
        if (!original) return;
        if (picture !== this.stage.picture) original.close();
        else picture.setOriginal(original);
        this.stage.draw();
    }

    // ---- camera --------------------------------------------------------------------------------

    #applyMirror() {
        const facing = this.camera.settings.facingMode ?? this.#facing;
        const on = this.#mode === 'live' && (this.#mirrorChosen ?? facing === 'user');
        this.stage.mirror = on;
        if (this.#mode === 'live') this.#find('mirror').checked = on;
    }

    #offerFlip() {
        this.#find('flip').hidden = this.#mode !== 'live' || this.#cameraCount < 2;
    }

    #listCameras = async () => {
        const { t } = this.#words;
        const cameras = await this.camera.list();
        this.#cameraCount = cameras.length;
        const current = this.camera.settings.deviceId ?? this.#deviceId;
        const options = cameras.map(
            ({ deviceId: id, label, number }) =>
                new Option(
                    label || t('settings.cameraNumber', { number }),
                    id,
                    false,
                    id === current,
                ),
        );
        if (!options.length) options.push(new Option(t('settings.cameraDefault'), ''));
        this.#find('cameras').replaceChildren(...options);
        this.#offerFlip();
    };

    #startCamera = async () => {
        const { t } = this.#words;
        const find = this.#find;
        const before = find('stage').getRootNode().activeElement;
        this.live.stop();
        this.#notices.quiet();
        this.#notices.busy(t('busy.camera'));
        find('start').disabled = true;
        try {
            await this.camera.start({ deviceId: this.#deviceId, facing: this.#facing });
            this.photo.close();
            this.stage.clear();
            this.#setMode('live');
            this.#applyMirror();
            this.#adviser.reset();
            this.live.start();
            this.#keepAwake();
            if (!before?.checkVisibility()) find('stop').focus({ preventScroll: true });
            await this.#listCameras();
        } catch (error) {
            this.#cameraFailed(error);
        } finally {
            find('start').disabled = false;
        }
    };

    #cameraFailed({ reason, why }) {
        const { t } = this.#words;
        this.#notices.busy('');
        if (this.#mode === 'live') this.#setMode('empty');
        const again = reason !== 'insecure' && reason !== 'unsupported';
        this.#notices.notify(t(`camera.${reason}`, { why }), {
            kind: 'bad',
            action: again ? t('again') : '',
            run: this.#startCamera,
            key: 'camera',
        });
    }

    #stopCamera() {
        this.live.stop();
        this.camera.stop();
        this.#wakeLock?.release();
        this.#notices.busy('');
        this.#notices.quiet();
        this.#setMode('empty');
        this.#notices.say(this.#words.t('say.stopped'));
        this.#find('start').focus({ preventScroll: true });
    }

    // A phone's screen stays on while it is a mirror.
    #keepAwake = async () => {
        if (this.#mode !== 'live' || document.hidden || !navigator.wakeLock) return;
        try {
            await this.#wakeLock?.release();
            this.#wakeLock = await navigator.wakeLock.request('screen');
        } catch {
            /* low battery, or not allowed: the screen follows its own rules */
        }
    };

    #flip = async () => {
        const cameras = await this.camera.list();
        const at = cameras.findIndex((c) => c.deviceId === this.camera.settings.deviceId);
        this.#facing = this.#facing === 'user' ? 'environment' : 'user';
        this.#deviceId =
            matchMedia('(pointer: coarse)').matches || at < 0
                ? ''
                : cameras[(at + 1) % cameras.length].deviceId;
        await this.#startCamera();
    };

    // ---- live ----------------------------------------------------------------------------------

    #wireLive() {
        const { t } = this.#words;
        this.live.onstate = (state, detail) => this.#liveState(state, detail);
        this.live.onframe = (reply) => this.#liveFrame(reply);
        this.live.onerror = (why) =>
            this.#notices.notify(t('frame.failed', { why: why ?? t('frame.unreadable') }), {
                kind: 'warn',
                key: 'frame',
                forMs: 5000,
            });
        this.#adviser.onadvice = (key) => {
            const { shown } = this.#notices;
            if (shown.startsWith('advice.') && shown !== key) this.#notices.quiet(shown);
            if (key && this.#find('notice').hidden && key !== this.#dismissed)
                this.#notices.notify(t(key), { key });
            if (!key) this.#dismissed = '';
        };
        this.camera.onended = () => {
            this.#stopCamera();
            this.#notices.notify(t('camera.lost'), {
                kind: 'bad',
                action: t('startAgain'),
                run: this.#startCamera,
            });
        };
    }
    #dismissed = ''; // advice that the reader has read; not said again until all was well

    #liveState(state, { retryMs = 0 } = {}) {
        if (this.#mode !== 'live') return;
        const { t } = this.#words;
        if (state === 'open') {
            this.#notices.link('live', t('link.live'));
            return;
        }
        if (state === 'connecting') {
            this.#notices.link('wait', t('link.connecting'));
            if (this.stage.empty) this.#notices.busy(t('busy.connecting'));
            return;
        }
        this.#notices.busy('');
        const drawn = this.stage.picture === this.live.picture;
        if (!drawn) this.#find('stage').dataset.stale = '';
        const seconds = Math.max(1, Math.round(retryMs / 1000));
        this.#notices.link('gone', t(`link.${state}`, { seconds }));
        const silent = drawn || this.stage.empty ? 'server.silent' : 'server.silentStale';
        this.#notices.notify(t(state === 'busy' ? 'server.busy' : silent), {
            kind: 'bad',
            action: t('now'),
            run: () => this.live.retryNow(),
            key: 'server',
        });
    }

    #liveFrame({ id, nails, breadths }) {
        const { t } = this.#words;
        this.#notices.busy('');
        this.#notices.quiet('server');
        this.#notices.quiet('frame');
        delete this.#find('stage').dataset.stale;
        this.stage.canvas.dataset.frame = id;
        this.stage.canvas.dataset.nails = nails;
        this.#noteDrawn(this.live.picture ? 'here' : 'there');
        if (this.#find('save').disabled) {
            this.#pictureReady(true);
            this.#notices.say(t('say.live'));
        }
        this.#notices.link('live', t('link.live'));
        const { video } = this.camera;
        const size = [video.videoWidth, video.videoHeight];
        this.#adviser.see({ nails, breadths, source: video, size });
    }

    // Where polish is drawn decides whether a second look is to be had: a painted picture wears
    // one.
    #noteDrawn(where) {
        const { dataset } = this.stage.canvas;
        if (dataset.drawn === where) return;
        dataset.drawn = where;
        if (!this.#comparison.again()) return;
        const why = this.live.painterLost ? 'compare.lost' : 'compare.alone';
        this.#notices.notify(this.#words.t(why), { kind: 'warn', key: 'compare', forMs: 8000 });
    }

    #tick() {
        if (this.#mode !== 'live') return;
        this.live.watch();
        this.#offerNails();
        const summary = this.stats.summary();
        this.#hud.show(summary);
        if (!summary.count || summary.nails === this.#nails) return;
        this.#nails = summary.nails;
        this.#tell('lacquer-nails', { count: this.#nails });
        this.stage.canvas.setAttribute(
            'aria-label',
            this.#words.t('picture.live', {
                nails: this.#words.t('nails', { count: this.#nails }),
                shade: this.#shades.nameOf(this.lookStore.main.fields.color),
            }),
        );
    }

    // ---- photo ---------------------------------------------------------------------------------

    async #openPhoto(file) {
        this.live.stop();
        this.camera.stop();
        this.#notices.quiet();
        this.lookStore.forgetNumbers();
        await this.photo.load(file);
    }

    #wirePhoto() {
        const { t } = this.#words;
        this.photo.wantsSecond = () => this.stage.wantsSecond;
        this.photo.onstart = () => {
            if (this.#mode === 'photo') this.#notices.link('wait', t('link.painting'));
            this.#notices.busy(t('busy.photo'));
        };
        this.photo.onshow = (result) => this.#photoShown(result);
        this.photo.onerror = (error) => this.#photoFailed(error);
        this.stage.onwant = () => this.#wanted();
        this.stage.ontap = (nail) => this.#tapped(nail);
    }

    async #photoShown({ painted, second, nails, ms }) {
        const { t } = this.#words;
        const wanted = this.stage.wantsOriginal && this.#mode === 'photo';
        const original = wanted ? await this.photo.before() : null;
        if (this.#mode !== 'photo') {
            this.stage.clear();
            this.#setMode('photo');
        }
        this.stage.mirror = false;
        this.stage.show(new BitmapPicture(painted, { original, second, nails }));
        this.#offerNails();
        const { dataset } = this.stage.canvas;
        dataset.nails = nails.length;
        dataset.frame = Number(dataset.frame ?? 0) + 1;
        this.#notices.busy('');
        this.#notices.quiet('photo');
        this.#pictureReady(true);
        const size = { width: painted.width, height: painted.height };
        this.#notices.link('idle', t('link.photo', { ...size, ms: Math.round(ms) }));
        if (nails.length) this.#notices.quiet('nails');
        else this.#notices.notify(t('advice.photo'), { key: 'nails' });
        const shade = this.#shades.nameOf(this.lookStore.main.fields.color);
        const count = t('nails', { count: nails.length });
        this.stage.canvas.setAttribute('aria-label', t('picture.photo', { nails: count, shade }));
        const { nail, fields } = this.lookStore;
        const changed = nail ? this.#chooser.nameOf(nail) : count;
        this.#notices.say(
            t('say.painted', { nails: changed, shade: this.#shades.nameOf(fields.color) }),
        );
    }

    #photoFailed(error) {
        const { t } = this.#words;
        this.#notices.busy('');
        if (this.#mode === 'photo') this.#notices.link('gone', t('link.notPainted'));
        if (this.#mode === 'live') this.#setMode('empty');
        const text =
            error instanceof PhotoError
                ? t(error.key, error.values)
                : t('photo.failed', { why: error.message });
        this.#notices.notify(text, {
            kind: 'bad',
            key: 'photo',
            action: t('another'),
            run: () => this.#find('file').click(),
        });
    }

    // ---- one nail -------------------------------------------------------------------------------

    // Nails that can be chosen: those of a picture that is painted nail by nail.
    #offerNails({ force = false } = {}) {
        const nails = this.#mode === 'empty' ? [] : (this.stage.picture?.nails ?? []);
        this.#chooser.offer(nails, { mirrored: this.stage.mirror, force });
    }

    #tapped(nail) {
        const { t } = this.#words;
        if (!nail && !this.lookStore.nail) return;
        const key = nail && nail.key !== this.lookStore.nail ? nail.key : null;
        this.#offerNails();
        this.lookStore.edit({ nail: key });
        this.#notices.say(t('say.nail', { nail: this.#chooser.nameOf(key) }));
    }

    // ---- controls ------------------------------------------------------------------------------

    async #snapshot() {
        const blob = this.#mode === 'photo' ? this.photo.result : await this.stage.save();
        if (blob) this.#tell('lacquer-picture', { blob });
        return { blob, shade: this.#shades.nameOf(this.lookStore.main.fields.color) };
    }

    #save = async () => {
        const { blob, shade } = await this.#snapshot();
        if (!blob) return;
        savePicture(blob, shade);
        this.#notices.say(this.#words.t('say.saved'));
    };

    #share = async () => {
        const { t } = this.#words;
        const { blob, shade } = await this.#snapshot();
        try {
            if (blob && (await sharePicture(blob, shade))) this.#notices.say(t('say.shared'));
        } catch (error) {
            this.#notices.notify(t('share.failed', { why: error.message }), {
                kind: 'warn',
                action: t('tool.save'),
                run: this.#save,
            });
        }
    };

    #transportHint() {
        this.#find('transport-hint').textContent = this.#words.t(`settings.${this.live.kind}Hint`);
    }

    #wireControls() {
        const find = this.#find;
        const on = (id, type, call) => find(id).addEventListener(type, call);
        on('skip', 'click', () => find('panel').focus());
        on('start', 'click', this.#startCamera);
        on('stop', 'click', () =>
            this.#mode === 'photo' ? this.#startCamera() : this.#stopCamera(),
        );
        on('save', 'click', this.#save);
        on('share', 'click', this.#share);
        find('share').hidden = !canShare();
        on('flip', 'click', this.#flip);
        this.#notices.onclose = (key) => {
            this.#dismissed = key;
        };
        on('mirror', 'change', () => {
            this.#mirrorChosen = find('mirror').checked;
            this.#applyMirror();
        });
        on('cameras', 'change', () => {
            this.#deviceId = find('cameras').value;
            if (this.#mode === 'live') this.#startCamera();
        });
        for (const input of find('more').querySelectorAll('input[name=transport]'))
            input.addEventListener('change', () => {
                this.live.kind = input.value;
                this.#transportHint();
            });
        this.lookStore.addEventListener('change', () => this.#lookChanged());
        this.lookStore.addEventListener('choice', () => this.#showLook());
        navigator.mediaDevices?.addEventListener?.('devicechange', this.#listCameras);
        document.addEventListener('visibilitychange', this.#keepAwake);
    }

    #showLook() {
        this.#find('app').style.setProperty('--shade', this.lookStore.fields.color);
        this.#shades.show();
        this.#panel.show();
        this.#cards.show();
        this.#chooser.show();
        this.stage.ring(this.lookStore.nail);
        this.#comparison.tag();
    }

    #lookChanged() {
        this.#showLook();
        this.photo.paint();
        this.#tell('lacquer-look', this.lookStore.main.fields);
    }

    // Asked again while the server does not say: without it there is nothing to choose from.
    #readCatalogue = async () => {
        try {
            await this.catalogue.load(this.#base);
        } catch {
            setTimeout(this.#readCatalogue, 3000);
            return;
        }
        const { patterns } = this.catalogue;
        this.#cards.build();
        this.#panel.build(patterns.map(({ name }) => name));
        this.#showLook();
        await Promise.all([this.live.takePatterns(patterns), this.#cards.takePatterns(patterns)]);
        this.#cards.show();
    };

    async #readInfo() {
        try {
            const url = new URL('api/v1/info', this.#base);
            const info = await (await fetch(url, { cache: 'no-store' })).json();
            const model = typeof info.model === 'string' ? info.model : info.model?.name;
            this.#find('about').textContent = ['Lacquer', info.version, model && `· ${model}`]
                .filter(Boolean)
                .join(' ');
        } catch {
            /* the page works without; the connection says when the server is gone */
        }
    }
}
