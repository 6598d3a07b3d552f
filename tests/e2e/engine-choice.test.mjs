// The choice of an engine, simulated with a clock of its own: web/live/engine-choice.js knows
// nothing of the page.
//
//   node --test tests/e2e/engine-choice.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { EngineChoice, faster, meanAge } from '../../web/live/engine-choice.js';

const every = (ms, latency, count, from = 0) =>
  Array.from({ length: count }, (_, i) => {
    const at = from + (i + 1) * ms;
    return { at, taken: at - latency };
  });

// Simulates both engines for a while: each replies every `period` ms, `latency` after the frame.
class Play {
  now = 0;
  changes = [];
  raced = 0; // ms in which both got the frames

  constructor(options) {
    this.choice = new EngineChoice(options);
  }

  // engines: {server: [period, latency], device: …}; one that is left out never replies.
  run(ms, engines) {
    const due = Object.fromEntries(Object.keys(engines).map((name) => [name, this.now]));
    for (const end = this.now + ms; this.now < end; this.now += 10) {
      const { choice } = this;
      for (const [name, [period, latency]] of Object.entries(engines)) {
        if (this.now < due[name] || (choice.engine !== name && !choice.racing)) continue;
        due[name] = this.now + period;
        choice.replied(name, this.now, this.now - latency);
      }
      if (choice.racing) this.raced += 10;
      if (choice.tick(this.now)) this.changes.push([this.now, choice.engine]);
    }
    return this;
  }

  ready() {
    this.choice.deviceReady(this.now);
    return this;
  }

  get engine() {
    return this.choice.engine;
  }
}

test('the age on the screen depends on rate, latency and regularity', () => {
  const age = (...args) => meanAge(every(...args), 1000, 3000);
  assert.ok(Math.abs(age(100, 50, 40) - 100) < 6); // 50 of latency, half a period of 100
  assert.ok(age(50, 50, 80) < age(100, 50, 40));
  assert.ok(age(100, 50, 40) < age(100, 90, 40));
  // The same number of replies, but in pairs: older on average than if they come evenly.
  const uneven = every(200, 50, 20).flatMap(({ at, taken }) => [
    { at, taken },
    { at: at + 20, taken: taken + 20 },
  ]);
  assert.ok(meanAge(uneven, 1000, 3000) > age(100, 50, 40) + 10);
  assert.ok(meanAge([], 0, 2000) > 1e5);
  assert.ok(meanAge(every(100, 50, 3, 1500), 0, 2000) > 1000); // mostly nothing
});

test('the faster engine is chosen, and the device if both are alike', () => {
  assert.equal(faster({ server: 60, device: 40 }), 'device');
  assert.equal(faster({ server: 60, device: 64 }), 'device');
  assert.equal(faster({ server: 60, device: 90 }), 'server');
  assert.equal(faster({ server: 1e6, device: 900 }), 'device');
  assert.equal(faster({ server: 1e6, device: 1e6 }), 'server');
});

test('the server begins; a slow one is replaced after two seconds of comparison', () => {
  const play = new Play({}).run(3000, { server: [250, 300] });
  assert.equal(play.engine, 'server');
  assert.equal(play.raced, 0);
  play.ready().run(3000, { server: [250, 300], device: [80, 60] });
  assert.equal(play.engine, 'device');
  assert.ok(play.raced >= 2000 && play.raced < 2600, `${play.raced} ms of comparison`);
  play.run(20000, { device: [80, 60] });
  assert.equal(play.changes.length, 1);
});

test('a fast server stays, and is compared again at growing intervals', () => {
  const play = new Play({}).ready().run(600000, { server: [33, 15], device: [200, 180] });
  assert.equal(play.engine, 'server');
  assert.deepEqual(play.changes, []);
  // At 0, 30, 90, 210 and 450 s.
  assert.ok(play.raced >= 9000 && play.raced < 13000, `${play.raced} ms of comparison`);
});

test('a slowed device is replaced by the server, and chosen again later', () => {
  const server = [100, 120];
  const play = new Play({}).ready().run(5000, { server, device: [60, 40] });
  assert.equal(play.engine, 'device');
  play.run(12000, { server, device: [500, 480] });
  assert.equal(play.engine, 'server');
  play.run(200000, { server, device: [60, 40] });
  assert.equal(play.engine, 'device');
  assert.equal(play.changes.length, 3);
});

test('a slowed device that is still faster stays', () => {
  const server = [400, 500];
  const play = new Play({}).ready().run(5000, { server, device: [60, 40] });
  play.run(20000, { server, device: [150, 140] });
  assert.equal(play.engine, 'device');
});

test('a server that is gone is replaced at once, and compared when it is back', () => {
  const play = new Play({}).ready().run(5000, { server: [33, 15], device: [200, 180] });
  assert.equal(play.engine, 'server');
  play.choice.serverGone(play.now);
  assert.equal(play.engine, 'device');
  play.run(60000, { device: [200, 180] });
  assert.equal(play.engine, 'device');
  play.choice.serverBack(play.now);
  play.run(120000, { server: [33, 15], device: [200, 180] });
  assert.equal(play.engine, 'server');
});

