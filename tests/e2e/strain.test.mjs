// How strained the device is, and what follows for the choice of an engine: tables of what a
// browser may report, simulated without one.
//
//   node --test tests/e2e/strain.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { faster, isSlowed } from '../../web/live/engine-choice.js';
import { strainOf, unstrained } from '../../web/live/strain.js';

const on = (level) => ({ charging: false, level });
const charging = (level) => ({ charging: true, level });

// before: whether the battery counted as low before.
for (const [name, before, battery, wanted] of [
  ['a browser that does not report it', false, null, false],
  ['half full', false, on(0.5), false],
  ['just above the limit', false, on(0.21), false],
  ['low', false, on(0.2), true],
  ['empty', false, on(0), true],
  ['low, but charging', false, charging(0.05), false],
  ['still low', true, on(0.2), true],
  ['a little better', true, on(0.25), true],
  ['well again', true, on(0.31), false],
  ['on a charger again', true, charging(0.1), false],
])
  test(`battery: ${name}`, () => {
    const strain = strainOf({ ...unstrained, battery: before }, { battery }, 1000);
    assert.equal(strain.battery, wanted);
  });

// steps: [seconds, the pressure that the browser then reports]; wanted: whether the processor
// counts as strained two seconds later.
for (const [name, steps, wanted] of [
  ['a browser that does not report it', [[60, null]], false],
  ['calm', [[60, 'nominal']], false],
  ['serious, as under normal heavy use', [[60, 'serious']], false],
  ['critical for a moment', [[60, 'fair'], [2, 'critical']], false],
  ['critical for long', [[60, 'fair'], [6, 'critical']], true],
  ['critical with a short recovery', [[4, 'critical'], [1, 'fair'], [3, 'critical']], false],
  ['over for a moment', [[10, 'critical'], [8, 'nominal']], true],
  ['over for long', [[10, 'critical'], [21, 'nominal']], false],
  ['back before it was over', [[10, 'critical'], [10, 'fair'], [1, 'critical']], true],
])
  test(`pressure: ${name}`, () => {
    let now = 1000;
    let strain = unstrained;
    for (const [seconds, pressure] of steps)
      for (const end = now + 1000 * seconds; now < end; now += 500)
        strain = strainOf(strain, { pressure }, now);
    assert.equal(strain.pressed, wanted);
  });

for (const [ages, pressed, wanted] of [
  [{ server: 60, device: 64 }, false, 'device'],
  [{ server: 60, device: 64 }, true, 'server'],
  [{ server: 60, device: 50 }, true, 'server'],
  [{ server: 60, device: 40 }, true, 'device'],
  [{ server: 1e6, device: 900 }, true, 'device'],
  [{ server: 1e6, device: 1e6 }, true, 'server'],
])
  test(`of ${JSON.stringify(ages)}${pressed ? ', pressed' : ''}: ${wanted}`, () =>
    assert.equal(faster(ages, pressed), wanted));

for (const [age, raced, pressed, wanted] of [
  [100, 60, false, false],
  [120, 60, false, true],
  [75, 60, true, false],
  [80, 60, true, true],
])
  test(`${age} ms after ${raced}${pressed ? ', pressed' : ''}: slowed ${wanted}`, () =>
    assert.equal(isSlowed(age, raced, pressed), wanted));
