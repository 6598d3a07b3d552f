// The page itself: loading, photos, before and after, keyboard, phones.
import fs from 'node:fs';
import path from 'node:path';
import {
  check, clean, frameId, frames, golden, nails, notice, open, saved, setRange, shade, shot, sleep,
  text, until,
} from './browser-harness.mjs';
import { keepBoth, measure } from './browser-pixels.mjs';

export const tests = {};

tests.page_loads_cleanly_from_its_own_host_only = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await sleep(300);
  await shot(page, 'desktop-start');
  clean(page);
  const away = page.asked.filter((url) => !url.startsWith(server.url));
  check(away.length === 0, `loaded from elsewhere: ${away}`);
  const policy = (await (await fetch(server.url)).headers).get('content-security-policy') ?? '';
  const safe = policy.includes("default-src 'none'") && !/(?<!wasm-)unsafe/.test(policy);
  check(safe, `policy: ${policy}`);
  check((await page.locator('input[name=shade]').count()) >= 12, 'fewer than twelve shades');
  const violated = await page.evaluate(
    () =>
      new Promise((resolve) => {
        document.addEventListener('securitypolicyviolation', () => resolve(true));
        const style = document.createElement('style');
        style.textContent = 'body { color: red }';
        document.head.append(style);
        setTimeout(() => resolve(false), 1000);
      }),
  );
  check(violated, 'an inline style was not blocked');
};

tests.before_and_after = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await page.setInputFiles('#file', path.join(golden, 'light.jpg'));
  await until('the photo', async () => (await frameId(page)) > 0);
  check(await page.isHidden('#split'), 'the divider is shown before it is requested');
  const sum = () =>
    page.evaluate(() => {
      const { data, width } = shownPixels();
      let left = 0,
        right = 0;
      for (let i = 0; i < data.length; i += 4) {
        const value = data[i] + 3 * data[i + 1] + 7 * data[i + 2];
        if ((i / 4) % width < width / 2) left += value;
        else right += value;
      }
      return [left, right];
    });
  const painted = await sum();
  await page.click('#compare');
  await page.focus('#split');
  await page.keyboard.press('End');
  const before = await until('the original', async () => {
    const now = await sum();
    return now[0] !== painted[0] && now[1] !== painted[1] && now;
  });
  await page.keyboard.press('Home');
  check(String(await sum()) === String(painted), 'Home does not show the painted picture');
  await setRange(page, '#split', 50);
  const half = await sum();
  check(half[0] === before[0] && half[1] === painted[1], 'the divider is not in the middle');
  await page.keyboard.press('ArrowRight');
  check((await page.inputValue('#split')) === '51', 'an arrow does not move the divider');
  await shot(page, 'desktop-compare');
  await page.click('#compare');
  const box = await page.locator('#canvas').boundingBox();
  await page.mouse.move(box.x + box.width / 3, box.y + box.height / 3);
  await page.mouse.down();
  await until('the original while held', async () => String(await sum()) === String(before));
  check(await page.isVisible('#tag-before'), 'the held original is not marked');
  await page.mouse.up();
  await until('the painted one after', async () => String(await sum()) === String(painted));
  clean(page);
};

tests.photo_at_full_size = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await page.setInputFiles('#file', path.join(golden, 'large.jpg'));
  await until('the photo', async () => (await frameId(page)) > 0);
  check((await nails(page)) >= 2, 'fewer than two nails found');
  await keepBoth(page);
  const result = await measure(page, path.join(golden, 'large.mask.png'), '#c71585');
  check(
    result.moved > 0.4,
    `only ${(result.moved * 100).toFixed()} % of the nails took the colour`,
  );
  check(result.outside < 2.5, `the rest of the picture changed by ${result.outside.toFixed(2)}`);
  const seen = await frameId(page);
  await shade(page, 'Ink');
  await until('the new shade', async () => (await frameId(page)) > seen);
  await shot(page, 'desktop-photo');
  const file = await saved(page);
  check(String(file.size) === '1600,1200', `saved ${file.size}`);
  check(file.name.startsWith('lacquer-ink-'), file.name);
  clean(page);
  return result;
};

