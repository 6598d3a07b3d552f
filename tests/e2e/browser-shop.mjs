// The page's functions for a shop: catalogue, favourites, two looks, sharing, advice.
import path from 'node:path';
import {
  check, clean, frameId, frames, golden, notice, open, saved, setRange, shade, shot, text, until,
} from './browser-harness.mjs';

export const tests = {};

const hand = path.join(golden, 'light.jpg');
const names = (page) =>
  page.$$eval('.swatch:not(.custom)', (labels) => labels.map((label) => label.title));

export async function openPhoto(page, file = hand) {
  const seen = await frameId(page);
  await page.setInputFiles('#file', file);
  await until('the photo', async () => (await frameId(page)) > seen);
}

tests.shades_are_found_and_kept = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const all = await names(page);
  await page.fill('#search', 'fuch');
  check(String(await names(page)) === 'Fuchsia Run', `found ${await names(page)}`);
  await until('the count to be said', async () => /1 shade/.test(await text(page, '#live')));
  const spoken = await page.getAttribute('input[name=shade]', 'aria-label');
  check(spoken === 'Fuchsia Run, Pinks', `the swatch is named ${spoken}`);
  await page.fill('#search', 'no such shade');
  check(await page.isVisible('#shades-none'), 'no message that nothing was found');
  await page.fill('#search', '');
  await page.selectOption('#group', 'blue');
  const blues = await names(page);
  check(
    blues.length > 0 && blues.length < all.length && blues.includes('Cobalt'),
    `blues: ${blues}`,
  );
  await shade(page, 'Cobalt');
  await page.click('#favourite');
  check((await page.getAttribute('#favourite', 'aria-pressed')) === 'true', 'not kept');
  await page.selectOption('#group', 'favourites');
  check(String(await names(page)) === 'Cobalt', `favourites: ${await names(page)}`);
  await page.reload();
  await until('the swatches', () => page.locator('.swatch').count());
  await page.selectOption('#group', 'favourites');
  check(String(await names(page)) === 'Cobalt', 'favourites were not stored');
  check((await text(page, '#shade-name')) === 'Cobalt', 'the look was not stored');
  await page.click('#favourite');
  check((await names(page)).length === 0, 'a favourite cannot be removed');
  check(await page.isVisible('#shades-none'), 'no hint how to add favourites');
  clean(page);
};

// Search in the user's language, with or without accents; the shop's own names of shades are found
// too.
tests.shades_are_found_in_the_users_language = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await page.selectOption('#group', 'blue');
  const codes = () =>
    page.$$eval('.swatch input[type=radio]', (all) => all.map(({ value }) => value));
  const blues = await codes();
  const speak = async (language) => {
    await page.selectOption('#language', language);
    await page.waitForFunction((it) => document.documentElement.lang === it, language);
  };
  await page.selectOption('#group', 'all');
  for (const [language, words] of [
    ['de', ['blau', 'BLAU']],
    ['es', ['azul', 'azules']],
    ['ar', ['أزرق']],
    ['en', ['blue']],
  ]) {
    await speak(language);
    for (const word of words) {
      await page.fill('#search', word);
      const found = await codes();
      check(blues.every((code) => found.includes(code)), `${language}, ${word}: ${found}`);
    }
    await page.fill('#search', 'cobalt');
    const own = { de: 'Kobalt', es: 'Cobalto', ar: 'كوبالت', en: 'Cobalt' }[language];
    check(String(await names(page)) === own, `${language}: ${await names(page)}`);
    await page.fill('#search', own);
    check((await names(page)).includes(own), `${language}, ${own}: ${await names(page)}`);
  }
  await speak('de');
  await page.fill('#search', 'grun'); // without the umlaut's dots
  check((await names(page)).includes('Basilikum'), `grun: ${await names(page)}`);
  clean(page);
};

const fieldsOf = (page) => page.evaluate(() => tryon().lookStore.main.json);
const repainted = async (page, act) => {
  const seen = await frameId(page);
  await act();
  await until('the new polish', async () => (await frameId(page)) > seen);
};