test('without a server the device is used, also if data is to be saved', () => {
  const choice = new EngineChoice({ hasServer: false, sparing: true });
  assert.equal(choice.engine, 'device');
  assert.ok(choice.wantsRuntime);
  choice.deviceGone(0);
  assert.equal(choice.engine, 'device');
});

test('with a server, saving data prevents the download of the runtime', () => {
  assert.ok(!new EngineChoice({ sparing: true }).wantsRuntime);
  assert.ok(new EngineChoice({ sparing: true, forced: 'device' }).wantsRuntime);
  assert.ok(new EngineChoice({}).wantsRuntime);
  assert.ok(!new EngineChoice({ forced: 'server' }).wantsRuntime);
});

test('a forced engine stays', () => {
  const slow = new Play({ forced: 'server' }).ready();
  slow.run(20000, { server: [900, 900], device: [50, 30] });
  assert.equal(slow.engine, 'server');
  assert.equal(slow.raced, 0);
  const device = new Play({ forced: 'device' }).ready();
  device.run(20000, { server: [30, 10], device: [900, 900] });
  assert.equal(device.engine, 'device');
});

test('if the runtime breaks, the server is used', () => {
  const play = new Play({}).ready().run(5000, { server: [250, 300], device: [60, 40] });
  assert.equal(play.engine, 'device');
  play.choice.deviceGone(play.now);
  assert.equal(play.engine, 'server');
  play.run(60000, { server: [250, 300] });
  assert.equal(play.engine, 'server');
});

test('time in which the page was hidden does not count', () => {
  const play = new Play({}).ready().run(5000, { server: [100, 120], device: [60, 40] });
  play.now += 60000; // no replies arrive, and the choice is not evaluated
  play.choice.restart(play.now);
  play.run(10000, { server: [100, 120], device: [60, 40] });
  assert.equal(play.engine, 'device');
  assert.equal(play.changes.length, 1);
});

test('with a low battery the device is not used until it is charged', () => {
  const engines = { server: [250, 300], device: [60, 40] };
  const play = new Play({}).ready().run(5000, engines);
  assert.equal(play.engine, 'device');
  play.choice.sense({ battery: { charging: false, level: 0.15 } }, play.now);
  play.run(100, engines);
  assert.equal(play.engine, 'server');
  const { raced } = play;
  play.run(600000, engines);
  assert.equal(play.engine, 'server');
  assert.equal(play.raced, raced); // a comparison would cost more than either engine
  play.choice.sense({ battery: { charging: true, level: 0.15 } }, play.now);
  play.run(5000, engines);
  assert.equal(play.engine, 'device');
});

test('with a low battery at the start and a server, no runtime is downloaded', () => {
  const low = { battery: { charging: false, level: 0.1 } };
  const choice = new EngineChoice({});
  choice.sense(low, 0);
  assert.ok(!choice.wantsRuntime);
  choice.sense({ battery: { charging: true, level: 0.1 } }, 1000);
  assert.ok(choice.wantsRuntime);
  const alone = new Play({ hasServer: false }).ready();
  alone.choice.sense(low, 0);
  alone.run(5000, { device: [60, 40] });
  assert.equal(alone.engine, 'device');
});

test('with a low battery and no server, the device is used nevertheless', () => {
  const engines = { server: [250, 300], device: [60, 40] };
  const play = new Play({}).ready().run(5000, engines);
  play.choice.serverGone(play.now);
  play.choice.sense({ battery: { charging: false, level: 0.1 } }, play.now);
  play.run(60000, engines);
  assert.equal(play.engine, 'device');
  play.choice.serverBack(play.now);
  play.run(100, engines);
  assert.equal(play.engine, 'server');
});

test('a device under pressure is replaced sooner, and chosen again afterwards', () => {
  const server = [60, 60];
  const fast = { server, device: [60, 40] };
  const slower = { server, device: [100, 60] }; // 1.6 times as old as in the comparison
  const calm = new Play({}).ready().run(5000, fast).run(20000, slower);
  assert.equal(calm.engine, 'device');
  const play = new Play({}).ready().run(5000, fast);
  play.choice.sense({ pressure: 'critical' }, play.now);
  play.run(20000, slower);
  assert.equal(play.engine, 'server');
  play.run(200000, fast);
  assert.equal(play.engine, 'server'); // a small gain is not enough for a strained device
  play.choice.sense({ pressure: 'nominal' }, play.now);
  play.run(1000000, fast);
  assert.equal(play.engine, 'device');
});

test('the time until the next comparison can be set', () => {
  const play = new Play({ retryMs: 1000 }).ready();
  play.run(20000, { server: [33, 15], device: [200, 180] });
  assert.ok(play.raced > 6000, `${play.raced} ms of comparison`);
});

test('a slowed device is compared again soon if the server was slower', () => {
  const play = new Play({}).ready();
  play.run(200000, { server: [400, 2500], device: [60, 40] }); // comparisons are far apart by now
  assert.equal(play.engine, 'device');
  play.run(60000, { server: [60, 50], device: [600, 500] });
  assert.equal(play.engine, 'server');
});
