// The try-on: its parts, its modes (empty, live, photo), and the effect of a change to the look.
// Everything else has its own file.
import { Camera } from '../live/camera.js';
import { CameraMode } from './camera-mode.js';
import { Cards } from '../look/cards.js';
import { Catalogue } from '../look/catalogue.js';
import { Chooser } from '../look/chooser.js';
import { Comparison } from './compare.js';
import { DevicePhotos } from '../device/photos.js';
import { drawFan } from './fan.js';
import { Export } from './export.js';
import { takePhotos } from '../photo/files.js';
import { HoldHint } from './hold-hint.js';
import { Hud } from './hud.js';
import { Live } from '../live/live.js';
import { LiveMode } from './live-mode.js';
import { LookStore } from '../look/look.js';
import { Misses } from './misses.js';
import { Notices } from './notice.js';
import { OwnDesign } from './own-design.js';
import { Panel } from '../look/panel.js';
import { Photo } from '../photo/photo.js';
import { PhotoMode } from './photo-mode.js';
import { Reference } from './reference.js';
import { Reset } from './reset.js';
import { Shades } from '../look/shades.js';
import { Stage } from './stage.js';
import { Stats } from '../live/stats.js';
import { Tabs } from './tabs.js';

// For engineers: ?backend=wasm or webgpu, ?threads=N.
function deviceOptionsOf(address) {
    const options = {};
    if (address.has('backend')) options.backend = address.get('backend');
    if (address.has('threads')) options.threads = Number(address.get('threads')) || 1;
    return options;
}

const againMs = 3000; // before the catalogue is requested again

export class App {
    stats = new Stats();
    lookStore = new LookStore();
    catalogue = new Catalogue();
    mode = 'empty';
    #find;
    #words;
    #base;
    #figures;
    #shades;
    #panel;
    #cards;
    #chooser;
    #comparison;
    #cameraMode;
    #liveMode;
    #photoMode;
    #own;
    #holdHint;
    #attached = null; // AbortController while the element is in a page
    #reading = null; // promise of the catalogue

    // root: the shadow root; dispatch: (event name, detail) → nothing; stats: whether to show
    // speed figures and the choice of a transport; engine: 'device' or 'server', where nails are
    // detected; device: URL of the device's runtime.
    constructor({ root, words, base, facing, dispatch, engine, device, stats = false }) {
        const find = (id) => root.getElementById(id);
        const { lookStore } = this;
        this.#find = find;
        this.#words = words;
        this.#base = base;
        this.dispatch = dispatch;
        this.#figures = stats;
        this.notices = new Notices(find);
        this.misses = new Misses({ notices: this.notices, words, lookStore });
        this.stage = new Stage(find, words);
        this.camera = new Camera(find('video'));
        const { camera, stage } = this;
        const options = deviceOptionsOf(new URLSearchParams(location.search));
        this.live = new Live({
            camera,
            stage,
            stats: this.stats,
            lookStore,
            base,
            device,
            deviceOptions: options,
            engine,
        });
        this.photo = new Photo({ lookStore, base });
        if (engine === 'device') this.photo.device = new DevicePhotos(this.live.device, options);
        this.hud = new Hud(find, words);
        this.#makePanel();
        this.#cameraMode = new CameraMode({ app: this, find, words, facing });
        this.#liveMode = new LiveMode({ app: this, find, words });
        this.#photoMode = new PhotoMode({ app: this, find, words });
        new Export({ app: this, find, words });
        new Reference({ app: this, find, words });
        new Reset({ app: this, find, words });
        new Tabs({ find });
        this.#holdHint = new HoldHint({ find });
        this.#own = new OwnDesign({ app: this, find, words, take: this.#takePatterns });
        find('transport').hidden = !stats;
        if (engine === 'device') find('privacy').dataset.t = 'intro.privacyDevice';
        drawFan(find('fan'));
        this.#wire();
        this.#panel.build([]);
        this.#showLook();
        this.#readInfo();
    }