tests.whole_looks_are_applied = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const { looks } = await (await fetch(`${server.url}api/looks`)).json();
  check((await page.locator('input[name=look]').count()) === looks.length, 'looks are missing');
  await openPhoto(page);
  await repainted(page, () => page.check('input[name=look][value=valentine]', { force: true }));
  const worn = await fieldsOf(page);
  check(worn.color === '#f49ac1' && worn.fingers.ring.pattern.image === 'hearts', 'not worn');
  await page.reload();
  await until('the looks', () => page.locator('input[name=look]').count());
  check(await page.isChecked('input[name=look][value=valentine]'), 'the look was not stored');
  await shade(page, 'Cobalt');
  check(!(await page.isChecked('input[name=look][value=valentine]')), 'a changed look is marked');
  clean(page);
};

tests.every_finish_is_painted = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await openPhoto(page);
  const values = await page.$$eval('input[name=finish]', (all) => all.map(({ value }) => value));
  check(values.length >= 14, `only ${values}`);
  const texts = await page.$$eval('#finishes b', (all) => all.map((b) => b.textContent));
  check(new Set(texts).size === values.length, `finishes have equal names: ${texts}`);
  for (const value of values.slice(1))
    await repainted(page, () => page.check(`input[name=finish][value=${value}]`, { force: true }));
  clean(page);
};

// Without graphics the server paints the previews, no two finishes alike, after a retry if it was
// busy; if it cannot paint them, cards are chips of the colour.
tests.cards_without_graphics = async ({ browser, server }) => {
  const page = await open(browser, server.url, { viewport: { width: 1280, height: 1400 } });
  let busy = 2;
  await page.route('**/api/process', (route) =>
    busy-- > 0 ? route.fulfill({ status: 503, body: '{"error":"busy"}' }) : route.continue(),
  );
  await page.reload(); // so that no preview was requested before
  await until('the finishes', () => page.locator('#finishes label').count());
  await page.evaluate(() => part('finishes').scrollIntoView());
  const painted = page.locator('#finishes canvas[data-painted]');
  const count = await page.locator('#finishes label').count();
  await until('every finish painted', async () => (await painted.count()) === count);
  const sums = await painted.evaluateAll((all) =>
    all.map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.reduce((sum, v, i) => sum + v * ((i % 4) + 1), 0);
    }),
  );
  check(new Set(sums).size === count, 'two finishes look the same');
  check(busy < 0, 'the server was never busy');
  await shot(page, 'desktop-cards');
  clean(page, /status of 503/);
  const other = await browser.newContext();
  await other.route('**/fingertip.jpg', (route) => route.fulfill({ status: 200, body: 'none' }));
  const bare = await other.newPage();
  await bare.goto(server.url);
  await until('chips', () => bare.locator('#finishes i[data-finish=matte]').count());
  await other.close();
};

tests.nail_art_and_shape = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await openPhoto(page);
  const options = await page.$$eval('#art option', (all) => all.map(({ value }) => value));
  check(options.includes('french') && options.includes('hearts'), `nail art: ${options}`);
  for (const value of options.slice(1, -1)) {
    await repainted(page, () => page.selectOption('#art', value));
    check((await page.inputValue('#art')) === value, `${value} is not shown as chosen`);
  }
  await repainted(page, () => page.selectOption('#art', 'none'));
  const { pattern, french, ombre } = await fieldsOf(page);
  check(!pattern && !french && !ombre, 'nail art cannot be removed');
  const shape = (name) =>
    repainted(page, () => page.check(`input[name=shape][value=${name}]`, { force: true }));
  await shape('almond');
  check((await fieldsOf(page)).shape.kind === 'almond', 'nails are not longer');
  await shape('natural');
  check(!(await fieldsOf(page)).shape, 'longer nails cannot be taken off');
  clean(page);
};

