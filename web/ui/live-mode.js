// Messages about the live picture: connection state, advice, detected nails, a slow connection.
import { Adviser } from '../live/advice.js';
import { reportMissing } from './missing.js';

const tickMs = 250;
const slowMs = 1800; // after this long without a reply, nails on the screen are unconfirmed

export class LiveMode {
    #app;
    #find;
    #words;
    #adviser = new Adviser();
    #dismissed = ''; // advice that the user dismissed; not shown again until all was well
    #nails = -1;
    #ticking = 0;
    #open = false;
    #repliedAt = 0;
    #where = ''; // key of the state that a screen reader was told; '': another one since

    // app: App (mode, live, camera, stage, stats, notices, hud, dispatch, …).
    constructor({ app, find, words }) {
        this.#app = app;
        this.#find = find;
        this.#words = words;
        const { live, notices } = app;
        live.onstate = (state, detail) => this.#state(state, detail);
        live.onengine = (engine) => app.dispatch('lacquer-engine', { engine });
        live.onframe = (reply) => this.#frame(reply);
        live.onerror = (why) =>
            notices.notify(words.t('frame.failed', { why: why ?? words.t('frame.unreadable') }), {
                kind: 'warn',
                key: 'frame',
                forMs: 5000,
            });
        notices.onclose = (key) => {
            this.#dismissed = key;
        };
        this.#adviser.onadvice = (key) => this.#advise(key);
    }

    // Called before a camera's first frame.
    reset() {
        this.#adviser.reset();
        this.#nails = -1;
        this.#repliedAt = 0;
        this.#where = '';
    }

    resume() {
        this.#ticking ||= setInterval(() => this.#tick(), tickMs);
    }

    pause() {
        clearInterval(this.#ticking);
        this.#ticking = 0;
    }

    #advise(key) {
        const { notices } = this.#app;
        const { shown } = notices;
        if (shown.startsWith('advice.') && shown !== key) notices.quiet(shown);
        if (key && this.#find('notice').hidden && key !== this.#dismissed)
            notices.notify(this.#words.t(key), { key });
        if (!key) this.#dismissed = '';
    }

    #state(state, { retryMs = 0, missing = false } = {}) {
        const { mode, live, stage, notices } = this.#app;
        if (mode !== 'live') return;
        const { t } = this.#words;
        this.#open = state === 'open';
        if (this.#open) {
            if (this.#repliedAt) this.#repliedAt = performance.now();
            return;
        }
        this.#where = '';
        if (state === 'connecting') {
            const { onDevice } = live;
            notices.link('wait', t(onDevice ? 'link.fetching' : 'link.connecting'));
            if (stage.empty || onDevice)
                notices.busy(t(onDevice ? 'busy.fetching' : 'busy.connecting'));
            return;
        }
        notices.busy('');
        if (state === 'undrawn') {
            const { painterLost } = live;
            notices.link('gone', t(painterLost ? 'link.notPainted' : 'link.undrawn'));
            const said = t(painterLost ? 'device.lost' : 'device.undrawn');
            notices.notify(said, { kind: 'bad', key: 'device' });
            return;
        }
        notices.quiet('slow');
        const drawn = stage.picture === live.picture;
        if (!drawn) this.#find('stage').dataset.stale = '';
        const seconds = Math.max(1, Math.round(retryMs / 1000));
        const { onDevice } = live;
        notices.link('gone', t(`link.${onDevice ? 'deviceGone' : state}`, { seconds }));
        if (missing) {
            reportMissing(this.#app, this.#words, 'server');
            return;
        }
        const silent = drawn || stage.empty ? 'server.silent' : 'server.silentStale';
        const said = onDevice ? 'device.gone' : state === 'busy' ? 'server.busy' : silent;
        notices.notify(t(said), {
            kind: 'bad',
            action: t('now'),
            run: () => live.retryNow(),
            key: 'server',
        });
    }

    #frame({ id, nails, widths }) {
        const { live, camera, stage, notices } = this.#app;
        for (const key of ['server', 'frame', 'device']) notices.quiet(key);
        notices.busy('');
        delete this.#find('stage').dataset.stale;
        this.#open = true;
        // A single late reply does not make the picture live again.
        const now = performance.now();
        const late = this.#repliedAt && now - this.#repliedAt > slowMs;
        this.#repliedAt = now;
        if (!late) {
            this.#tellWhere();
            notices.quiet('slow');
        }
        stage.canvas.dataset.frame = id;
        stage.canvas.dataset.nails = nails;
        this.#app.noteDrawn(live.picture ? 'here' : 'there');
        if (this.#find('save').disabled) this.#app.pictureReady(true);
        const { video } = camera;
        const size = [video.videoWidth, video.videoHeight];
        this.#adviser.see({ nails, widths, source: video, size });
        this.#app.misses.live(live.picture?.scene?.nails ?? null);
    }

    // Where nails are found, in the top line and, whenever that is new, for screen readers.
    #tellWhere() {
        const { t } = this.#words;
        const { live, notices } = this.#app;
        const where = live.onDevice ? 'link.device' : 'link.live';
        notices.link('live', t(where));
        if (where === this.#where) return;
        this.#where = where;
        const first = this.#find('save').disabled;
        const told = first ? ['say.live', live.onDevice && where] : [where];
        notices.say(told.filter(Boolean).map((key) => t(key)).join(' '));
    }

    // Notices when replies stay away although the connection is open: a slow link must not show
    // "Live" over bare nails.
    #watchLink() {
        const { live, notices } = this.#app;
        if (!this.#open || !this.#repliedAt) return;
        if (document.hidden || !live.waiting) this.#repliedAt = performance.now();
        if (performance.now() - this.#repliedAt < slowMs) return;
        const { t } = this.#words;
        const { onDevice } = live;
        const state = t(onDevice ? 'link.deviceSlow' : 'link.slow');
        notices.link('wait', state);
        this.#where = '';
        const said = t(onDevice ? 'device.slow' : 'server.slow');
        if (!notices.shown) notices.notify(said, { kind: 'warn', key: 'slow' });
        else if (notices.shown !== 'slow') notices.say(state);
    }

    #tick() {
        const { mode, live, stats, hud, stage } = this.#app;
        if (mode !== 'live') return;
        live.watch();
        this.#watchLink();
        this.#app.offerNails();
        const summary = stats.summary();
        hud.show(summary);
        if (!summary.count || summary.nails === this.#nails) return;
        this.#nails = summary.nails;
        this.#app.dispatch('lacquer-nails', { count: this.#nails });
        stage.canvas.setAttribute(
            'aria-label',
            this.#words.t('picture.live', {
                nails: this.#words.t('nails', { count: this.#nails }),
                shade: this.#app.shadeName(),
            }),
        );
    }
}
