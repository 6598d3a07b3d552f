// The page in Debian's Chromium against the real server.
//
//   node browser.mjs             run all, one JSON line a test on stdout
//   node browser.mjs NAME…       run some
//   node browser.mjs --list      names, one a line
import fs from 'node:fs';
import path from 'node:path';
import { artifacts, check, frameId, frames, freeze, golden, keepBoth, launch, live, measure, nails,
  open, saved, Server, setRange, shot, sleep, until, whichFrame, withCamera,
  withoutCamera } from './browser-harness.mjs';

const tests = {};
const text = (page, id) => page.locator(id).textContent();
const state = (page) => page.getAttribute('#link', 'data-state');
const isLive = (page) => until('live', async () => await state(page) === 'live');
const shade = (page, name) => page.check(`input[name=shade][aria-label=${name}]`, { force: true });
const number = async (page, id) => parseFloat(await text(page, id));
const clean = (page, allowed = /^$/) => {
  const faults = page.faults.filter((line) => !allowed.test(line));
  check(faults.length === 0, `the page complained: ${faults.join(' | ')}`);
};
const notice = (page, pattern, timeoutMs) => until(`a message like ${pattern}`, async () => (
  await page.isVisible('#notice') && pattern.test(await text(page, '#notice-text'))), timeoutMs);

tests.page_loads_clean_and_from_here_alone = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await sleep(300);
  await shot(page, 'desktop-start');
  clean(page);
  const away = page.asked.filter((url) => !url.startsWith(server.url));
  check(away.length === 0, `loaded from elsewhere: ${away}`);
  const policy = (await (await fetch(server.url)).headers).get('content-security-policy') ?? '';
  check(policy.includes("default-src 'none'") && !policy.includes('unsafe'), `policy: ${policy}`);
  check(await page.locator('input[name=shade]').count() >= 12, 'fewer than twelve shades');
  const violated = await page.evaluate(() => new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', () => resolve(true));
    const style = document.createElement('style');
    style.textContent = 'body { color: red }';
    document.head.append(style);
    setTimeout(() => resolve(false), 1000);
  }));
  check(violated, 'an inline style was not refused');
};

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
  check(result.moved > 0.5, `only ${(result.moved * 100).toFixed()} % of the nails took the colour`);
  check(result.outside < 2.5, `the rest of the picture changed by ${result.outside.toFixed(2)}`);
  check(await nails(page) >= 2, 'fewer than two nails found');
  clean(page);
  return result;
};

tests.colour_change_takes_effect = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await live(page);
  await page.click('#more summary');
  await page.uncheck('#mirror');
  const means = {};
  for (const [name, color] of [['Scarlet', '#d0112b'], ['Lagoon', '#1f8a8c']]) {
    await shade(page, name);
    check(await text(page, '#shade-name') === name, 'the shade is not named');
    await frames(page, 5);
    await freeze(page);
    await keepBoth(page);
    const result = await measure(page, await whichFrame(page), color);
    check(result.moved > 0.45, `${name}: only ${(result.moved * 100).toFixed()} % took the colour`);
    means[name] = result.mean;
    await page.evaluate(() => document.getElementById('video').play());
    await frames(page, 2);
  }
  check(means.Scarlet[0] > means.Lagoon[0] + 40 && means.Lagoon[2] > means.Scarlet[2] + 20,
    `red and blue do not differ enough: ${JSON.stringify(means)}`);
  clean(page);
};