// A tap on a nail of a photo, then a shade: only that nail changes, by its finger or its number.
tests.one_nail_by_a_tap = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  check(await page.isHidden('#nail-field'), 'nails are offered before there is a picture');
  await openPhoto(page);
  const nails = await page.evaluate(() => tryon().stage.picture.nails);
  const choices = await page.locator('input[name=nail]').count();
  check(choices === new Set(nails.map(({ key }) => key)).size + 1, `${choices} choices`);
  const named = await page.$$eval('#nail-list label', (all) => all.map((l) => l.textContent));
  const fingers = ['All nails', 'Thumb', 'Index', 'Middle', 'Ring', 'Little'];
  check(String(named) === String(fingers), `nails are named ${named}`);
  const box = await page.locator('#canvas').boundingBox();
  const zoom = box.width / 640;
  const [nail, other] = nails;
  await page.mouse.click(box.x + nail.x * zoom, box.y + nail.y * zoom);
  const chosen = () =>
    page.$eval('#nail-list input:checked', (input) => input.value);
  check((await chosen()) === nail.key, `the tap chose ${await chosen()}`);
  await until('the announcement', async () => /Now changing/.test(await text(page, '#live')));
  await repainted(page, () => shade(page, 'Cobalt'));
  const colours = await page.evaluate((places) => {
    const { picture } = tryon().stage;
    const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d', {
      willReadFrequently: true,
    });
    picture.draw(context, 'painted', picture.width, picture.height);
    return places.map(({ x, y }) => [...context.getImageData(x, y, 1, 1).data]);
  }, nails);
  check(colours[0][2] > colours[0][0] + 40, `the nail is ${colours[0]}`);
  for (const colour of colours.slice(1))
    check(colour[0] > colour[2], `another nail is ${colour} too`);
  await shot(page, 'desktop-one-nail');
  const file = await saved(page);
  check(String(file.size) === '640,480', `saved ${file.size}`);
  await page.click('#nail-same');
  await until('the nail like the others', () => page.isHidden('#nail-same'));
  await page.mouse.click(box.x + other.x * zoom, box.y + other.y * zoom);
  check((await chosen()) === other.key, 'a second tap chooses no other nail');
  await page.mouse.click(box.x + other.x * zoom, box.y + other.y * zoom);
  check((await chosen()) === '', 'a tap on the chosen nail does not go back to all');
  clean(page);
};

// If only some fingers are known, the other nails are numbered from 1, from the user's left, both
// in print and for screen readers.
tests.nails_without_a_finger_are_numbered_from_one = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const said = await page.evaluate(async () => {
    const { Chooser } = await import('/look/chooser.js');
    const words = { t: (key, { number } = {}) => (number ? `${key} ${number}` : key) };
    const chooser = new Chooser({ find: part, lookStore: tryon().lookStore, words });
    const nails = [
      { key: '#8', x: 300 },
      { key: 'middle', finger: 'middle', x: 200 },
      { key: '#7', x: 100 },
    ];
    const list = () => parts('#nail-list label').map((label) => label.textContent).join();
    chooser.offer(nails);
    const plain = list();
    const aloud = ['middle', '#7', '#8', '#9'].map((key) => chooser.nameOf(key)).join();
    chooser.offer(nails, { mirrored: true, force: true });
    return { plain, aloud, mirrored: list(), right: chooser.nameOf('#8') };
  });
  const listed = 'nail.all,finger.middle,nail.number 1,nail.number 2';
  check(said.plain === listed && said.mirrored === listed, `listed: ${JSON.stringify(said)}`);
  check(said.aloud === `${listed.slice(9)},nail.number 3`, `spoken: ${said.aloud}`);
  check(said.right === 'nail.number 1', `mirrored, the right one is ${said.right}`);
  clean(page);
};

tests.two_looks_side_by_side = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await openPhoto(page);
  await page.click('#compare');
  await page.check('input[name=versus][value=second]', { force: true });
  check(await page.isVisible('#sides'), 'no choice of the look to change');
  await page.check('input[name=side][value="0"]', { force: true });
  const seen = await frameId(page);
  await shade(page, 'Lagoon');
  await until('the left look', async () => (await frameId(page)) > seen);
  check(/^Lagoon · /.test(await text(page, '#tag-before')), 'the left look is not named');
  check(/^Fuchsia Run · /.test(await text(page, '#tag-after')), 'the right look is not named');
  const sum = () =>
    page.evaluate(() => {
      const { data } = shownPixels();
      let value = 0;
      for (let i = 0; i < data.length; i++) value += data[i] * ((i % 4) + 1);
      return value;
    });
  await setRange(page, '#split', 0);
  const right = await sum();
  await setRange(page, '#split', 100);
  const left = await sum();
  await page.check('input[name=versus][value=original]', { force: true });
  await until('the original', async () => ![left, right].includes(await sum()));
  check(left !== right, 'both looks are the same');
  check(await page.isHidden('#sides'), 'the choice stays');
  check((await text(page, '#shade-name')) === 'Fuchsia Run', 'the panel shows the other look');
  await shot(page, 'desktop-two-looks');
  clean(page);
};

