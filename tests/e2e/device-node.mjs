// The parts of the page's engine that need no browser: lacquer.wasm over many frames, and
// DeviceTransport with a simulated worker.
//
//   node --expose-gc device-node.mjs LACQUER.wasm      one line of JSON a test on stdout
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { load } from './device-modules.mjs';
import { SimulatedWorker, reply as replyOf } from './simulated.mjs';

const { Mirror } = await load('device/host.js');
const { DeviceTransport } = await load('device/transport.js');
const { readReply } = await load('live/nails.js');

const module = await WebAssembly.compile(fs.readFileSync(process.argv[2]));
const [width, height] = [160, 120];
const networks = { sizes: [[96, 72]], threshold: 0.5, hand: false };

// A simulated network that finds nails where the picture is red.
const redIsNail = async (network, input, w, h) => {
  const map = new Float32Array((w * h) / 4);
  for (let y = 0; y < h; y += 2)
    for (let x = 0; x < w; x += 2)
      map[(y / 2) * (w / 2) + x / 2] = input[y * w + x] > 0.6 && input[w * h + y * w + x] < 0.4;
  return [map];
};

function draw(pixels, shift, count) {
  pixels.fill(255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      pixels.set([205 + ((x * 7 + y * 5) % 9), 165, 140], at);
      for (let i = 0; i < count; i++)
        if (((x - shift - 35 - 30 * i) / 8) ** 2 + ((y - 60) / 12) ** 2 < 1)
          pixels.set([220, 40, 40], at);
    }
}

const tests = {};

tests.memory_is_constant_over_two_thousand_frames = async () => {
  const mirror = await Mirror.open(module, redIsNail, networks);
  const frame = async (i) => {
    const fill = (pixels) => draw(pixels, i % 17, i % 4);
    const look = { width, height, fill, id: i, takenAt: 33 * i };
    return readReply(await mirror.find(look));
  };
  for (let i = 0; i < 50; i++) assert.equal((await frame(i)).id, i);
  gc();
  const before = { c: mirror.bytes, js: process.memoryUsage().heapUsed };
  for (let i = 50; i < 2050; i++) await frame(i);
  gc();
  const after = { c: mirror.bytes, js: process.memoryUsage().heapUsed };
  assert.equal(after.c, before.c);
  assert.ok(after.js - before.js < 1e6, `the page's own grew by ${after.js - before.js} bytes`);
  return after;
};

tests.a_network_that_fails_fails_its_frame_alone = async () => {
  let fails = true;
  const run = (...args) => (fails ? Promise.reject(new Error('no GPU')) : redIsNail(...args));
  const mirror = await Mirror.open(module, run, networks);
  const look = { width, height, fill: (pixels) => draw(pixels, 0, 3) };
  await assert.rejects(mirror.find(look), /no GPU/);
  fails = false;
  assert.equal(readReply(await mirror.find(look)).nails, 3);
};

tests.one_detection_at_a_time = async () => {
  const mirror = await Mirror.open(module, redIsNail, networks);
  const look = { width, height, fill: (pixels) => draw(pixels, 0, 2) };
  const first = mirror.find(look);
  await assert.rejects(mirror.find(look), /one detection at a time/);
  assert.equal(readReply(await first).nails, 2);
};

// ---- a simulated worker

let workers = [];
globalThis.Worker = class extends SimulatedWorker {
  constructor() {
    super();
    workers.push(this);
  }
};
const opened = { type: 'open', backend: 'wasm', ms: 90, why: 'no adapter' };
const reply = (id) => replyOf({ id, width, height });
const picture = () => ({ frame: { close() {} }, width, height });

function started() {
  workers = [];
  const said = [];
  const transport = new DeviceTransport('http://lacquer.test/device/');
  for (const name of ['onreply', 'onerror', 'onreplaced', 'onstate'])
    transport[name] = (what) => said.push([name, what.id ?? what.error ?? what]);
  transport.open();
  return { transport, said };
}

tests.the_newest_frame_waits_for_the_worker = async () => {
  const { transport, said } = started();
  assert.equal(transport.ready, false);
  workers[0].says(opened);
  assert.equal(transport.ready, true);
  for (const id of [1, 2, 3, 4]) assert.equal(transport.send(id, picture()), 0);
  workers[0].says(reply(1));
  workers[0].says(reply(4));
  assert.deepEqual(workers[0].sent.map(({ type, id }) => id ?? type), ['open', 1, 4]);
  assert.deepEqual(said, [
    ['onstate', 'connecting'],
    ['onstate', 'open'],
    ['onreplaced', 2],
    ['onreplaced', 3],
    ['onreply', 1],
    ['onreply', 4],
  ]);
  assert.equal(transport.runMs, 90);
  transport.close();
  assert.ok(workers[0].ended);
};