// What the HUD says is held against what the test itself sees on the wire.
tests.figures_are_plausible = async ({ browser, server }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const wire = { sent: 0, got: 0, open: 0, most: 0, lastSent: 0, lastGot: 0, serverMs: [] };
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      if (typeof payload === 'string') return;
      const id = payload.readUInt32LE(4);
      check(id > wire.lastSent && payload[0] === 1 && payload.readUInt16LE(2) === 16, 'a bad header');
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
  await page.goto(server.url);
  await live(page);
  await page.click('#hud summary');
  await sleep(2500);
  const got = wire.got;
  const shownAt = await frameId(page);
  await sleep(2000);
  const fpsSeen = (await frameId(page) - shownAt) / 2;
  const fps = await number(page, '#fps');
  const p50 = await number(page, '#lat50');
  const p95 = await number(page, '#lat95');
  const server50 = await number(page, '#server-ms');
  await shot(page, 'desktop-figures');
  check(wire.got > got, 'no replies');
  check(wire.most <= 2, `${wire.most} frames were in flight`);
  check(fps > 0 && Math.abs(fps - fpsSeen) <= Math.max(3, fpsSeen * 0.4), `${fps} fps shown, ${fpsSeen} seen`);
  check(p50 > 0 && p95 >= p50 && p95 < 10000, `p50 ${p50}, p95 ${p95}`);
  check(server50 <= p50, `the server took ${server50} of ${p50} ms`);
  const sorted = wire.serverMs.sort((a, b) => a - b);
  check(server50 >= sorted[0] - 0.1 && server50 <= sorted.at(-1) + 0.5, 'server time is not the wire’s');
  const parts = await page.locator('#stages li span').allTextContents();
  check(parts.length === 10 && parts.every((part) => parseFloat(part) >= 0), `stages: ${parts}`);
  const kept = await page.evaluate(async () => (await import('/app.js')).stats.summary());
  check(kept.rate < 2.2e6, `${kept.rate} bytes a second`);
  check(kept.bytesUp > 2000 && kept.bytesUp < 200000, `${kept.bytesUp} bytes a frame`);
  await context.close();
  return { fps, p50, p95, server50 };
};

tests.before_and_after = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await page.setInputFiles('#file', path.join(golden, 'light.jpg'));
  await until('the photo', async () => await frameId(page) > 0);
  check(await page.isHidden('#split'), 'the divider shows before it is asked for');
  const sum = () => page.evaluate(() => {
    const c = document.getElementById('canvas');
    const copy = new OffscreenCanvas(c.width, c.height).getContext('2d');
    copy.drawImage(c, 0, 0);
    const { data } = copy.getImageData(0, 0, c.width, c.height);
    let left = 0, right = 0;
    for (let i = 0; i < data.length; i += 4) {
      const value = data[i] + 3 * data[i + 1] + 7 * data[i + 2];
      if (i / 4 % c.width < c.width / 2) left += value; else right += value;
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
  check(half[0] === before[0] && half[1] === painted[1], 'the middle does not divide the picture');
  await page.keyboard.press('ArrowRight');
  check(await page.inputValue('#split') === '51', 'an arrow does not move the divider');
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

tests.saves_what_is_shown = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await live(page);
  await frames(page, 3);
  const file = await saved(page);
  const size = await page.evaluate(() => [document.getElementById('video').videoWidth,
    document.getElementById('video').videoHeight]);
  check(String(file.size) === String(size), `saved ${file.size}, the camera gives ${size}`);
  check(/^lacquer-fuchsia-[0-9-]+\.jpg$/.test(file.name), file.name);
  clean(page);
};

tests.photo_at_full_size = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await page.setInputFiles('#file', path.join(golden, 'large.jpg'));
  await until('the photo', async () => await frameId(page) > 0);
  check(await nails(page) >= 2, 'fewer than two nails found');
  await keepBoth(page);
  const result = await measure(page, path.join(golden, 'large.mask.png'), '#c71585');
  check(result.moved > 0.4, `only ${(result.moved * 100).toFixed()} % of the nails took the colour`);
  check(result.outside < 2.5, `the rest of the picture changed by ${result.outside.toFixed(2)}`);
  const seen = await frameId(page);
  await shade(page, 'Ink');
  await until('the new shade', async () => await frameId(page) > seen);
  await shot(page, 'desktop-photo');
  const file = await saved(page);
  check(String(file.size) === '1600,1200', `saved ${file.size}`);
  check(file.name.startsWith('lacquer-ink-'), file.name);
  clean(page);
  return result;
};

// Files of the other ways in: dropped and pasted.
tests.photo_dropped_and_pasted = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const bytes = fs.readFileSync(path.join(golden, 'brown.jpg')).toString('base64');
  for (const type of ['drop', 'paste']) {
    const seen = await frameId(page);
    await page.evaluate(([kind, data]) => {
      const file = new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], 'hand.jpg',
        { type: 'image/jpeg' });
      const transfer = new DataTransfer();
      transfer.items.add(file);
      const init = { bubbles: true, cancelable: true };
      document.body.dispatchEvent(kind === 'drop' ? new DragEvent('drop', { ...init, dataTransfer: transfer })
        : new ClipboardEvent('paste', { ...init, clipboardData: transfer }));
    }, [type, bytes]);
    await until(`the photo by ${type}`, async () => await frameId(page) > seen);
  }
  clean(page);
};

