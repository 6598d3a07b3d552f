// The page's transports follow one interface (web/live/transport.js).
//
//   node --test tests/e2e/transports.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { DeviceTransport } from '../../web/device/transport.js';
import { AutoTransport } from '../../web/live/transport-auto.js';
import { Base64Transport } from '../../web/live/transport-base64.js';
import { WsTransport } from '../../web/live/transport-ws.js';
import { Transport } from '../../web/live/transport.js';

globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };

const own = { // members that only live.js uses, of one kind whose type it knows
  AutoTransport: ['canDraw', 'engine', 'onengine'],
  DeviceTransport: ['backend', 'memoryBytes', 'runMs', 'threads', 'why'],
};

const membersOf = (object) => {
  const names = new Set(Object.keys(object));
  let at = object;
  while ((at = Object.getPrototypeOf(at)) !== Object.prototype)
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  return names;
};

class Fake extends Transport {
  ready = true;
  sent = [];

  send(...args) {
    this.sent.push(args);
    return 0;
  }
}

const choiceOf = (engine) => ({ engine, racing: false, wantsRuntime: false, tick() {},
  restart() {}, replied() {}, serverBack() {}, serverGone() {} });

const makeAuto = (engine = 'server') => {
  const server = new Fake(), device = new Fake();
  const auto = new AutoTransport({ choice: choiceOf(engine), server, device, inputs: {},
    offered: () => false });
  auto.canDraw = true;
  return { auto, server, device };
};

test('no transport has members beyond the interface', () => {
  const known = membersOf(new Transport());
  const base = 'http://localhost/';
  const all = [new WsTransport({}, base), new Base64Transport({}, base),
    new DeviceTransport('/'), makeAuto().auto];
  for (const transport of all) {
    const { name } = transport.constructor;
    const strange = [...membersOf(transport)].filter((member) => !known.has(member)
      && !(own[name] ?? []).includes(member));
    assert.deepEqual(strange, [], name);
  }
});

test('of two transports the page sees the one in use', () => {
  for (const engine of ['server', 'device']) {
    const { auto, [engine]: active } = makeAuto(engine);
    const settings = { limit: 7, rate: { fps: 12 }, sendsNails: true, takesFrames: true,
      ready: true };
    for (const [name, value] of Object.entries(settings)) {
      Object.defineProperty(active, name, { value });
      assert.equal(auto[name], value, `${name} of the ${engine}`);
    }
  }
});

test('replies go to the handlers', () => {
  const { auto, server } = makeAuto();
  const seen = [];
  for (const name of ['onreply', 'onerror', 'onreplaced', 'onstate'])
    auto[name] = (...args) => seen.push([name, ...args]);
  auto.open();
  auto.send(1, { jpeg: true }, false);
  assert.equal(server.sent.length, 1);
  server.onstate('busy', { retryMs: 5 });
  server.onreply({ id: 1 });
  server.onerror({ id: 1 });
  server.onreplaced(1);
  assert.deepEqual(seen, [['onstate', 'busy', { retryMs: 5 }], ['onreply', { id: 1 }],
    ['onerror', { id: 1 }], ['onreplaced', 1]]);
});

test('another camera keeps the worker, also behind the choice of engines', () => {
  const { auto, device } = makeAuto('device');
  const closed = [];
  device.close = (how) => closed.push(how);
  auto.open();
  auto.close({ keep: true });
  assert.deepEqual(closed, [{ keep: true }]);
});

test('limits of the server are obeyed, also behind the choice of engines', () => {
  const sockets = [];
  globalThis.WebSocket = class {
    bufferedAmount = 0;
    sent = [];

    constructor() {
      sockets.push(this);
    }

    send(message) {
      this.sent.push(message);
    }

    close() {}
  };
  const server = new WsTransport({ served: {} }, 'http://localhost/');
  const auto = new AutoTransport({ choice: choiceOf('server'), server, device: new Fake(),
    inputs: {}, offered: () => false });
  auto.open();
  const [socket] = sockets;
  const say = (message) => socket.onmessage({ data: JSON.stringify(message) });
  socket.onopen();
  say({ type: 'hello', in_flight: 1, replies: ['jpeg', 'nails'], rate: true });
  assert.deepEqual([auto.ready, auto.limit, auto.sendsNails, auto.rate], [true, 1, true, null]);
  assert.equal(socket.sent.at(-1), '{"type":"rate"}');
  say({ type: 'rate', fps: 10, width: 320, jpeg: 70 });
  assert.equal(auto.rate.fps, 10);
  auto.close();
  server.close();
});

test('a worker of which no start succeeds is reported as missing', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const workers = [];
  globalThis.Worker = class {
    constructor() {
      workers.push(this);
    }
    postMessage() {}
    terminate() {}
  };
  t.after(() => delete globalThis.Worker);
  const states = [];
  const device = new DeviceTransport('/');
  device.onstate = (state, { missing }) => state === 'gone' && states.push(missing);
  device.open();
  const fail = () => {
    workers.at(-1).onerror({});
    t.mock.timers.tick(10000);
  };
  fail();
  fail();
  workers.at(-1).onmessage({ data: { type: 'progress' } });
  fail();
  device.close();
  assert.deepEqual(states, [false, true, false]);
});
