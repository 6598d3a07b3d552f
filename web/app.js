// The page's wiring: modes (empty, live, photo), buttons, messages. Everything else has its own
// file.
import { Camera } from './camera.js';
import { showStats } from './hud.js';
import { Live } from './live.js';
import { Look, shadeText } from './look.js';
import { busy, link, notify, quiet, say } from './notice.js';
import { buildFinishes, buildPanel } from './panel.js';
import { Photo, PhotoError } from './photo.js';
import { Stage } from './stage.js';
import { Stats } from './stats.js';

const $ = (id) => document.getElementById(id);
const advice =
    'No nails in view. Hold your hand flat and near, nails towards the camera, in even light.';

export const look = new Look();
export const stats = new Stats();
export const stage = new Stage($('stage'));
const camera = new Camera($('video'));
const live = new Live({ camera, stage, stats, look });
const photo = new Photo(look);

let mode = 'empty';
let facing = matchMedia('(pointer: coarse)').matches ? 'environment' : 'user';
let deviceId = '';
let mirrorChosen = null; // null: mirror what faces the user

function setMode(next) {
    mode = next;
    $('stage').dataset.mode = next;
    $('intro').hidden = next !== 'empty';
    $('tools').hidden = next === 'empty';
    $('hud').hidden = next !== 'live';
    $('flip').hidden = next !== 'live' || cameraCount < 2;
    $('stop-text').textContent = next === 'photo' ? 'Camera' : 'Stop';
    $('stop-icon').setAttribute('href', next === 'photo' ? '#i-camera' : '#i-stop');
    if (next === 'empty') {
        stage.clear();
        link('idle', 'Ready');
    }
    if (next !== 'live') delete $('stage').dataset.stale;
    setCompare(false);
    $('save').disabled = $('compare').disabled = stage.empty;
}

function setCompare(on) {
    $('compare').setAttribute('aria-pressed', String(on));
    stage.compare(on);
}

function pictureReady() {
    $('save').disabled = $('compare').disabled = false;
}

// Camera
let cameraCount = 0;

function applyMirror() {
    const front = (camera.settings.facingMode ?? (facing === 'user' ? 'user' : '')) === 'user';
    const on = mode === 'live' && (mirrorChosen ?? front);
    stage.mirror = on;
    if (mode === 'live') $('mirror').checked = on;
}

async function listCameras() {
    const cameras = await camera.list();
    cameraCount = cameras.length;
    const current = camera.settings.deviceId ?? deviceId;
    const options = cameras.map(
        ({ deviceId: id, label }) => new Option(label, id, false, id === current),
    );
    $('cameras').replaceChildren(
        ...(options.length ? options : [new Option('Default camera', '')]),
    );
    $('flip').hidden = mode !== 'live' || cameraCount < 2;
}

async function startCamera() {
    const before = document.activeElement;
    live.stop();
    quiet();
    busy('Starting the camera');
    $('start').disabled = true;
    try {
        await camera.start({ deviceId, facing });
        photo.close();
        stage.clear();
        setMode('live');
        applyMirror();
        framesEmpty = 0;
        live.start();
        keepAwake();
        if (before === document.body || !before?.checkVisibility())
            $('stop').focus({ preventScroll: true });
        await listCameras();
    } catch (error) {
        busy('');
        if (mode === 'live') setMode('empty');
        const again = error.reason !== 'insecure' && error.reason !== 'unsupported';
        notify(error.message, {
            kind: 'bad',
            action: again ? 'Try again' : '',
            run: startCamera,
            key: 'camera',
        });
    } finally {
        $('start').disabled = false;
    }
}

function stopCamera() {
    live.stop();
    camera.stop();
    wakeLock?.release();
    busy('');
    quiet();
    setMode('empty');
    say('Camera stopped.');
    $('start').focus({ preventScroll: true });
}

// A phone's screen stays on while it is a mirror.
let wakeLock = null;