tests.both_transports = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await live(page);
  await page.click('#more summary');
  await page.check('input[value=base64]', { force: true });
  const asked = () => page.asked.filter((url) => url.endsWith('/api/process_base64')).length;
  await until('requests', async () => asked() > 5);
  await frames(page, 5);
  await isLive(page);
  await until('figures', async () => await number(page, '#p50') > 0);
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

tests.keyboard_alone = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const press = (key) => page.keyboard.press(key);
  const focused = () => page.evaluate(() => {
    const node = document.activeElement;
    return node.id || node.name || node.closest('[id]')?.id || node.tagName;
  });
  const reach = async (id) => {
    for (let i = 0; i < 45; i++) {
      if (await focused() === id) return;
      await press('Tab');
    }
    throw new Error(`Tab does not reach ${id}`);
  };
  const ring = () => page.evaluate(() => {
    const visible = (node) => node && parseFloat(getComputedStyle(node).outlineWidth) >= 2
      && getComputedStyle(node).outlineStyle !== 'none';
    const node = document.activeElement;
    return [node, node.closest('label'), node.parentElement?.querySelector('span'),
      node.parentElement?.querySelector('.divider span')].some(visible);
  });
  await press('Tab');
  check((await page.evaluate(() => document.activeElement.className)) === 'skip', 'no skip link first');
  await reach('start');
  check(await ring(), 'Start camera shows no focus');
  await press('Enter');
  await until('a frame', async () => await frameId(page) > 0, 20000);
  check(await focused() === 'stop', 'focus did not go on to the tools');

  const order = [];
  for (let i = 0; i < 30; i++) {
    order.push(await focused());
    check(order.at(-1) === 'BODY' || await ring(), `${order.at(-1)} shows no focus`);
    await press('Tab');
  }
  for (const id of ['stop', 'photo', 'save', 'compare', 'hex', 'shade', 'custom', 'finish', 'texture',
    'opacity', 'sheen', 'more', 'hud']) {
    check(order.includes(id), `Tab does not pass ${id}: ${order}`);
  }
  const look = () => page.evaluate(async () => (await import('/app.js')).look.fields);
  await reach('shade');
  await press('ArrowRight');
  check((await look()).color === '#ff6f59', `arrow in the shades: ${(await look()).color}`);
  await reach('finish');
  await press('ArrowRight');
  check((await look()).finish === 'gloss', 'arrow in the finishes');
  await reach('texture');
  await press('ArrowRight');
  await press('PageUp');
  check((await look()).texture > 0.55, 'keys on the texture');
  await reach('opacity');
  await press('ArrowLeft');
  check((await look()).opacity === 0.99, 'keys on the coverage');
  await reach('sheen');
  await press('Space');
  check((await look()).sheen === false, 'Space on the sheen');
  await reach('more');
  await press('Enter');
  await reach('mirror');
  await press('Space');
  check(await page.isChecked('#mirror') === false, 'Space on the mirror');
  await reach('transport');
  await press('ArrowRight');
  await until('base64 chosen', () => page.isChecked('input[value=base64]'));
  await press('ArrowLeft');
  await reach('hex');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('0a7');
  await press('Enter');
  check((await look()).color === '#00aa77', `typed colour: ${(await look()).color}`);
  await reach('compare');
  await press('Space');
  await reach('split');
  await press('ArrowLeft');
  check(await page.inputValue('#split') === '49', 'arrow on the divider');
  await frames(page, 3);
  await shot(page, 'desktop-keyboard');
  await reach('stop');
  await press('Enter');
  await until('the start page', async () => await focused() === 'start');
  clean(page);
};

