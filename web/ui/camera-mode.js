// The camera's controls: start, stop, another camera, mirror. Keeps the screen on meanwhile.

export class CameraMode {
    #app;
    #find;
    #words;
    #count = 0;
    #facing;
    #deviceId = '';
    #mirrorChosen = null; // null: mirror if the camera faces the user
    #wakeLock = null;

    // app: App (mode, setMode, camera, live, photo, stage, notices); facing: "user", "environment"
    // or null for the device's default.
    constructor({ app, find, words, facing }) {
        this.#app = app;
        this.#find = find;
        this.#words = words;
        this.#facing = facing ?? (matchMedia('(pointer: coarse)').matches ? 'environment' : 'user');
        app.camera.onended = () => this.#lost();
        this.#wire();
    }

    #wire() {
        const find = this.#find;
        find('start').addEventListener('click', this.start);
        find('flip').addEventListener('click', this.#flip);
        find('mirror').addEventListener('change', () => {
            this.#mirrorChosen = find('mirror').checked;
            this.applyMirror();
        });
        find('cameras').addEventListener('change', () => {
            this.#deviceId = find('cameras').value;
            if (this.#app.mode === 'live') this.start();
        });
    }

    // signal: aborted when the element leaves the page.
    resume(signal) {
        navigator.mediaDevices?.addEventListener?.('devicechange', this.list, { signal });
        document.addEventListener('visibilitychange', this.#keepAwake, { signal });
        this.list();
    }

    applyMirror() {
        const { camera, mode, stage } = this.#app;
        const facing = camera.settings.facingMode ?? this.#facing;
        stage.mirror = mode === 'live' && (this.#mirrorChosen ?? facing === 'user');
        if (mode === 'live') this.#find('mirror').checked = stage.mirror;
    }

    offerFlip() {
        this.#find('flip').hidden = this.#app.mode !== 'live' || this.#count < 2;
    }

    list = async () => {
        const { t } = this.#words;
        const { camera } = this.#app;
        const cameras = await camera.list();
        this.#count = cameras.length;
        const current = camera.settings.deviceId ?? this.#deviceId;
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
        this.offerFlip();
    };

    start = async () => {
        const find = this.#find;
        const app = this.#app;
        const before = find('stage').getRootNode().activeElement;
        app.live.stop({ keep: true });
        app.notices.quiet();
        app.notices.busy(this.#words.t('busy.camera'));
        find('start').disabled = true;
        try {
            await app.camera.start({ deviceId: this.#deviceId, facing: this.#facing });
            app.photo.close();
            app.stage.clear();
            app.setMode('live');
            this.applyMirror();
            app.live.start();
            this.#keepAwake();
            if (!before?.checkVisibility()) find('stop').focus({ preventScroll: true });
            await this.list();
        } catch (error) {
            if (error.reason !== 'replaced') this.#failed(error);
        } finally {
            find('start').disabled = false;
        }
    };

    #failed({ reason, why }) {
        const { t } = this.#words;
        const app = this.#app;
        app.live.stop();
        app.notices.busy('');
        if (app.mode === 'live') app.setMode('empty');
        const again = reason !== 'insecure' && reason !== 'unsupported';
        app.notices.notify(t(`camera.${reason}`, { why }), {
            kind: 'bad',
            action: again ? t('again') : '',
            run: this.start,
            key: 'camera',
        });
    }

    // Ends the camera, also while it starts.
    end() {
        const { live, camera, notices } = this.#app;
        live.stop();
        camera.stop();
        this.#wakeLock?.release();
        notices.busy('');
    }

    stop() {
        const app = this.#app;
        this.end();
        app.notices.quiet();
        app.setMode('empty');
        app.notices.say(this.#words.t('say.stopped'));
        this.#find('start').focus({ preventScroll: true });
    }

    #lost() {
        const { t } = this.#words;
        this.stop();
        this.#app.notices.notify(t('camera.lost'), {
            kind: 'bad',
            action: t('startAgain'),
            run: this.start,
            key: 'camera',
        });
    }

    // Keeps a phone's screen on while it is used as a mirror.
    #keepAwake = async () => {
        if (this.#app.mode !== 'live' || document.hidden || !navigator.wakeLock) return;
        try {
            await this.#wakeLock?.release();
            this.#wakeLock = await navigator.wakeLock.request('screen');
        } catch {
            /* low battery, or not allowed: the screen follows its own rules */
        }
    };

    #flip = async () => {
        const { camera } = this.#app;
        const cameras = await camera.list();
        if (this.#app.mode !== 'live') return; // it was stopped meanwhile
        const current = camera.settings.deviceId ?? this.#deviceId;
        const at = cameras.findIndex(({ deviceId }) => deviceId === current);
        this.#facing = this.#facing === 'user' ? 'environment' : 'user';
        this.#deviceId =
            matchMedia('(pointer: coarse)').matches || at < 0
                ? ''
                : cameras[(at + 1) % cameras.length].deviceId;
        await this.start();
    };
}