tests.a_silent_worker_is_restarted = async () => {
  const { transport, said } = started();
  workers[0].says(opened);
  transport.send(1, picture());
  const { now } = performance;
  performance.now = () => now.call(performance) + 5000;
  transport.watch(1);
  assert.equal(workers[0].ended, false); // it may be slow
  performance.now = () => now.call(performance) + 7000;
  transport.watch(1);
  performance.now = now;
  assert.ok(workers[0].ended);
  assert.deepEqual(said.at(-1), ['onstate', 'gone']);
  transport.retryNow();
  assert.equal(workers.length, 2);
  workers[1].says(opened);
  workers[0].says(reply(1)); // a late message of the old worker
  assert.deepEqual(said.at(-1), ['onstate', 'open']);
  transport.close();
};

// Downloading and building the runtime may take any time, as long as it makes progress.
tests.a_slow_start_is_no_failure = async () => {
  const { transport } = started();
  const { now } = performance;
  const after = (ms) => {
    performance.now = () => now.call(performance) + ms;
    transport.watch(0);
  };
  for (const ms of [100000, 200000, 300000]) {
    after(ms);
    workers[0].says({ type: 'progress' });
  }
  const waits = !workers[0].ended;
  after(430000); // no progress for more than two minutes
  performance.now = now;
  assert.ok(waits && workers[0].ended);
  transport.close();
  const { transport: open } = started();
  workers[0].says(opened);
  workers[0].says({ type: 'progress' }); // the hand network, loaded while the worker is idle
  performance.now = () => now.call(performance) + 60000;
  open.watch(0);
  performance.now = now;
  assert.equal(workers[0].ended, false);
  open.close();
};

tests.a_failed_worker_reports_why_and_is_restarted = async () => {
  const { transport, said } = started();
  workers[0].says({ type: 'failed', error: 'no memory' });
  assert.deepEqual(said.slice(-2), [
    ['onerror', 'no memory'],
    ['onstate', 'gone'],
  ]);
  await new Promise((resolve) => setTimeout(resolve, 800)); // half a second and a random part
  assert.equal(workers.length, 2);
  transport.close();
  transport.retryNow(); // closed permanently
  assert.equal(workers.length, 2);
};

const failing = (id) => ({ type: 'error', id, error: 'the network did not run' });

tests.a_network_that_keeps_failing_gets_a_new_worker = async () => {
  const { transport, said } = started();
  workers[0].says({ ...opened, backend: 'webgpu' });
  const answer = (message) => {
    transport.send(message.id, picture());
    workers.at(-1).says(message);
  };
  for (const message of [failing(1), failing(2), reply(3), failing(4), failing(5)])
    answer(message);
  assert.equal(workers[0].ended, false);
  answer(failing(6));
  assert.ok(workers[0].ended);
  assert.deepEqual(said.slice(-2), [['onerror', 'the network did not run'], ['onstate', 'gone']]);
  transport.retryNow();
  assert.deepEqual(workers.map(({ sent: [{ backend }] }) => backend), ['auto', 'wasm']);
  workers[1].says(opened);
  answer(failing(7));
  assert.equal(workers[1].ended, false);
  transport.close();
};

tests.another_camera_keeps_the_worker = async () => {
  const { transport, said } = started();
  transport.close({ keep: true }); // not open yet: nothing to keep
  assert.ok(workers[0].ended);
  transport.open();
  workers[1].says(opened);
  for (const id of [1, 2]) transport.send(id, picture());
  transport.close({ keep: true });
  assert.deepEqual([transport.ready, workers[1].ended], [false, false]);
  transport.open();
  assert.deepEqual([transport.ready, said.at(-1)], [true, ['onstate', 'open']]);
  workers[1].says(reply(1)); // of the camera before
  transport.send(3, picture());
  assert.deepEqual(workers[1].sent.map(({ type, id }) => id ?? type), ['open', 1, 'rest', 3]);
  transport.close({ keep: true });
  transport.close();
  assert.ok(workers[1].ended);
  assert.equal(workers.length, 2);
};

for (const [name, run] of Object.entries(tests)) {
  try {
    console.log(JSON.stringify({ name, ok: true, detail: await run() }));
  } catch (error) {
    console.log(JSON.stringify({ name, ok: false, error: error.stack }));
  }
}