tests.bad_upload_shows_the_servers_line = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const upload = (name, buffer) => page.setInputFiles('#file', { name, mimeType: 'image/jpeg', buffer });
  const form = new FormData();
  form.append('image', new Blob(['hello']), 'x.jpg');
  const line = (await (await fetch(`${server.url}api/process`, { method: 'POST', body: form })).json()).error;
  await upload('not.jpg', Buffer.from('hello'));
  await until('the server’s line', async () => (await text(page, '#notice-text')).includes(line));
  check(await page.isVisible('#start'), 'the start page is gone');
  await page.setInputFiles('#file', path.join(golden, 'light.jpg'));
  await until('a good photo', async () => await frameId(page) > 0);
  await until('the message to go', () => page.isHidden('#notice'));
  const whole = fs.readFileSync(path.join(golden, 'light.jpg'));
  await upload('cut.jpg', whole.subarray(0, 400));
  await notice(page, /was not painted: .{5,}/);
  await shot(page, 'desktop-bad-upload');
  const seen = await frameId(page);
  await shade(page, 'Onyx');
  await until('the photo before to stay', async () => await frameId(page) > seen);
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
  await page.setInputFiles('#file', { name: 'wall.png', mimeType: 'image/png', buffer: Buffer.from(flat, 'base64') });
  await notice(page, /No nails were found/);
  const file = await saved(page);
  check(file.name.endsWith('.png') && String(file.size) === '320,240', `${file.name} ${file.size}`);
  clean(page);
};

tests.server_gone_and_back = async ({ browser }) => {
  const server = await new Server().start();
  try {
    const page = await open(browser, server.url);
    await live(page);
    await server.kill('SIGKILL');
    await notice(page, /does not answer.*Trying again/);
    check(await state(page) === 'gone', 'the state is not honest');
    await shot(page, 'desktop-server-gone');
    const seen = await frameId(page);
    await server.start();
    await until('new frames', async () => await frameId(page) > seen + 2, 25000);
    await isLive(page);
    await until('the message to go', () => page.isHidden('#notice'));
    clean(page, /ERR_CONNECTION_REFUSED|WebSocket connection/);
  } finally {
    await server.kill();
  }
};

tests.full_server_says_so = async ({ browser }) => {
  const server = await new Server(['--max-sessions', '1']).start();
  try {
    const first = await open(browser, server.url);
    await live(first);
    const second = await open(browser, server.url);
    await second.click('#start');
    await notice(second, /server is full/);
    await shot(second, 'desktop-server-full');
    await first.click('#stop');
    await until('the second to be let in', async () => await frameId(second) > 0, 25000);
    await isLive(second);
  } finally {
    await server.kill();
  }
};

tests.two_pages_at_once = async ({ browser, server }) => {
  const pages = await Promise.all([open(browser, server.url), open(browser, server.url)]);
  const wanted = ['#d0112b', '#1f8a8c'];
  await shade(pages[0], 'Scarlet');
  await shade(pages[1], 'Lagoon');
  await Promise.all(pages.map(live));
  await Promise.all(pages.map((page) => frames(page, 4, 30000)));
  for (const [i, page] of pages.entries()) {
    await page.evaluate(async () => { document.getElementById('mirror').click(); });
    await frames(page, 2);
    await freeze(page);
    await keepBoth(page);
    const result = await measure(page, await whichFrame(page), wanted[i]);
    check(result.moved > 0.45, `page ${i}: only ${(result.moved * 100).toFixed()} % took its own colour`);
    clean(page);
  }
};

