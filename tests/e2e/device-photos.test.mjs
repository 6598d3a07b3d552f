// Photos detected on the device (web/device/photos.js) and painted there (web/photo/paint-here.js),
// with a simulated worker and simulated graphics.
//
//   node --test tests/e2e/device-photos.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { DevicePhotos } from '../../web/device/photos.js';
import { LookStore } from '../../web/look/look.js';
import { PhotoPainter } from '../../web/photo/paint-here.js';
import { Photo, PhotoError } from '../../web/photo/photo.js';
import { PhotoMode } from '../../web/ui/photo-mode.js';
import { Simulated, reply, settled } from './simulated.mjs';

const picture = (width) => ({ width, height: 60, close() {} });

// A page whose clock is played. → {photos, workers, pass(ms)}
function page(t) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const { workers } = new Simulated(t);
  const pass = (ms) => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  return { photos: new DevicePhotos('http://lacquer.test/device/'), workers, pass };
}

test('two photos at once get their own nails, one after the other', async (t) => {
  const { photos, workers } = page(t);
  const both = [photos.sceneOf(picture(81)), photos.sceneOf(picture(82))];
  await settled();
  const [worker] = workers;
  worker.opens();
  await settled();
  assert.deepEqual(worker.frames.map(({ width }) => width), [81]);
  worker.says(reply(worker.frames[0]));
  await settled();
  worker.says(reply(worker.frames[1]));
  assert.deepEqual((await Promise.all(both)).map(({ width }) => width), [81, 82]);
  assert.equal(workers.length, 1);
});

test('a photo that fails does not harm the next one', async (t) => {
  const { photos, workers } = page(t);
  const first = assert.rejects(photos.sceneOf(picture(81)), /too dark/);
  const next = photos.sceneOf(picture(82));
  await settled();
  const [worker] = workers;
  worker.opens();
  await settled();
  worker.says({ type: 'error', id: worker.frames[0].id, error: 'too dark' });
  await first;
  await settled();
  worker.says(reply(worker.frames[1]));
  assert.equal((await next).width, 82);
});

test('a dead worker is replaced for the next photo, a slow one is not', async (t) => {
  const { photos, workers, pass } = page(t);
  const failed = assert.rejects(photos.sceneOf(picture(81)), { message: '' });
  await settled();
  workers[0].opens();
  await settled();
  pass(100000);
  assert.equal(workers[0].ended, false);
  pass(30000);
  await failed;
  assert.equal(workers[0].ended, true);
  const next = photos.sceneOf(picture(82));
  await settled();
  workers[1].opens();
  await settled();
  workers[1].says(reply(workers[1].frames[0]));
  assert.equal((await next).width, 82);
});

test('the worker is kept for a minute after a photo, and through the next one', async (t) => {
  const { photos, workers, pass } = page(t);
  const detect = async () => {
    const found = photos.sceneOf(picture(81));
    await settled();
    if (workers[0].frames.length === 0) workers[0].opens();
    await settled();
    pass(59000);
    workers[0].says(reply(workers[0].frames.at(-1)));
    await found;
  };
  await detect();
  pass(59000);
  await detect();
  assert.equal(workers[0].ended, false);
  pass(61000);
  assert.equal(workers[0].ended, true);
});

test('a photo in two looks is detected once, and again after a failure', async (t) => {
  new Simulated(t);
  const painter = new PhotoPainter('http://lacquer.test/');
  const { main, second } = new LookStore();
  let asked = 0;
  let fails = true;
  painter.device = {
    async sceneOf() {
      asked++;
      await settled();
      if (fails) throw new Error('');
      return { nails: [], light: null, width: 80, height: 60 };
    },
  };
  const file = new Blob(['photo']);
  const both = () => Promise.allSettled([main, second].map((look) => painter.paint(file, look)));
  assert.deepEqual((await both()).map(({ status }) => status), ['rejected', 'rejected']);
  assert.equal(asked, 1);
  fails = false;
  assert.deepEqual((await both()).map(({ status }) => status), ['fulfilled', 'fulfilled']);
  await both();
  assert.equal(asked, 2);
});

test('a photo is painted again once the browser provides graphics again', async (t) => {
  const simulated = new Simulated(t);
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const photo = new Photo({ lookStore: new LookStore(), base: 'http://lacquer.test/' });
  photo.device = { sceneOf: async () => ({ nails: [], light: null, width: 80, height: 60 }) };
  const said = [];
  photo.onshow = () => said.push('shown');
  photo.onerror = ({ key, passing }) => said.push({ key, passing });
  await photo.load(new Blob(['photo'], { type: 'image/png' }));
  assert.deepEqual(said, ['shown']);
  simulated.contexts[0].lost = true;
  simulated.graphics = false;
  now += 5000;
  await photo.paint();
  assert.deepEqual(said.at(-1), { key: 'device.lost', passing: true });
  simulated.graphics = true;
  now += 5000;
  await photo.paint();
  assert.equal(said.at(-1), 'shown');
  assert.equal(simulated.contexts.length, 2);
});

test('a photo that is retried on the device misses no server', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const linked = [];
  const link = (state, text) => linked.push(text);
  const photo = { open: true };
  const app = { mode: 'photo', photo, live: { alone: true }, stage: { empty: true },
    notices: { link, busy() {}, notify() {} } };
  new PhotoMode({ app, words: { t: (key) => key } });
  photo.onerror(new PhotoError('device.gone', {}, { passing: true }));
  assert.deepEqual(linked, ['link.deviceGone']);
});