// Dropped and pasted files.
tests.photo_dropped_and_pasted = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const bytes = fs.readFileSync(path.join(golden, 'brown.jpg')).toString('base64');
  for (const type of ['drop', 'paste']) {
    const seen = await frameId(page);
    await page.evaluate(
      ([kind, data]) => {
        const file = new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], 'hand.jpg', {
          type: 'image/jpeg',
        });
        const transfer = new DataTransfer();
        transfer.items.add(file);
        const init = { bubbles: true, cancelable: true };
        document.body.dispatchEvent(
          kind === 'drop'
            ? new DragEvent('drop', { ...init, dataTransfer: transfer })
            : new ClipboardEvent('paste', { ...init, clipboardData: transfer }),
        );
      },
      [type, bytes],
    );
    await until(`the photo by ${type}`, async () => (await frameId(page)) > seen);
  }
  clean(page);
};

const focusedOn = (page) =>
  page.evaluate(() => {
    const node = focused();
    return node.name || node.id || node.closest('[id]')?.id || node.tagName;
  });

async function reach(page, id) {
  for (let i = 0; i < 70; i++) {
    if ((await focusedOn(page)) === id) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${id}`);
}

// Whether the focused control shows its focus: itself, its label, or an element shown in its place.
const ringed = (page) =>
  page.evaluate(() => {
    const visible = (node) =>
      node &&
      parseFloat(getComputedStyle(node).outlineWidth) >= 2 &&
      getComputedStyle(node).outlineStyle !== 'none';
    const node = focused();
    return [
      node,
      node.closest('label'),
      node.parentElement?.querySelector('span'),
      node.parentElement?.querySelector('.divider span'),
    ].some(visible);
  });

const passed =
  'stop photo save compare language look-group looks-on look copy nail favourite hex search ' +
  'group shade custom finish art design shape coats texture opacity sheen reset more hud';

// The effect of a key on the control that Tab has reached, checked in the look.
async function keysChangeTheLook(page) {
  const look = () => page.evaluate(() => tryon().lookStore.main.fields);
  for (const [id, keys, is] of [
    ['shade', ['ArrowRight'], ({ color }) => color === '#f3d3d0'],
    ['finish', ['ArrowRight'], ({ finish }) => finish === 'gloss'],
    ['texture', ['ArrowRight', 'PageUp'], ({ texture }) => texture > 0.55],
    ['opacity', ['ArrowLeft'], ({ opacity }) => opacity === 0.99],
    ['sheen', ['Space'], ({ sheen }) => sheen === false],
  ]) {
    await reach(page, id);
    for (const key of keys) await page.keyboard.press(key);
    const now = await look();
    check(is(now), `${keys} on ${id}: ${JSON.stringify(now)}`);
  }
  await reach(page, 'hex');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('0a7');
  await page.keyboard.press('Enter');
  check((await look()).color === '#00aa77', `typed colour: ${(await look()).color}`);
}

tests.keyboard_alone = async ({ browser, server }) => {
  const page = await open(browser, `${server.url}?stats`);
  const press = (key) => page.keyboard.press(key);
  await press('Tab');
  check(
    (await page.evaluate(() => focused().className)) === 'skip',
    'no skip button first',
  );
  await reach(page, 'start');
  check(await ringed(page), 'Start camera shows no focus');
  await press('Enter');
  await until('a frame', async () => (await frameId(page)) > 0);
  check((await focusedOn(page)) === 'stop', 'focus did not move to the tools');

  const order = [];
  for (let i = 0; i < 50; i++) {
    order.push(await focusedOn(page));
    check(order.at(-1) === 'BODY' || (await ringed(page)), `${order.at(-1)} shows no focus`);
    await press('Tab');
  }
  for (const id of passed.split(' '))
    check(order.includes(id), `Tab does not pass ${id}: ${order}`);
  await keysChangeTheLook(page);
  await reach(page, 'more');
  await press('Enter');
  await reach(page, 'mirror');
  await press('Space');
  check((await page.isChecked('#mirror')) === false, 'Space on the mirror');
  await reach(page, 'transport');
  await press('ArrowRight');
  await until('base64 chosen', () => page.isChecked('input[value=base64]'));
  await press('ArrowLeft');
  await reach(page, 'compare');
  await press('Space');
  await reach(page, 'split');
  await press('ArrowLeft');
  check((await page.inputValue('#split')) === '49', 'arrow on the divider');
  await frames(page, 3);
  await shot(page, 'desktop-keyboard');
  await reach(page, 'stop');
  await press('Enter');
  await until('the start page', async () => (await focusedOn(page)) === 'start');
  clean(page);
};

tests.bad_upload_shows_the_servers_message = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const upload = (name, buffer) =>
    page.setInputFiles('#file', { name, mimeType: 'image/jpeg', buffer });
  const form = new FormData();
  form.append('image', new Blob(['hello']), 'x.jpg');
  const line = (
    await (await fetch(`${server.url}api/process`, { method: 'POST', body: form })).json()
  ).error;
  await upload('not.jpg', Buffer.from('hello'));
  const message = async () => (await text(page, '#notice-text')).includes(line);
  await until('the server’s message', message);
  check(await page.isVisible('#start'), 'the start page is hidden');
  await page.setInputFiles('#file', path.join(golden, 'light.jpg'));
  await until('a good photo', async () => (await frameId(page)) > 0);
  await until('the message to disappear', () => page.isHidden('#notice'));
  const whole = fs.readFileSync(path.join(golden, 'light.jpg'));
  await upload('cut.jpg', whole.subarray(0, 400));
  await notice(page, /was not painted: .{5,}/);
  await shot(page, 'desktop-bad-upload');
  const seen = await frameId(page);
  await shade(page, 'Black Tea');
  await until('the previous photo to stay', async () => (await frameId(page)) > seen);
  clean(page, /status of (415|422)/);
};

tests.no_nails_gives_advice = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const flat = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(320, 240);
    const context = canvas.getContext('2d');
    context.fillStyle = '#7d8a94';
    context.fillRect(0, 0, 320, 240);
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
  });
  await page.setInputFiles('#file', {
    name: 'wall.png',
    mimeType: 'image/png',
    buffer: Buffer.from(flat, 'base64'),
  });
  await notice(page, /No nails were found/);
  const file = await saved(page);
  check(file.name.endsWith('.png') && String(file.size) === '320,240', `${file.name} ${file.size}`);
  clean(page);
};

// After the next frame, a ResizeObserver has seen what was opened; the arrows' own observer then
// decides whether to show them.
const drawn = (page) =>
  page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );

// Every control can be reached with a thumb while the picture stays in view: tab after tab of the
// dock, each control scrolled within the dock alone, large enough for a finger, and not covered.
async function reachedWithAThumb(page) {
  const names = await page.$$eval('#tabs button', (all) => all.map(({ dataset }) => dataset.open));
  check(names.length === 7, `tabs: ${names}`);
  const seen = [];
  for (const name of names) {
    await page.tap(`#tabs [data-open=${name}]`);
    if (name === 'more') await page.evaluate(() => (part('more').open = true));
    await drawn(page);
    seen.push(
      ...(await page.evaluate(() => {
        const found = [];
        for (const node of parts('#panel button, #panel input, #panel select, #panel summary')) {
          if (!node.checkVisibility() || node.disabled) continue;
          const target = node.closest('label') ?? node;
          target.scrollIntoView({ block: 'nearest', inline: 'nearest' });
          const box = target.getBoundingClientRect();
          const middle = [box.x + box.width / 2, box.y + box.height / 2];
          const hit = node.getRootNode().elementFromPoint(...middle);
          const free = hit === node || target.contains(hit) || hit?.closest('label') === target;
          found.push({
            name: node.name || node.id || node.dataset.open,
            free,
            small: box.width < 43.5 || box.height < 43.5,
            inside:
              box.top >= 0 &&
              box.bottom <= innerHeight &&
              box.left >= -1 &&
              box.right <= innerWidth + 1,
            picture: part('canvas').getBoundingClientRect().top >= 0 && scrollY === 0,
          });
        }
        return found;
      })),
    );
  }
  const those = (which) => seen.filter(which).map(({ name }) => name);
  const small = those((one) => one.small);
  check(!small.length, `too small for a finger: ${small}`);
  for (const right of ['free', 'inside', 'picture']) {
    const bad = those((one) => !one[right]);
    check(!bad.length, `not ${right}: ${bad}`);
  }
  const controls = new Set(seen.map(({ name }) => name));
  const wanted =
    'shade favourite hex search group look look-group looks-on copy finish art art-color ' +
    'tip-width tip-curve design shape length nail coats texture opacity sheen reset size cameras ' +
    'mirror';
  for (const name of wanted.split(' '))
    check(controls.has(name), `${name} is not reached: ${[...controls]}`);
}

