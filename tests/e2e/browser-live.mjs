// The page with a camera: polish on the nails, figures, transports, servers that go and return.
import {
  Server, check, clean, frameId, frames, freeze, isLive, launch, live, nails, notice, number,
  open, patient, reach, saved, shade, shot, sleep, state, text, until, withoutCamera,
} from './browser-harness.mjs';
import { keepBoth, measure, whichFrame } from './browser-pixels.mjs';

export const tests = {};

tests.polish_appears_on_the_nails = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await live(page);
  await frames(page, 6);
  await page.click('#more summary');
  await page.uncheck('#mirror');
  await page.click('#more summary');
  await frames(page, 4);
  await shot(page, 'desktop-live');
  await freeze(page);
  await keepBoth(page);
  const mask = await whichFrame(page);
  const result = await measure(page, mask, '#c71585');
  check(
    result.moved > 0.5,
    `only ${(result.moved * 100).toFixed()} % of the nails took the colour`,
  );
  check(result.outside < 2.5, `the rest of the picture changed by ${result.outside.toFixed(2)}`);
  check((await nails(page)) >= 2, 'fewer than two nails found');
  clean(page);
  return result;
};

tests.colour_change_takes_effect = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await live(page);
  await page.click('#more summary');
  await page.uncheck('#mirror');
  const means = {};
  for (const [name, color] of [
    ['Signal Red', '#e01f26'],
    ['Lagoon', '#1a9a9a'],
  ]) {
    await shade(page, name);
    check((await text(page, '#shade-name')) === name, 'the shade is not named');
    await frames(page, 5);
    await freeze(page);
    await keepBoth(page);
    const result = await measure(page, await whichFrame(page), color);
    check(result.moved > 0.45, `${name}: only ${(result.moved * 100).toFixed()} % took the colour`);
    means[name] = result.mean;
    await page.evaluate(() => part('video').play());
    await frames(page, 2);
  }
  check(
    means['Signal Red'][0] > means.Lagoon[0] + 40 && means.Lagoon[2] > means['Signal Red'][2] + 20,
    `red and blue do not differ enough: ${JSON.stringify(means)}`,
  );
  clean(page);
};

// Compares the HUD's values with what the test itself observes on the wire.
tests.figures_are_plausible = async ({ browser, server }) => {
  const context = await browser.newContext();
  await context.addInitScript(reach);
  const page = await context.newPage();
  const wire = { sent: 0, got: 0, open: 0, most: 0, lastSent: 0, lastGot: 0, serverMs: [] };
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      if (typeof payload === 'string') return;
      const id = payload.readUInt32LE(4);
      check(
        id > wire.lastSent && payload[0] === 1 && payload.readUInt16LE(2) === 16,
        'a bad header',
      );
      wire.lastSent = id;
      wire.sent++;
      wire.most = Math.max(wire.most, ++wire.open);
    });
    socket.on('framereceived', ({ payload }) => {
      if (typeof payload === 'string') return;
      check(payload.readUInt32LE(4) > wire.lastGot, 'replies out of order');
      wire.lastGot = payload.readUInt32LE(4);
      wire.got++;
      wire.open = wire.lastSent - wire.lastGot;
      wire.serverMs.push(payload.readUInt32LE(44) / 1000);
    });
  });
  const began = Date.now();
  await page.goto(`${server.url}?stats`);
  await live(page);
  await page.click('#hud summary');
  await until('replies', async () => wire.got >= 10);
  const got = wire.got;
  const shownAt = await frameId(page);
  await sleep(2000); // the figures cover this period
  const fpsSeen = ((await frameId(page)) - shownAt) / 2;
  const fps = await number(page, '#fps');
  const p50 = await number(page, '#lat50');
  const p95 = await number(page, '#lat95');
  const server50 = await number(page, '#server-ms');
  await shot(page, 'desktop-figures');
  check(wire.got > got, 'no replies');
  check(wire.most <= 2, `${wire.most} frames were in flight`);
  check(
    fps > 0 && Math.abs(fps - fpsSeen) <= Math.max(3, fpsSeen * 0.4),
    `${fps} fps shown, ${fpsSeen} seen`,
  );
  check(p50 > 0 && p95 >= p50 && p95 < Date.now() - began, `p50 ${p50}, p95 ${p95}`);
  check(server50 <= p50, `the server's share is ${server50} of ${p50} ms`);
  const sorted = wire.serverMs.sort((a, b) => a - b);
  check(
    server50 >= sorted[0] - 0.1 && server50 <= sorted.at(-1) + 0.5,
    'the server time differs from that on the wire',
  );
  const parts = await page.locator('#stages li span').allTextContents();
  check(parts.length === 10 && parts.every((part) => parseFloat(part) >= 0), `stages: ${parts}`);
  const kept = await page.evaluate(() => tryon().stats.summary());
  check(kept.rate < 2.2e6, `${kept.rate} bytes a second`);
  check(kept.bytesUp > 2000 && kept.bytesUp < 200000, `${kept.bytesUp} bytes a frame`);
  await context.close();
  return { fps, p50, p95, server50 };
};

// Recorded in the page: both are visible for a moment only, which a slow machine might miss.
function noteSaving() {
  window.noted = {};
  const note = () => {
    window.noted[part('save-text').textContent] = true;
    window.noted.flash ||= 'flash' in part('stage').dataset;
  };
  const observer = new MutationObserver(note);
  observer.observe(part('save-text'), { childList: true, characterData: true, subtree: true });
  observer.observe(part('stage'), { attributes: true });
}