tests.shares_or_saves = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await openPhoto(page);
  check(await page.isHidden('#share'), 'sharing is offered although the browser cannot share');
  await page.addInitScript(() => {
    navigator.canShare = ({ files }) => files.length === 1;
    navigator.share = async (what) => {
      window.shared = { type: what.files[0].type, size: what.files[0].size };
      if (window.refuse) throw new DOMException('no program accepts it', 'NotAllowedError');
    };
  });
  await page.reload();
  await until('the swatches', () => page.locator('.swatch').count());
  await openPhoto(page);
  await page.click('#share');
  const shared = await until('the picture to be shared', () => page.evaluate(() => window.shared));
  check(shared.type === 'image/jpeg' && shared.size > 10000, JSON.stringify(shared));
  await page.evaluate(() => {
    window.refuse = true;
  });
  await page.click('#share');
  await notice(page, /was not shared: no program accepts it/);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.click('#notice-action'),
  ]);
  check(download.suggestedFilename().endsWith('.jpg'), 'saving instead gives no file');
  clean(page);
};

// Advice that the page's own code gives for pictures made here.
tests.advice_fits_the_picture = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const said = await page.evaluate(async () => {
    const { adviseFor, frameStatistics } = await import('/live/advice.js');
    const [width, height] = [160, 120];
    const picture = (value) => {
      const data = new Uint8ClampedArray(4 * width * height);
      for (let i = 0; i < width * height; i++)
        data.fill(value(i % width, Math.floor(i / width)), 4 * i, 4 * i + 3);
      return frameStatistics({ data, width, height });
    };
    const sharp = picture((x, y) => ((x >> 3) + (y >> 3)) % 2 ? 190 : 90);
    const dark = picture((x, y) => ((x >> 3) + (y >> 3)) % 2 ? 30 : 8);
    const blurred = picture((x) => 128 + 80 * Math.sin(x / 20));
    const wall = picture(() => 128);
    const side = 640;
    return {
      fine: adviseFor({ nails: 4, widths: [20, 22, 25, 18], side, frame: sharp }),
      unknown: adviseFor({ nails: 4, side, frame: sharp }),
      small: adviseFor({ nails: 4, widths: [6, 7, 8, 30], side, frame: sharp }),
      none: adviseFor({ nails: 0, side, frame: sharp }),
      wall: adviseFor({ nails: 0, side, frame: wall }),
      dark: adviseFor({ nails: 0, side, frame: dark }),
      blurred: adviseFor({ nails: 2, widths: [20, 20], side, frame: blurred }),
    };
  });
  const wanted = {
    fine: '',
    unknown: '',
    small: 'advice.small',
    none: 'advice.none',
    wall: 'advice.none',
    dark: 'advice.dark',
    blurred: 'advice.blurred',
  };
  check(JSON.stringify(said) === JSON.stringify(wanted), JSON.stringify(said));
};

tests.advice_is_shown_and_dismissed = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: 320, height: 240 });
    const context = canvas.getContext('2d');
    setInterval(() => {
      context.fillStyle = `rgb(12 12 ${10 + (performance.now() % 4)})`;
      context.fillRect(0, 0, 320, 240);
    }, 60);
    navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(15);
  });
  await page.click('#start');
  await notice(page, /It is dark/);
  await page.click('#notice-close');
  await frames(page, 10);
  check(await page.isHidden('#notice'), 'dismissed advice returns at once');
  clean(page);
};