// No parts of the stage overlap, and the tools lie beside the picture.
async function nothingOverlaps(page) {
  const over = await page.evaluate(() => {
    const boxes = ['picture', 'tools', 'versus', 'busy', 'notice', 'hold-hint', 'hud']
      .filter((id) => part(id).checkVisibility())
      .map((id) => [id, part(id).getBoundingClientRect()]);
    const lies = (a, b) =>
      a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    const messages = ['busy', 'notice', 'hold-hint', 'hud'];
    return boxes.flatMap(([a, one], i) =>
      boxes.slice(i + 1).filter(([b, other]) => {
        const message = messages.includes(a) || messages.includes(b);
        return lies(one, other) && !(a === 'picture' && message);
      }).map(([b]) => `${a} overlaps ${b}`),
    );
  });
  check(!over.length, over.join(', '));
}

tests.on_a_phone = async ({ browser, server }) => {
  for (const [width, height, colorScheme] of [
    [390, 844, 'light'],
    [360, 640, 'dark'],
  ]) {
    const page = await open(browser, server.url, {
      viewport: { width, height },
      isMobile: true,
      hasTouch: true,
      deviceScaleFactor: 2,
      colorScheme,
    });
    const fits = async (what) => {
      const [inner, outer] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        innerWidth,
      ]);
      check(inner <= outer, `${what} at ${width}: ${inner} wide`);
    };
    await fits('start');
    await shot(page, `phone-${colorScheme}-start`);
    const [first] = await page.$$eval('#start, #tabs button', (all) =>
      all.map((node) => node.getBoundingClientRect().height),
    );
    check(first >= 44, `the start button is ${first} high`);
    await page.evaluate(() => {
      tryon().lookStore.wear({
        finish: 'glitter',
        french: { shape: 'smile' },
        shape: { kind: 'oval', length: 0.4 },
      });
    });
    await page.tap('#start');
    await until('a painted frame', async () => (await frameId(page)) > 0);
    await fits('live');
    await nothingOverlaps(page);
    const strip = await page.locator('.swatch').first().boundingBox();
    check(strip.y > height * 0.55, `the shades are not under the thumb: ${strip.y}`);
    await reachedWithAThumb(page);
    await page.tap('#tabs [data-open=nail]');
    const before = await page.locator('#nail-field').boundingBox();
    await page.evaluate(() => {
      const nails = [1, 2, 3, 4, 5].map((id) => ({ key: `#${id}`, x: 60 * id, y: 50, reach: 9 }));
      Object.defineProperty(tryon().stage.picture, 'nails', { value: nails });
      tryon().offerNails();
    });
    const after = await page.locator('#nail-field').boundingBox();
    const heights = `${before.height} to ${after.height}`;
    check(before.height === after.height, `nails shift the layout: ${heights}`);
    await page.tap('#compare');
    await nothingOverlaps(page);
    await frames(page, 3);
    await shot(page, `phone-${colorScheme}-live`);
    clean(page);
  }
};

// A tablet in portrait: the picture takes its width, and all rows of shades are below it.
tests.on_a_tablet = async ({ browser, server }) => {
  const page = await open(browser, server.url, {
    viewport: { width: 820, height: 1180 },
    isMobile: true,
    hasTouch: true,
  });
  await page.setInputFiles('#file', path.join(golden, 'light.jpg'));
  await until('the photo', async () => (await frameId(page)) > 0);
  await nothingOverlaps(page);
  const picture = await page.locator('#picture').boundingBox();
  check(picture.width > 0.85 * 820, `the picture is ${picture.width} wide`);
  const rights = await page.$$eval('.swatch', (all) =>
    all.map((node) => node.getBoundingClientRect().right),
  );
  const right = Math.max(...rights);
  check(right > 740 && right <= 820, `shades up to ${right}`);
  await shot(page, 'tablet-photo');
  clean(page);
};
