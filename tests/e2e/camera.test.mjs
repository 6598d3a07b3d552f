// Starts of the camera that overlap, are stopped or are left (web/live/camera.js,
// web/ui/camera-mode.js), with simulated cameras and no page.
//
//   node --test tests/e2e/camera.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';

globalThis.document = Object.assign(new EventTarget(), { hidden: false });
globalThis.matchMedia = () => ({ matches: false });
globalThis.Option = class {};
globalThis.navigator ??= {}; // Node before 21
const devices = ['a', 'b'].map((deviceId) => ({ kind: 'videoinput', deviceId, label: deviceId }));
const asked = []; // per request: {constraints, resolve, reject}
Object.defineProperty(navigator, 'mediaDevices', {
  configurable: true,
  value: Object.assign(new EventTarget(), {
    enumerateDevices: async () => devices,
    getUserMedia: (constraints) =>
      new Promise((resolve, reject) => asked.push({ constraints, resolve, reject })),
  }),
});
const { Camera } = await import('../../web/live/camera.js');
const { CameraMode } = await import('../../web/ui/camera-mode.js');

const settled = () => new Promise(setImmediate);
const failing = (name) => Object.assign(new Error(name), { name });

class Track extends EventTarget {
  live = true;
  stop() {
    this.live = false;
  }
  getSettings() {
    return { deviceId: 'a' };
  }
}

function streamOf(track) {
  return { getTracks: () => [track], getVideoTracks: () => [track] };
}

// A video whose play() waits for `playing`; as in a page, it fails once there is another source.
class Video {
  #source = null;
  #fail = () => {};
  playing = Promise.resolve();
  get srcObject() {
    return this.#source;
  }
  set srcObject(source) {
    this.#source = source;
    this.#fail(failing('AbortError'));
  }
  play() {
    return Promise.race([this.playing, new Promise((_, reject) => (this.#fail = reject))]);
  }
}

function bare() {
  asked.length = 0;
  const video = new Video();
  const camera = new Camera(video);
  const tracks = [new Track(), new Track()];
  return { camera, video, tracks, grant: (i) => asked[i].resolve(streamOf(tracks[i])) };
}

const replaced = { reason: 'replaced' };

test('a camera that is allowed after it was stopped is released', async () => {
  const { camera, video, tracks, grant } = bare();
  const start = camera.start();
  camera.stop();
  grant(0);
  await assert.rejects(start, replaced);
  assert.equal(tracks[0].live, false);
  assert.equal(camera.running, false);
  assert.equal(video.srcObject, null);
});

test('of two starts the later one runs, in either order of their answers', async () => {
  for (const order of [[0, 1], [1, 0]]) {
    const { camera, tracks, grant } = bare();
    const first = camera.start();
    const second = camera.start();
    const refused = assert.rejects(first, replaced);
    for (const i of order) {
      grant(i);
      await settled();
    }
    await Promise.all([refused, second]);
    assert.deepEqual(tracks.map(({ live }) => live), [false, true], `order ${order}`);
    camera.stop();
    assert.deepEqual(tracks.map(({ live }) => live), [false, false], `order ${order}`);
  }
});

test('a start that is replaced while its video begins leaves the later one alone', async () => {
  const { camera, video, tracks, grant } = bare();
  video.playing = new Promise(() => {});
  const first = camera.start();
  const refused = assert.rejects(first, replaced);
  grant(0);
  await settled();
  video.playing = Promise.resolve();
  const second = camera.start();
  grant(1);
  await Promise.all([refused, second]);
  assert.deepEqual(tracks.map(({ live }) => live), [false, true]);
  assert.equal(camera.running, true);
});

test('nobody is asked a second time for a camera that is no longer wanted', async () => {
  const { camera } = bare();
  const start = camera.start({ deviceId: 'gone' });
  camera.stop();
  asked[0].reject(failing('OverconstrainedError'));
  await assert.rejects(start, replaced);
  assert.equal(asked.length, 1);
});

test('a refusal is told, unless the start was replaced', async () => {
  const { camera } = bare();
  const start = camera.start();
  asked[0].reject(failing('NotAllowedError'));
  await assert.rejects(start, { reason: 'denied' });
});

// The camera's controls in an app that only notes what happens.
function controlled() {
  const { camera, tracks, grant } = bare();
  const parts = {};
  const find = (id) =>
    (parts[id] ??= Object.assign(new EventTarget(), {
      getRootNode: () => ({ activeElement: null }),
      focus() {},
      replaceChildren() {},
    }));
  const seen = { notices: [], busy: '', starts: 0 };
  const app = {
    camera,
    mode: 'empty',
    setMode: (mode) => (app.mode = mode),
    live: { start: () => seen.starts++, stop() {} },
    photo: { close() {} },
    stage: { clear() {} },
    notices: {
      notify: (text) => seen.notices.push(text),
      busy: (text) => (seen.busy = text),
      quiet() {},
      say() {},
    },
  };
  const mode = new CameraMode({ app, find, words: { t: (key) => key }, facing: 'user' });
  const press = (id) => find(id).dispatchEvent(new Event('click'));
  return { app, mode, seen, tracks, grant, press };
}

test('a start that is left shows nothing and reports no error', async () => {
  const { app, mode, seen, tracks, grant, press } = controlled();
  press('start');
  assert.equal(seen.busy, 'busy.camera');
  mode.end();
  grant(0);
  await settled();
  assert.equal(tracks[0].live, false);
  assert.deepEqual([app.mode, seen.starts, seen.busy], ['empty', 0, '']);
  assert.deepEqual(seen.notices, []);
});

test('two presses on flip run one camera', async () => {
  const { app, seen, tracks, grant, press } = controlled();
  app.mode = 'live';
  press('flip');
  press('flip');
  await settled();
  grant(0);
  grant(1);
  await settled();
  assert.deepEqual(tracks.map(({ live }) => live), [false, true]);
  assert.deepEqual([seen.starts, seen.notices.length], [1, 0]);
});

test('flip starts no camera that was stopped meanwhile', async () => {
  const { mode, app, press } = controlled();
  app.mode = 'live';
  press('flip');
  mode.stop();
  await settled();
  assert.equal(asked.length, 0);
});
