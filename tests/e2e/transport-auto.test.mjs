// The two transports behind one (web/live/transport-auto.js), with simulated transports and no
// page.
//
//   node --test tests/e2e/transport-auto.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';

const listeners = () => ({ addEventListener() {}, removeEventListener() {} });
globalThis.document = { hidden: false, ...listeners() };
globalThis.navigator ??= {}; // Node before 21
const { AutoTransport } = await import('../../web/live/transport-auto.js');
const { EngineChoice } = await import('../../web/live/engine-choice.js');

class Played {
  ready = true;
  limit = 2;
  rate = null;
  sendsNails = true;
  opened = 0;
  isOpen = false;
  sent = [];

  open() {
    this.opened++;
    this.isOpen = true;
  }
  close() {
    this.isOpen = false;
  }
  watch() {}
  look() {}
  send(id, picture) {
    this.sent.push(id);
    return picture.size;
  }
}

const settleMs = 4000; // longer than the page waits for the server before it downloads the runtime

// A page whose server replies to its first frame some seconds later.
function page(t, options = {}) {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const server = new Played();
  const device = new Played();
  const auto = new AutoTransport({
    choice: new EngineChoice(options),
    server,
    device,
    inputs: { server: async () => ({}), device: async () => ({}) },
    offered: () => true,
  });
  auto.canDraw = true;
  auto.open();
  auto.send(1, { size: 900 }, true);
  server.onreply({ id: 1, scene: { nails: [] } });
  const pass = (ms) => {
    now += ms;
    auto.watch();
  };
  return { auto, server, device, pass };
}

test('the runtime is opened once the page is idle', (t) => {
  const { device, pass } = page(t);
  pass(1000);
  assert.equal(device.opened, 0);
  pass(settleMs);
  assert.equal(device.opened, 1);
});

test('the runtime is not opened if data is to be saved', (t) => {
  const { device, pass } = page(t, { sparing: true });
  for (let i = 0; i < 20; i++) pass(settleMs);
  assert.equal(device.opened, 0);
});

test('the rate that the server requests reaches the page', (t) => {
  const { auto, server } = page(t);
  server.rate = { fps: 7, width: 480 };
  assert.deepEqual(auto.rate, { fps: 7, width: 480 });
});

// Four frames a second from the id `from` on, which only the server answers, while it is up.
function play({ auto, server, pass }, up, seconds, from) {
  for (let id = from; id < from + 4 * seconds; id++) {
    if (server.isOpen) server.onstate(up ? 'open' : 'gone', { retryMs: 500 });
    pass(10);
    auto.send(id, auto.engine === 'device' ? { frame: { close() {} } } : { size: 900 }, true);
    pass(240);
    if (server.isOpen) server.onreply({ id, scene: { nails: [] } });
  }
}

test('a server that comes back after an outage is compared and used again', (t) => {
  const played = page(t);
  const { auto, server, device, pass } = played;
  pass(settleMs);
  device.onstate('open', {});
  play(played, true, 10, 2);
  assert.equal(auto.engine, 'server');
  play(played, false, 10, 100);
  assert.equal(auto.engine, 'device');
  assert.ok(!server.isOpen, 'a place is taken on a server that is not used');
  play(played, true, 150, 1000);
  assert.equal(auto.engine, 'server');
});

test('a server that was gone before the device was ready is used when it is back', (t) => {
  const played = page(t);
  const { auto, device, pass, server } = played;
  pass(settleMs);
  server.onstate('gone', { retryMs: 500 });
  device.onstate('open', {});
  assert.equal(auto.engine, 'device');
  play(played, true, 60, 2);
  assert.equal(auto.engine, 'server');
});

test('reports of the browser are received while the transport is open', async (t) => {
  const battery = Object.assign(new EventTarget(), { charging: false, level: 0.1 });
  Object.defineProperty(navigator, 'getBattery', {
    configurable: true,
    value: async () => battery,
  });
  t.after(() => delete navigator.getBattery);
  const { auto, device, pass } = page(t);
  await new Promise(setImmediate);
  pass(settleMs);
  assert.equal(device.opened, 0, 'the runtime is opened in spite of a low battery');
  battery.charging = true;
  battery.dispatchEvent(new Event('chargingchange'));
  pass(100);
  assert.equal(device.opened, 1);
  auto.close();
  battery.charging = false;
  battery.dispatchEvent(new Event('chargingchange'));
});

test('pressure is read if the browser supports it, and a policy may forbid it', async (t) => {
  const told = [];
  let ended = 0;
  globalThis.PressureObserver = class {
    static knownSources = ['cpu'];
    constructor(tell) {
      this.tell = tell;
    }
    async observe(source) {
      this.tell([{ source, state: 'fair' }, { source, state: 'critical' }]);
    }
    disconnect() {
      ended++;
    }
  };
  t.after(() => delete globalThis.PressureObserver);
  const { watchDevice } = await import('../../web/live/senses.js');
  const stop = watchDevice((signals) => told.push(signals));
  await new Promise(setImmediate);
  stop();
  assert.deepEqual(told, [{ pressure: 'critical' }]);
  assert.equal(ended, 1);
  PressureObserver.prototype.observe = async () => {
    throw new DOMException('a policy forbids it', 'NotAllowedError');
  };
  watchDevice(() => assert.fail('nothing was to be reported'))();
  await new Promise(setImmediate);
});