tests.on_a_phone = async ({ browser, server }) => {
  for (const [width, colorScheme] of [[390, 'light'], [320, 'dark']]) {
    const page = await open(browser, server.url, { viewport: { width, height: 844 }, isMobile: true,
      hasTouch: true, deviceScaleFactor: 2, colorScheme });
    const fits = async (what) => {
      const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      check(inner <= outer, `${what} at ${width}: ${inner} wide`);
    };
    await fits('start');
    await shot(page, `phone-${colorScheme}-start`);
    await page.tap('#start');
    await until('a painted frame', async () => await frameId(page) > 0, 20000);
    await fits('live');
    await page.tap('#hud summary');
    await page.evaluate(() => { document.getElementById('more').open = true; });
    await fits('all open');
    await page.tap('#hud summary');
    await frames(page, 3);
    await shot(page, `phone-${colorScheme}-live`);
    const small = await page.$$eval('.tools button:not([hidden]), .swatch, .segments label, #start, .switch',
      (nodes) => nodes.map((n) => [n.id || n.className || n.textContent, n.getBoundingClientRect()])
        .filter(([, box]) => box.width && (box.width < 40 || box.height < 40)).map(([name]) => name));
    check(small.length === 0, `too small for a finger: ${small}`);
    const overlapped = await page.evaluate(() => {
      scrollTo(0, document.body.scrollHeight);
      const box = document.getElementById('stage').getBoundingClientRect();
      return box.top >= -1 && box.height > 150;
    });
    check(overlapped, 'the picture scrolls away from the shades');
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
    check(await page.isEnabled('#start'), 'no second try');
    const insecure = await open(browser, server.url.replace('127.0.0.1', 'lacquer.test'));
    await insecure.click('#start');
    await notice(insecure, /https:/);
  } finally {
    await browser.close();
  }
};

tests.camera_missing_or_taken = async ({ browser, server }) => {
  for (const [name, pattern] of [['NotFoundError', /No camera was found/],
    ['NotReadableError', /in use by another/]]) {
    const page = await open(browser, server.url);
    await page.evaluate((kind) => {
      navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', kind); };
    }, name);
    await page.click('#start');
    await notice(page, pattern);
    clean(page);
  }
};

// Text against the ground it stands on, in both schemes: 4.5 to 1 or better.
tests.contrast_and_motion = async ({ browser, server }) => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await open(browser, server.url, { colorScheme, reducedMotion: 'reduce' });
    await page.click('#more summary');
    const low = await page.evaluate(() => {
      const parse = (text) => text.match(/[\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const ground = (node) => {
        for (let n = node; n; n = n.parentElement) {
          const style = getComputedStyle(n);
          const [r, g, b, a = 1] = parse(style.backgroundColor);
          if (a > 0.9) return [r, g, b];
          if (n.id === 'stage') return [42, 33, 37];
        }
        return [255, 255, 255];
      };
      const bad = [];
      for (const node of document.querySelectorAll('p, span, b, small, legend, summary, output, button, input, select, h1')) {
        const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || node.matches('#hex, select');
        if (!own || !node.checkVisibility() || node.closest('.sr, .skip, .drop, .tag, .hud, .busy, [hidden]')) continue;
        const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const value = ratio(light(parse(getComputedStyle(node).color)), light(ground(node)));
        if (value < 4.5) bad.push(`${node.id || node.className || node.textContent.trim()}: ${value.toFixed(2)}`);
      }
      return bad;
    });
    check(low.length === 0, `${colorScheme}: ${low.join(', ')}`);
    await live(page);
    const seconds = await page.locator('.dot').evaluate((n) => parseFloat(getComputedStyle(n).animationDuration));
    check(seconds < 0.001, `motion goes on for ${seconds} s`);
    await shot(page, `desktop-${colorScheme}-live`);
  }
};

async function main(wanted) {
  if (wanted[0] === '--list') {
    console.log(Object.keys(tests).join('\n'));
    return;
  }
  fs.mkdirSync(artifacts, { recursive: true });
  const server = await new Server().start();
  const browser = await launch([withCamera]);
  const end = Date.now() + 300e3;
  for (const [name, run] of Object.entries(tests)) {
    if (wanted.length && !wanted.includes(name)) continue;
    const start = Date.now();
    let timer;
    try {
      check(start < end, 'not run: all tests together took more than five minutes');
      const limit = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error('took more than 60 s')), 60000);
      });
      const detail = await Promise.race([run({ browser, server }), limit]);
      console.log(JSON.stringify({ name, ok: true, ms: Date.now() - start, detail }));
    } catch (error) {
      for (const context of browser.contexts()) {
        for (const page of context.pages()) await shot(page, `failed-${name}`).catch(() => {});
      }
      console.log(JSON.stringify({ name, ok: false, ms: Date.now() - start, error: error.stack }));
    } finally {
      clearTimeout(timer);
      await Promise.all(browser.contexts().map((context) => context.close()));
    }
  }
  await browser.close();
  await server.kill();
}

await main(process.argv.slice(2));