async function keepAwake() {
    if (mode !== 'live' || document.hidden || !navigator.wakeLock) return;
    try {
        await wakeLock?.release();
        wakeLock = await navigator.wakeLock.request('screen');
    } catch {
        /* low battery, or not allowed: the screen follows its own rules */
    }
}

camera.onended = () => {
    stopCamera();
    notify('The camera was unplugged or taken away.', {
        kind: 'bad',
        action: 'Start again',
        run: startCamera,
    });
};

async function flip() {
    const cameras = await camera.list();
    const at = cameras.findIndex((c) => c.deviceId === camera.settings.deviceId);
    facing = facing === 'user' ? 'environment' : 'user';
    deviceId =
        matchMedia('(pointer: coarse)').matches || at < 0
            ? ''
            : cameras[(at + 1) % cameras.length].deviceId;
    await startCamera();
}

// Live
let framesEmpty = 0;
let emptySince = 0;
let saidNails = -1;

live.onstate = (state, { retryMs = 0 } = {}) => {
    if (mode !== 'live') return;
    if (state === 'open') {
        link('live', 'Live');
        return;
    }
    if (state === 'connecting') {
        link('wait', 'Connecting');
        if (stage.empty) busy('Connecting');
        return;
    }
    busy('');
    $('stage').dataset.stale = '';
    const seconds = Math.max(1, Math.round(retryMs / 1000));
    link('gone', `${state === 'busy' ? 'Server full' : 'No server'} · again in ${seconds} s`);
    const gone = stage.empty
        ? 'The server does not answer.'
        : 'The server does not answer; the picture is the last one it sent.';
    notify(`${state === 'busy' ? 'The server is full just now.' : gone} Trying again by itself.`, {
        kind: 'bad',
        action: 'Try now',
        run: () => live.retryNow(),
        key: 'server',
    });
};

live.onframe = ({ id, nails }) => {
    busy('');
    quiet('server');
    quiet('frame');
    delete $('stage').dataset.stale;
    stage.canvas.dataset.frame = id;
    stage.canvas.dataset.nails = nails;
    if ($('save').disabled) {
        pictureReady();
        say('The camera is live.');
    }
    link('live', 'Live');
    adviseNails(nails);
};

live.onerror = (text) =>
    notify(`A frame was not painted: ${text}`, { kind: 'warn', key: 'frame', forMs: 5000 });

function adviseNails(nails) {
    const now = performance.now();
    if (nails) {
        framesEmpty = 0;
        quiet('nails');
        return;
    }
    if (framesEmpty++ === 0) emptySince = now;
    if (framesEmpty > 8 && now - emptySince > 2500 && $('notice').hidden) {
        notify(advice, { key: 'nails' });
        emptySince = now + 20000;
    }
}

// Photo
async function openPhoto(file) {
    if (!file) return;
    live.stop();
    camera.stop();
    quiet();
    await photo.load(file);
}

photo.onstart = () => {
    if (mode === 'photo') link('wait', 'Painting');
    busy('Painting the photo');
};

photo.onshow = async ({ painted, nails, ms }) => {
    const before = stage.wantsBefore && mode === 'photo' ? await photo.before() : null;
    if (mode !== 'photo') {
        stage.clear();
        setMode('photo');
    }
    stage.mirror = false;
    stage.show(painted, before);
    stage.canvas.dataset.nails = nails.length;
    stage.canvas.dataset.frame = Number(stage.canvas.dataset.frame ?? 0) + 1;
    busy('');
    quiet('photo');
    pictureReady();
    link('idle', `${painted.width} × ${painted.height} · ${Math.round(ms)} ms`);
    if (nails.length) quiet('nails');
    else
        notify(
            'No nails were found in this photo. Try one with the hand flat, near and well lit.',
            { key: 'nails' },
        );
    const text = nails.length === 1 ? '1 nail' : `${nails.length} nails`;
    say(`${text} painted ${shadeText(look.fields.color)}.`);
};

photo.onerror = (error) => {
    busy('');
    if (mode === 'photo') link('gone', 'Not painted');
    if (mode === 'live') setMode('empty');
    const text =
        error instanceof PhotoError ? error.message : `The photo was not painted: ${error.message}`;
    notify(text, {
        kind: 'bad',
        key: 'photo',
        action: 'Another photo',
        run: () => $('file').click(),
    });
};

