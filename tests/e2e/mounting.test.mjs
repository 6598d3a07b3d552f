// What begins late and ends when the element leaves its page, by itself: the encoder's worker
// (web/live/encoder.js) and a photo's retries (web/ui/photo-mode.js). browser-embed.mjs has the
// rest.
//
//   node --test tests/e2e/mounting.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';

const workers = [];
globalThis.OffscreenCanvas = class {
  convertToBlob() {}
};
globalThis.VideoFrame = class {
  close() {}
};
globalThis.Worker = class {
  posted = [];
  ended = false;
  constructor() {
    workers.push(this);
  }
  postMessage(message) {
    this.posted.push(message);
  }
  terminate() {
    this.ended = true;
  }
};
const { Encoder } = await import('../../web/live/encoder.js');
const { PhotoError } = await import('../../web/photo/photo.js');
const { PhotoMode } = await import('../../web/ui/photo-mode.js');

const video = { videoWidth: 640, videoHeight: 480 };

test('the encoder starts its worker with the first picture', async () => {
  workers.length = 0;
  const encoder = new Encoder();
  assert.equal(workers.length, 0);
  const picture = encoder.encode(video, 0.8);
  workers[0].onmessage({ data: { bytes: 'jpeg' } });
  assert.equal(await picture, 'jpeg');
  encoder.encode(video, 0.8);
  assert.deepEqual([workers.length, workers[0].posted.length], [1, 2]);
});

test('a closed encoder ends its worker, and the next picture starts another', async () => {
  workers.length = 0;
  const encoder = new Encoder();
  const dropped = encoder.encode(video, 0.8);
  encoder.close();
  await assert.rejects(dropped, /closed/);
  assert.equal(workers[0].ended, true);
  const picture = encoder.encode(video, 0.8);
  workers[0].onmessage({ data: { bytes: 'of the worker that was ended' } });
  workers[1].onmessage({ data: { bytes: 'jpeg' } });
  assert.equal(await picture, 'jpeg');
});

test('a photo is not sent again by an element that was removed, but when it returns', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let sent = 0;
  const photo = { open: true, paint: () => sent++ };
  const quiet = { busy() {}, link() {}, notify() {} };
  const stage = { empty: true };
  const app = { attached: true, mode: 'empty', photo, notices: quiet, stage, live: {} };
  const mode = new PhotoMode({ app, find: () => ({}), words: { t: (key) => key } });
  const fail = () => photo.onerror(new PhotoError('photo.silent', {}, { passing: true }));
  mode.resume();
  assert.equal(sent, 0);
  fail();
  t.mock.timers.tick(60000);
  assert.equal(sent, 1);
  fail();
  app.attached = false;
  t.mock.timers.tick(60000);
  assert.equal(sent, 1);
  app.attached = true;
  mode.resume();
  assert.equal(sent, 2);
});
