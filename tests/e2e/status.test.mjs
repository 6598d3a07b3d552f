// What a screen reader and the page around are told of the camera's and the detector's state
// (web/ui/notice.js, live-mode.js, camera-mode.js), with simulated parts and no page.
//
//   node --test tests/e2e/status.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';

const grey = { // a canvas's context: every picture looks the same
  drawImage() {},
  getImageData: (x, y, width, height) =>
    ({ width, height, data: new Uint8ClampedArray(4 * width * height).fill(128) }),
};
globalThis.document = Object.assign(new EventTarget(), {
  hidden: false,
  createElement: () => ({ getContext: () => grey }),
});
globalThis.matchMedia = () => ({ matches: false });
globalThis.navigator ??= {}; // Node before 21
const { CameraMode } = await import('../../web/ui/camera-mode.js');
const { LiveMode } = await import('../../web/ui/live-mode.js');
const { Notices } = await import('../../web/ui/notice.js');

// An app with real messages in a page that only stores texts; the time passes by `pass`.
function page(t) {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const parts = {};
  const find = (id) =>
    (parts[id] ??= Object.assign(new EventTarget(), { textContent: '', dataset: {}, focus() {} }));
  find('notice').hidden = true;
  find('save').disabled = true;
  const none = () => {};
  const app = {
    mode: 'live',
    setMode: none,
    notices: new Notices(find),
    live: { onDevice: false, waiting: 1, picture: null, watch: none, stop: none },
    camera: { video: { videoWidth: 64, videoHeight: 48 }, stop: none },
    stage: { empty: true, canvas: { dataset: {} } },
    stats: { summary: () => ({ count: 0 }) },
    hud: { show: none },
    misses: { live: none },
    offerNails: none,
    noteDrawn: none,
    pictureReady: () => (find('save').disabled = false),
  };
  const words = { t: (key) => key };
  const mode = new LiveMode({ app, find, words });
  new CameraMode({ app, find, words, facing: 'user' });
  mode.reset();
  mode.resume();
  t.after(() => mode.pause());
  const pass = (ms) => {
    now += ms;
    t.mock.timers.tick(250);
  };
  const frame = () => app.live.onframe({ id: 1, nails: 0, widths: [] });
  return { app, find, frame, pass, said: () => find('live').textContent };
}

test('a screen reader is told of the download, each time anew', (t) => {
  const { app, said } = page(t);
  app.live.onDevice = true;
  for (let i = 0; i < 2; i++) {
    app.live.onstate('connecting', {});
    assert.equal(said(), 'busy.fetching');
    app.notices.busy('');
    assert.equal(said(), '');
  }
});

test('the end of an activity leaves another message alone', (t) => {
  const { app, said } = page(t);
  app.notices.busy('busy.photo');
  app.notices.say('say.painted');
  app.notices.busy('');
  assert.equal(said(), 'say.painted');
});

test('a screen reader is told where nails are found, and when that changes', (t) => {
  const { app, frame, said } = page(t);
  frame();
  assert.equal(said(), 'say.live');
  app.notices.say('say.nail');
  frame();
  assert.equal(said(), 'say.nail', 'it is told with every frame');
  app.live.onDevice = true;
  frame();
  assert.equal(said(), 'link.device');
  app.live.onDevice = false;
  frame();
  assert.equal(said(), 'link.live');
});

test('the first picture is announced with the promise that it stays here', (t) => {
  const { app, frame, said } = page(t);
  app.live.onDevice = true;
  frame();
  assert.equal(said(), 'say.live link.device');
});

test('a busy device is told although another message is shown, and its return', (t) => {
  const { app, frame, pass, said } = page(t);
  app.live.onDevice = true;
  app.live.onstate('open', {});
  frame();
  app.notices.notify('advice.far', { key: 'advice.far' });
  pass(2000);
  assert.equal(said(), 'link.deviceSlow');
  frame(); // late
  frame();
  assert.equal(said(), 'link.device');
});

test('the page around gets the error of a camera that was unplugged', (t) => {
  const { app } = page(t);
  const errors = [];
  app.notices.onbad = (kind) => errors.push(kind);
  app.camera.onended();
  assert.deepEqual(errors, ['camera']);
});
