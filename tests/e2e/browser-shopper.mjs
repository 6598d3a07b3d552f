// What a shopper does besides choosing a shade: finer controls, a manicure copied from a picture,
// an own design; and the page's messages when something cannot be done.
import fs from 'node:fs';
import path from 'node:path';
import {
  Server, artifacts, check, clean, frameId, golden, notice, open, patient, setRange, shade,
  shared, shot, software, state, text, until, withCamera,
} from './browser-harness.mjs';

import { audit } from './browser-access.mjs';

export const tests = {};

const hand = path.join(golden, 'light.jpg');
const fieldsOf = (page) => page.evaluate(() => tryon().lookStore.main.json);

async function openPhoto(page, file = hand) {
  const seen = await frameId(page);
  await page.setInputFiles('#file', file);
  await until('the photo', async () => (await frameId(page)) > seen);
}

// Every parameter of the engine can be set in the panel, is shown there, and can be undone at once.
tests.finer_controls_change_the_look = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await until('nail art', () => page.locator('#art option[value=dots]').count());
  await page.selectOption('#art', 'french');
  await setRange(page, '#tip-width', 40);
  await setRange(page, '#tip-curve', 90);
  await page.locator('#art-color').fill('#102030');
  const { french } = await fieldsOf(page);
  check(
    JSON.stringify(french) === '{"color":"#102030","width":0.4,"curve":0.9,"shape":"smile"}',
    JSON.stringify(french),
  );
  await page.selectOption('#art', 'ombre');
  await setRange(page, '#ombre-from', 60);
  await setRange(page, '#ombre-to', 30);
  const { ombre } = await fieldsOf(page);
  check(ombre.to > ombre.from && ombre.to < 0.36, JSON.stringify(ombre));
  await page.selectOption('#art', 'dots');
  await page.locator('#art-color').fill('#f0d020');
  check((await fieldsOf(page)).pattern.color === '#f0d020', 'the pattern keeps its colours');
  await page.click('#art-own-colors');
  check(!(await fieldsOf(page)).pattern.color, 'the pattern does not get its colours back');
  check(await page.isHidden('#size-box'), 'the flake size is offered for a finish without flakes');
  await page.check('input[name=finish][value=glitter]', { force: true });
  await setRange(page, '#size', 80);
  check((await fieldsOf(page)).finish.size === 0.8, 'flake size');
  await page.check('input[name=finish][value=cat-eye]', { force: true });
  await setRange(page, '#angle', -45);
  check((await fieldsOf(page)).finish.angle === -45, 'the angle of the band');
  await page.check('input[name=coats][value="3"]', { force: true });
  await page.check('input[name=shape][value=coffin]', { force: true });
  await setRange(page, '#length', 85);
  const worn = await fieldsOf(page);
  check(worn.coats === 3 && worn.shape.kind === 'coffin' && worn.shape.length === 0.85, 'shape');
  await shot(page, 'desktop-controls');
  await page.click('#reset');
  check(!(await fieldsOf(page)).shape, 'start over does not reset the shape');
  await page.click('#notice-action');
  const spelled = (look) =>
    JSON.stringify(Object.entries(look).filter(([, value]) => value != null).sort());
  const undone = spelled(await fieldsOf(page));
  check(undone === spelled(worn), `undo: ${undone}, not ${spelled(worn)}`);
  clean(page);
};

// Seasons and skin tones, each a subset of all shades; looks by groups.
tests.shades_and_looks_come_in_groups = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await until('the shades', () => page.locator('.swatch:not(.custom)').count());
  const count = () => page.locator('.swatch:not(.custom)').count();
  const all = await count();
  for (const group of ['spring', 'summer', 'autumn', 'winter', 'fair', 'medium', 'deep']) {
    await page.selectOption('#group', group);
    const some = await count();
    check(some > 5 && some < 0.75 * all, `${group}: ${some} of ${all}`);
  }
  await page.selectOption('#look-group', 'art');
  const shown = await page.$$eval('#looks label', (labels) =>
    labels.filter((label) => label.checkVisibility()).map((l) => l.querySelector('input').value),
  );
  check(shown.includes('leopard') && !shown.includes('gunmetal'), `nail art: ${shown}`);
  check((await page.getAttribute('html', 'lang')) === 'en', 'no language');
  await page.selectOption('#language', 'ar');
  await until('Arabic', async () => (await page.getAttribute('html', 'lang')) === 'ar');
  check((await page.getAttribute('html', 'dir')) === 'rtl', 'the page is laid out from the left');
  const body = await page.locator('body').innerText();
  clean(page);
  check(!/fps|\bms\b|WebSocket|HTTP/i.test(body), 'engineers’ words are shown');
};

