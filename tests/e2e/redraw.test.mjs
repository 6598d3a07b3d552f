// When the picture is drawn for news that no camera frame brought, on a clock that is played.
//
//   node --test tests/e2e/redraw.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { Redraw } from '../../web/live/redraw.js';

// → {redraw, drawings, pass(ms)}
function played(context) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const seen = { drawings: 0, pass: (ms) => context.mock.timers.tick(ms) };
  seen.redraw = new Redraw(() => seen.drawings++);
  return seen;
}

test('a camera that runs draws news with its next frame', async (context) => {
  const seen = played(context);
  const drawn = seen.redraw.soon();
  seen.pass(60);
  seen.redraw.drawn();
  await drawn;
  seen.pass(1000);
  assert.equal(seen.drawings, 0);
});

test('a camera that stands gets a drawing of its own', async (context) => {
  const seen = played(context);
  const drawn = seen.redraw.soon();
  seen.pass(200);
  await drawn;
  assert.equal(seen.drawings, 1);
});

test('news that comes twice is drawn once, and the next anew', async (context) => {
  const seen = played(context);
  const both = Promise.all([seen.redraw.soon(), seen.redraw.soon()]);
  seen.pass(200);
  await both;
  assert.equal(seen.drawings, 1);
  const again = seen.redraw.soon();
  seen.pass(200);
  await again;
  assert.equal(seen.drawings, 2);
});