    #makePanel() {
        const find = this.#find;
        const words = this.#words;
        const { lookStore, catalogue, stage } = this;
        this.#shades = new Shades({ find, lookStore, catalogue, words, say: this.notices.say });
        this.#panel = new Panel({ find, lookStore, words });
        const base = this.live.alone ? null : this.#base;
        this.#cards = new Cards({ find, lookStore, catalogue, words, base });
        this.#chooser = new Chooser({ find, lookStore, words });
        this.#comparison = new Comparison({
            find,
            words,
            stage,
            lookStore,
            secondOffered: () => this.#secondOffered,
            textOf: (color, finish) => this.polishName(color, finish),
        });
    }

    polishName(color, finish) {
        return `${this.shadeName(color)} · ${this.#cards.finishText(finish)}`;
    }

    get draws() {
        return this.#cards.drawn;
    }

    // Whether the element is in a page.
    get attached() {
        return this.#attached !== null;
    }

    // Called when the element is added to the page and removed from it. All that would keep a
    // removed element alive, or at work, begins and ends here.
    resume() {
        this.#attached = new AbortController();
        const { signal } = this.#attached;
        takePhotos({
            find: this.#find,
            choose: [this.#find('choose'), this.#find('photo')],
            open: (file) => this.#photoMode.open(file),
            signal,
        });
        this.stage.resume(signal);
        this.#cameraMode.resume(signal);
        this.#photoMode.resume();
        this.#liveMode.resume();
        this.#reading ??= this.#readCatalogue();
    }

    pause() {
        if (this.mode === 'live') this.#cameraMode.stop();
        else this.#cameraMode.end();
        this.#liveMode.pause();
        this.#attached.abort();
        this.#attached = null;
    }

    // After a change of language: updates texts that no data-t attribute covers.
    translate() {
        this.hud.name(this.#words);
        this.#shades.build();
        this.#cards.build();
        this.#panel.build(this.catalogue.patterns.map(({ name }) => name));
        this.offerNails({ force: true });
        this.setMode(this.mode, { same: true });
        if (this.mode === 'empty') this.notices.link('idle', this.#words.t('link.ready'));
        this.#comparison.tag();
        this.#transportHint();
        this.#cameraMode.list();
    }

    setMode(next, { same = false } = {}) {
        const find = this.#find;
        this.mode = next;
        find('stage').dataset.mode = next;
        find('intro').hidden = next !== 'empty';
        find('tools').hidden = next === 'empty';
        find('hud').hidden = next !== 'live' || !this.#figures;
        this.#cameraMode.offerFlip();
        const stop = next === 'photo' ? 'tool.camera' : 'tool.stop';
        find('stop-text').textContent = this.#words.t(stop);
        find('stop-icon').setAttribute('href', next === 'photo' ? '#i-camera' : '#i-stop');
        this.offerNails();
        if (same) return;
        this.#holdHint.show(next);
        if (next === 'empty') {
            this.stage.clear();
            this.notices.link('idle', this.#words.t('link.ready'));
        }
        if (next === 'live') this.#liveMode.reset();
        this.#photoMode.leave();
        this.#comparison.set(null);
        this.pictureReady(!this.stage.empty);
    }

    pictureReady(ready) {
        for (const id of ['save', 'share', 'compare']) this.#find(id).disabled = !ready;
    }

    // The name of a colour in the user's language; default: the colour of the current look.
    shadeName(color = this.lookStore.main.fields.color) {
        return this.#shades.nameOf(color);
    }

    nailName(key) {
        return this.#chooser.nameOf(key);
    }

    get #secondOffered() {
        return this.mode === 'photo' || (this.mode === 'live' && this.live.picture !== null);
    }

    async #wanted() {
        if (this.mode === 'photo' && this.stage.wantsSecond) this.photo.paint();
        const { picture } = this.stage;
        if (!this.stage.wantsOriginal || !picture?.setOriginal) return;
        const original = await (this.mode === 'photo' ? this.photo.before() : this.live.before());
        if (!original) return;
        if (picture !== this.stage.picture) original.close();
        else picture.setOriginal(original);
        this.stage.draw();
    }

    // A second look needs polish that is drawn here: a picture painted by the server wears one
    // look.
    noteDrawn(where) {
        const { dataset } = this.stage.canvas;
        if (dataset.drawn === where) return;
        dataset.drawn = where;
        if (!this.#comparison.again()) return;
        const why = this.live.painterLost ? 'compare.lost' : 'compare.alone';
        this.notices.notify(this.#words.t(why), { kind: 'warn', key: 'compare', forMs: 8000 });
    }

    // Offers the nails that can be chosen: those of a picture whose nails are painted separately.
    offerNails({ force = false } = {}) {
        const nails = this.mode === 'empty' ? [] : (this.stage.picture?.nails ?? []);
        this.#chooser.offer(nails, {
            mirrored: this.stage.mirror,
            reserved: this.mode !== 'empty',
            force,
        });
    }

    #tapped(nail) {
        if (!nail && !this.lookStore.nail) return;
        const key = nail && nail.key !== this.lookStore.nail ? nail.key : null;
        this.offerNails();
        this.lookStore.edit({ nail: key });
        this.notices.say(this.#words.t('say.nail', { nail: this.#chooser.nameOf(key) }));
    }

    #transportHint() {
        this.#find('transport-hint').textContent = this.#words.t(`settings.${this.live.kind}Hint`);
    }

    #wire() {
        const find = this.#find;
        find('skip').addEventListener('click', () => find('panel').focus());
        find('stop').addEventListener('click', () =>
            this.mode === 'photo' ? this.#cameraMode.start() : this.#cameraMode.stop(),
        );
        for (const input of find('more').querySelectorAll('input[name=transport]'))
            input.addEventListener('change', () => {
                this.live.kind = input.value;
                this.#transportHint();
            });
        this.stage.onwant = () => this.#wanted();
        this.stage.ontap = (nail) => this.#tapped(nail);
        this.lookStore.addEventListener('change', () => this.#lookChanged());
        this.lookStore.addEventListener('choice', () => this.#showLook());
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
        this.dispatch('lacquer-look', this.lookStore.main.fields);
    }

    // Retries until the server responds: without the catalogue there is nothing to choose from.
    async #readCatalogue() {
        while (!(await this.#loaded())) {
            await new Promise((resolve) => setTimeout(resolve, againMs));
            if (this.attached) continue;
            this.#reading = null;
            return;
        }
        this.#cards.build();
        const { patterns } = this.catalogue;
        this.#panel.build(patterns.map(({ name }) => name));
        this.#showLook();
        await this.#own.ready;
        await this.#takePatterns([...patterns, ...this.#own.designs]);
        this.#cards.show();
    }

    #loaded() {
        return this.catalogue.load(this.#base).then(
            () => true,
            () => false,
        );
    }

    #takePatterns = (patterns) =>
        Promise.all([this.live, this.photo, this.#cards].map((one) => one.takePatterns(patterns)));

    async #readInfo() {
        try {
            const url = new URL('api/v1/info.json', this.#base);
            const info = await (await fetch(url, { cache: 'no-store' })).json();
            this.live.deviceOffered = info.device === true;
            const model = typeof info.model === 'string' ? info.model : info.model?.name;
            const told = ['Lacquer', info.version, this.#figures && model && `· ${model}`];
            this.#find('about').textContent = told.filter(Boolean).join(' ');
        } catch {
            /* the page works without it; the connection state shows when the server is gone */
        }
    }
}