// A server that goes away while a photo is open: the picture is marked as old, the page retries
// automatically, and panel and picture are consistent once the server is back.
tests.a_photo_is_retried_automatically = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await openPhoto(page);
  await page.route('**/api/process', (route) => route.abort());
  await shade(page, 'Cobalt');
  await notice(page, /does not answer.*retried automatically/);
  check((await text(page, '#notice-action')) === 'Try again', 'no button to retry');
  const stale = await page.evaluate(() => 'stale' in part('stage').dataset);
  check(stale, 'the picture is not marked as old');
  await shot(page, 'desktop-photo-error');
  const seen = await frameId(page);
  await page.unroute('**/api/process');
  await until('the photo to be retried automatically', async () => (await frameId(page)) > seen);
  check(await page.isHidden('#notice'), 'the message stays');
  check(
    !(await page.evaluate(() => 'stale' in part('stage').dataset)),
    'the new picture is marked as old',
  );
  check(
    /Cobalt/.test(await page.getAttribute('#canvas', 'aria-label')),
    'another shade is painted',
  );
  clean(page, /ERR_FAILED/);
};

// Replies that stay away while the connection is open.
tests.a_slow_connection_is_reported = async ({ browser, server }) => {
  await withGraphics(async (drawing) => {
    const page = await open(drawing, server.url);
    await page.evaluate(() => {
      Object.assign(tryon().live.frameBudget, { fpsLeast: 0, fpsWhole: 0 });
    });
    await page.click('#start');
    await until('a frame', async () => (await frameId(page)) > 0);
    await until('live', async () => (await state(page)) === 'live');
    await page.evaluate(() => {
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (data) {
        if (typeof data === 'string' || window.quick) send.call(this, data);
      };
    });
    await notice(page, /connection is slow/);
    check((await state(page)) === 'wait', `the page shows the state ${await state(page)}`);
    check((await text(page, '#link-text')) === 'Slow connection', await text(page, '#link-text'));
    await shot(page, 'desktop-slow-link');
  });
};

const withGraphics = async (run) => run(await shared([...software, withCamera]));

// A look's accents and tips if fingers or tips are not known in a picture: the page's own rules.
tests.missing_parts_of_a_look_are_reported = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const said = await page.evaluate(async () => {
    const { missOf } = await import('/ui/misses.js');
    const { fingersWorn } = await import('/look/accents.js');
    const { Look } = await import('/look/look.js');
    const look = new Look('test.miss');
    const at = (x, more) => ({
      center: [x, 100],
      length: 20,
      width: 14,
      finger: null,
      tipKnown: true,
      ...more,
    });
    const four = [at(300), at(100), at(170), at(240)];
    const blind = four.map((nail) => ({ ...nail, tipKnown: false }));
    const lines = {};
    look.wear({ fingers: { ring: { color: '#d0a020' } } });
    lines.order = missOf(four, look);
    lines.one = missOf([at(100)], look);
    lines.known = missOf([at(100, { finger: 'ring' }), at(200)], look);
    look.wear({ french: {} });
    lines.tips = missOf(blind, look);
    lines.seen = missOf(four, look);
    look.wear({});
    lines.plain = missOf(blind, look);
    return { lines, worn: fingersWorn(four) };
  });
  const wanted = {
    order: 'miss.order',
    one: 'miss.finger',
    known: '',
    tips: 'miss.tips',
    seen: '',
    plain: '',
  };
  check(JSON.stringify(said.lines) === JSON.stringify(wanted), JSON.stringify(said.lines));
  check(String(said.worn) === 'little,index,middle,ring', `fingers worn: ${said.worn}`);
  await page.evaluate(() => tryon().lookStore.wear({ fingers: { ring: { color: '#d0a020' } } }));
  await page.evaluate(() =>
    tryon().misses.photo([
      { finger: null, tipKnown: true },
      { finger: null, tipKnown: true },
    ]),
  );
  await notice(page, /fingers cannot be told apart/);
};