tests.saves_what_is_shown = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await live(page);
  await frames(page, 3);
  await page.evaluate(noteSaving);
  const file = await saved(page);
  await until('the note that the picture was saved', () => page.evaluate(() => window.noted.Saved));
  await until('the flash', () => page.evaluate(() => window.noted.flash));
  const size = await page.evaluate(() => [
    part('video').videoWidth,
    part('video').videoHeight,
  ]);
  check(String(file.size) === String(size), `saved ${file.size}, the camera gives ${size}`);
  check(/^lacquer-fuchsia-run-[0-9-]+\.jpg$/.test(file.name), file.name);
  clean(page);
};

tests.both_transports = async ({ browser, server }) => {
  const page = await open(browser, `${server.url}?stats`);
  await live(page);
  await page.click('#more summary');
  await page.check('input[value=base64]', { force: true });
  const asked = () => page.asked.filter((url) => url.endsWith('/api/process_base64')).length;
  await until('requests', async () => asked() > 5);
  await frames(page, 5);
  await isLive(page);
  await until('figures', async () => (await number(page, '#p50')) > 0);
  const base64 = await number(page, '#p50');
  await shot(page, 'desktop-base64');
  await page.check('input[value=ws]', { force: true });
  await frames(page, 5);
  const before = asked();
  await frames(page, 5);
  check(asked() === before, 'base64 requests went on after the change');
  clean(page);
  return { base64, ws: await number(page, '#p50') };
};

tests.server_gone_and_back = async ({ browser }) => {
  const server = await new Server(patient).start();
  try {
    const page = await open(browser, server.url);
    await live(page);
    await server.kill('SIGKILL');
    await notice(page, /does not answer.*Retrying/);
    check((await state(page)) === 'gone', 'the connection state is wrong');
    await shot(page, 'desktop-server-gone');
    const seen = await frameId(page);
    await server.start();
    await until('new frames', async () => (await frameId(page)) > seen + 2);
    await isLive(page);
    await until('the message to go', () => page.isHidden('#notice'));
    clean(page, /ERR_(CONNECTION_(REFUSED|RESET)|SOCKET_NOT_CONNECTED)|WebSocket connection/);
  } finally {
    await server.kill();
  }
};

tests.full_server_is_reported = async ({ browser }) => {
  const server = await new Server([...patient, '--max-sessions', '1']).start();
  try {
    const first = await open(browser, server.url);
    await live(first);
    const second = await open(browser, server.url);
    await second.click('#start');
    await notice(second, /server is full/);
    await shot(second, 'desktop-server-full');
    await first.click('#stop');
    await until('the second client to be admitted', async () => (await frameId(second)) > 0);
    await isLive(second);
  } finally {
    await server.kill();
  }
};

tests.two_pages_at_once = async ({ browser, server }) => {
  const pages = await Promise.all([open(browser, server.url), open(browser, server.url)]);
  const wanted = ['#e01f26', '#1a9a9a'];
  await shade(pages[0], 'Signal Red');
  await shade(pages[1], 'Lagoon');
  await Promise.all(pages.map((page) => live(page)));
  await Promise.all(pages.map((page) => frames(page, 4)));
  for (const [i, page] of pages.entries()) {
    await page.evaluate(async () => {
      part('mirror').click();
    });
    await frames(page, 2);
    await freeze(page);
    await keepBoth(page);
    const result = await measure(page, await whichFrame(page), wanted[i]);
    check(
      result.moved > 0.45,
      `page ${i}: only ${(result.moved * 100).toFixed()} % took its own colour`,
    );
    clean(page);
  }
};

tests.camera_refused = async ({ server }) => {
  const browser = await launch([withoutCamera]);
  try {
    const page = await open(browser, server.url);
    await page.click('#start');
    await notice(page, /camera is blocked.*[Aa]llow it/);
    await shot(page, 'desktop-camera-denied');
    check(await page.isEnabled('#start'), 'no second attempt');
    for (const [width, height] of [[1280, 800], [390, 844], [844, 390]]) {
      await page.setViewportSize({ width, height });
      const covered = await page.evaluate(() =>
        ['start', 'choose'].filter((id) => {
          const { left, top, width, height } = part(id).getBoundingClientRect();
          return [0.1, 0.5, 0.9].some((at) => {
            const root = part(id).getRootNode();
            return !part(id).contains(root.elementFromPoint(left + width / 2, top + height * at));
          });
        }),
      );
      check(!covered.length, `${width} x ${height}: the message covers ${covered}`);
    }
    const insecure = await open(browser, server.url.replace('127.0.0.1', 'lacquer.test'));
    await insecure.click('#start');
    await notice(insecure, /https:/);
  } finally {
    await browser.close();
  }
};

tests.camera_missing_or_taken = async ({ browser, server }) => {
  for (const [name, pattern] of [
    ['NotFoundError', /No camera was found/],
    ['NotReadableError', /in use by another/],
  ]) {
    const page = await open(browser, server.url);
    await page.evaluate((kind) => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException('', kind);
      };
    }, name);
    await page.click('#start');
    await notice(page, pattern);
    clean(page);
  }
};