stage.onpeek = async () => {
    const before = await (mode === 'photo' ? photo.before() : live.before());
    if (before) stage.setBefore(before);
};

async function save() {
    const blob = mode === 'photo' ? photo.result : await stage.save();
    if (!blob) return;
    const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
    const anchor = document.createElement('a');
    anchor.download =
        `lacquer-${shadeText(look.fields.color).toLowerCase().replaceAll(' ', '-')}-${stamp}.` +
        (blob.type === 'image/png' ? 'png' : 'jpg');
    anchor.href = URL.createObjectURL(blob);
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 10000);
    say('Picture saved.');
}

function wireFiles() {
    const box = $('stage');
    const pick = () => $('file').click();
    $('choose').addEventListener('click', pick);
    $('photo').addEventListener('click', pick);
    $('file').addEventListener('change', () => {
        openPhoto($('file').files[0]);
        $('file').value = '';
    });
    const hasFile = (event) => event.dataTransfer?.types.includes('Files');
    document.addEventListener('dragover', (event) => {
        if (!hasFile(event)) return;
        event.preventDefault();
        box.dataset.drop = '';
    });
    document.addEventListener('dragleave', (event) => {
        if (!event.relatedTarget) delete box.dataset.drop;
    });
    document.addEventListener('drop', (event) => {
        delete box.dataset.drop;
        if (!hasFile(event)) return;
        event.preventDefault();
        openPhoto(event.dataTransfer.files[0]);
    });
    document.addEventListener('paste', (event) => openPhoto(event.clipboardData?.files[0]));
}

const hints = {
    ws: 'Binary frames over one open connection.',
    base64: 'Each frame as text in its own request: the usual way, here to compare.',
};

function wireControls() {
    $('start').addEventListener('click', startCamera);
    $('stop').addEventListener('click', () => (mode === 'photo' ? startCamera() : stopCamera()));
    $('save').addEventListener('click', save);
    $('flip').addEventListener('click', flip);
    $('compare').addEventListener('click', () => setCompare($('compare').ariaPressed !== 'true'));
    $('notice-close').addEventListener('click', () => quiet());
    $('mirror').addEventListener('change', () => {
        mirrorChosen = $('mirror').checked;
        applyMirror();
    });
    $('cameras').addEventListener('change', () => {
        deviceId = $('cameras').value;
        if (mode === 'live') startCamera();
    });
    for (const input of document.querySelectorAll('input[name=transport]')) {
        input.addEventListener('change', () => {
            live.kind = input.value;
            $('transport-hint').textContent = hints[input.value];
        });
    }
    look.addEventListener('change', () => photo.paint());
    navigator.mediaDevices?.addEventListener?.('devicechange', listCameras);
    document.addEventListener('visibilitychange', keepAwake);
}

function tick() {
    if (mode !== 'live') return;
    const summary = stats.summary();
    showStats(summary);
    if (summary.count && summary.nails !== saidNails && $('link').dataset.state === 'live') {
        saidNails = summary.nails;
        const text = saidNails === 1 ? '1 nail' : `${saidNails} nails`;
        stage.canvas.setAttribute(
            'aria-label',
            `Your camera, ${text} painted ${shadeText(look.fields.color)}`,
        );
    }
}

async function readInfo() {
    try {
        const info = await (await fetch('api/v1/info', { cache: 'no-store' })).json();
        if (info.finishes?.length) buildFinishes(look, info.finishes);
        const model = typeof info.model === 'string' ? info.model : info.model?.name;
        $('about').textContent = ['Lacquer', info.version, model && `· ${model}`]
            .filter(Boolean)
            .join(' ');
    } catch {
        /* the page works without; the connection says when the server is gone */
    }
}

buildPanel(look, ['creme', 'gloss']);
wireControls();
wireFiles();
readInfo();
listCameras();
setInterval(tick, 250);