// A manicure in a picture, painted by the server in a known colour, is read and applied: Delta E
// (1976) of the swatch is at most 5, and the accent goes to its finger.
tests.a_manicure_is_copied_from_a_picture = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const found = {};
  const wear = async (color, finish) => {
    const form = new FormData();
    form.append('image', new Blob([fs.readFileSync(hand)]), 'hand.jpg');
    form.append('look', JSON.stringify({ color, finish }));
    const init = { method: 'POST', body: form, headers: { accept: 'image/jpeg' } };
    const reply = await fetch(`${server.url}api/process`, init);
    check(reply.ok, `the picture was not painted: ${reply.status}`);
    return Buffer.from(await reply.arrayBuffer());
  };
  for (const [color, finish] of [
    ['#b3122b', 'creme'],
    ['#1a9a9a', 'gloss'],
    ['#e8c4b8', 'creme'],
    ['#20306b', 'matte'],
    ['#c0a030', 'glitter'],
  ]) {
    const buffer = await wear(color, finish);
    fs.writeFileSync(path.join(artifacts, `reference-${finish}-${color.slice(1)}.jpg`), buffer);
    await page.setInputFiles('#copy-file', { name: 'shop.jpg', mimeType: 'image/jpeg', buffer });
    await notice(page, /manicure from the picture/);
    const worn = await fieldsOf(page);
    const apart = await page.evaluate(
      async ([a, b]) => {
        const { labOf } = await import('/look/palette.js');
        const [one, other] = [labOf(a), labOf(b)];
        return Math.hypot(...one.map((v, k) => v - other[k]));
      },
      [color, worn.color],
    );
    found[`${color} ${finish}`] = `${worn.color} ${worn.finish} ${apart.toFixed(1)}`;
    await page.click('#notice-close');
  }
  for (const [wanted, got] of Object.entries(found)) {
    const apart = Number(got.split(' ')[2]);
    check(apart <= (wanted.endsWith('glitter') ? 23 : 5), JSON.stringify(found));
  }
  const finish = (key) => found[key].split(' ')[1];
  check(finish('#c0a030 glitter') === 'glitter', JSON.stringify(found));
  check(finish('#20306b matte') === 'matte', JSON.stringify(found));
  await page.setInputFiles('#copy-file', {
    name: 'no.jpg',
    mimeType: 'image/jpeg',
    buffer: Buffer.from('hello'),
  });
  await notice(page, /could not be read/);
  clean(page);
  return found;
};

// An own design on one nail of a photo: drawn by the page, never sent, and kept across a reload.
tests.an_own_design_stays_on_the_device = async ({ server }) => {
  await withGraphics(async (browser) => {
    const page = await open(browser, server.url);
    await openPhoto(page);
    const png = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(64, 96);
      const context = canvas.getContext('2d');
      context.fillStyle = '#00e000';
      context.fillRect(0, 0, 64, 96);
      const blob = await canvas.convertToBlob({ type: 'image/png' });
      return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
    });
    const [nail] = await page.evaluate(() => tryon().stage.picture.nails);
    await page.check(`#nail-list input[value="${nail.key}"]`, { force: true });
    const sent = [];
    page.on('request', (request) => sent.push(request.postDataBuffer()?.toString('latin1') ?? ''));
    const seen = await frameId(page);
    await page.setInputFiles('#design-file', {
      name: 'mine.png',
      mimeType: 'image/png',
      buffer: Buffer.from(png, 'base64'),
    });
    await until('the design', async () => (await frameId(page)) > seen);
    check((await page.inputValue('#art')) === 'own', 'the design is not shown as worn');
    const colour = () =>
      page.evaluate(({ x, y }) => {
        const { picture } = tryon().stage;
        const canvas = new OffscreenCanvas(picture.width, picture.height);
        const context = canvas.getContext('2d', { willReadFrequently: true });
        picture.draw(context, 'painted', picture.width, picture.height);
        return [...context.getImageData(x, y, 1, 1).data];
      }, nail);
    const [red, green, blue] = await colour();
    check(green > red + 60 && green > blue + 60, `the nail is ${[red, green, blue]}`);
    check(!sent.some((body) => body.includes('own:')), 'the design was sent');
    await shot(page, 'desktop-own-design');
    await page.reload();
    await until('the swatches', () => page.locator('.swatch').count());
    const kept = await page.evaluate(async () => {
      const { keptDesigns } = await import('/look/designs.js');
      return (await keptDesigns()).length;
    });
    check(kept === 1, `${kept} designs are stored`);
    await openPhoto(page);
    const [r, g] = await colour();
    check(!nail.finger || g > r + 60, `after a reload the nail is ${[r, g]}`);
  });
};

// The camera's own picture is on the screen, at most 640 pixels of it are sent, and nails are in
// their places.
tests.the_camera_is_shown_as_large_as_it_is = async ({ server }) => {
  await withGraphics(async (browser) => {
    const page = await open(browser, server.url);
    const bytes = fs.readFileSync(hand).toString('base64');
    await page.evaluate(async (data) => {
      const image = new Image();
      image.src = `data:image/jpeg;base64,${data}`;
      await image.decode();
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width: 1280, height: 960 });
      const context = canvas.getContext('2d');
      setInterval(() => context.drawImage(image, 0, 0, 1280, 960), 200);
      navigator.mediaDevices.getUserMedia = async ({ video }) => {
        window.wanted = video;
        return canvas.captureStream(5);
      };
      Object.assign(tryon().live.frameBudget, { fpsLeast: 0, fpsWhole: 0 });
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (message) {
        if (message instanceof Uint8Array) window.sent = message.slice(16);
        send.call(this, message);
      };
    }, bytes);
    await page.click('#start');
    await until(
      'nails',
      async () => (await page.getAttribute('#canvas', 'data-nails')) === '5',
    );
    const seen = await page.evaluate(async () => {
      const bitmap = await createImageBitmap(new Blob([window.sent], { type: 'image/jpeg' }));
      const { width, height } = part('canvas');
      const { nails } = tryon().stage.picture;
      return {
        wanted: window.wanted.width.ideal,
        shown: [width, height],
        sent: [bitmap.width, bitmap.height],
        nails: nails.map(({ x, y }) => [x, y]),
      };
    });
    check(seen.wanted >= 1280, `${seen.wanted} was requested of the camera`);
    check(String(seen.shown) === '1280,960', `shown at ${seen.shown}`);
    check(seen.sent[0] <= 640, `sent at ${seen.sent}`);
    check(
      seen.nails.some(([x]) => x > 640),
      `nails at ${seen.nails}`,
    );
    await shot(page, 'desktop-large-camera');
    // Too slow for that: the same picture, but smaller.
    const { smaller, frames: drawn } = await page.evaluate(async () => {
      const { FrameBudget } = await import('/live/frame-budget.js');
      const budget = new FrameBudget();
      for (let at = 0; at < 6000; at += 100) budget.shown(at, 1280);
      return { smaller: budget.side, frames: budget.here };
    });
    check(smaller === 640 && drawn, `too slow: ${smaller}, ${drawn}`);
  });
};

// A visitor of a server that requires a token sees a page with a field, in the visitor's language.
tests.a_token_is_requested = async ({ browser }) => {
  const token = 'Shop-token-0123456789';
  const file = path.join(artifacts, 'tokens');
  fs.writeFileSync(file, `${token}\n`, { mode: 0o600 });
  const server = await new Server([...patient, '--token-file', file]).start();
  try {
    const context = await browser.newContext({ locale: 'de-DE' });
    const page = await context.newPage();
    await page.goto(server.url);
    check((await text(page, 'h1')) === 'Gib deinen Zugangscode ein', await text(page, 'h1'));
    await page.fill('#token', 'wrong-wrong-wrong-wrong');
    await page.click('#open');
    await until('the message about the wrong code', () => page.isVisible('#wrong'));
    check(!page.url().includes('wrong'), `the code stays in the address: ${page.url()}`);
    await audit(page, 'token page');
    await shot(page, 'token-page');
    await page.fill('#token', token);
    await page.click('#open');
    await until('the page', () => page.locator('lacquer-tryon #start').count());
    check(!page.url().includes(token), 'the token stays in the address');
  } finally {
    await server.kill();
    fs.rmSync(file);
  }
};
