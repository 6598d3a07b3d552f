// Screenshots of every state of the page, to be looked at: tools/screens.sh.
//
//   node browser-screens.mjs OUT [desktop|tablet|phone] [light|dark] [ltr|rtl|LANGUAGE]
//
// OUT/DEVICE-SCHEME-DIRECTION/STATE.png; without the last three arguments all of them. `ltr` is
// English, `rtl` Arabic; any other language is given by its two letters.
import fs from 'node:fs';
import path from 'node:path';
import {
  Server, frameId, golden, launch, open, sleep, software, until, withCamera,
} from './browser-harness.mjs';

const [out, ...chosen] = process.argv.slice(2);
const languages = chosen.filter((word) => /^[a-z]{2}$/.test(word));
const devices = {
  desktop: { viewport: { width: 1280, height: 800 } },
  tablet: { viewport: { width: 820, height: 1180 }, hasTouch: true, isMobile: true },
  phone: {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    deviceScaleFactor: 2,
  },
};
const hand = path.join(golden, 'light.jpg');
const token = 'Screens-token-0123456789';
const patience = 60000;

const wanted = (all) => {
  const some = all.filter((name) => chosen.includes(name));
  return some.length ? some : all;
};

async function tab(page, name) {
  const button = page.locator(`#tabs [data-open=${name}]`);
  if (await button.isVisible()) await button.click();
  else await page.locator(`[data-tab=${name}]`).first().scrollIntoViewIfNeeded();
}

async function next(page, act) {
  const seen = await frameId(page);
  await act();
  await until('the next picture', async () => (await frameId(page)) > seen, patience);
}

// A design for nails: diagonal stripes.
const design = (page) =>
  page.evaluate(async () => {
    const canvas = new OffscreenCanvas(96, 144);
    const context = canvas.getContext('2d');
    for (let i = -10; i < 20; i++) {
      context.fillStyle = ['#f7c948', '#e0457b', '#2f6fde'][(i + 12) % 3];
      context.setTransform(1, 0.6, 0, 1, 0, 0);
      context.fillRect(0, 16 * i, 96, 9);
    }
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
  });

// State → the steps that lead to it from the previous one.
const states = {
  empty: async () => sleep(2500),
  'panel-looks': async (page) => {
    await tab(page, 'looks');
    await sleep(4000);
  },
  'live-with-nails': async (page) => {
    await tab(page, 'shade');
    await page.click('#start');
    await until(
      'nails',
      async () => Number(await page.getAttribute('#canvas', 'data-nails')) > 2,
      patience,
    );
    await sleep(7500);
  },
  compare: async (page) => {
    await page.click('#compare');
    await sleep(1500);
  },
  'slow-link': async (page) => {
    await page.click('#compare');
    await page.evaluate(() => {
      window.send = WebSocket.prototype.send;
      WebSocket.prototype.send = function (data) {
        if (typeof data === 'string') window.send.call(this, data);
      };
    });
    await until('the notice', () => page.isVisible('#notice'), patience);
    await page.evaluate(() => (WebSocket.prototype.send = window.send));
  },
  photo: async (page) => next(page, () => page.setInputFiles('#file', hand)),
  'reference-photo': async (page, server) => {
    const form = new FormData();
    form.append('image', new Blob([fs.readFileSync(path.join(golden, 'brown.jpg'))]), 'hand.jpg');
    form.append('look', JSON.stringify({ color: '#1a9a9a', finish: 'gloss' }));
    const init = { method: 'POST', body: form, headers: { accept: 'image/jpeg' } };
    const reply = await fetch(`${server.url}api/process`, init);
    const buffer = Buffer.from(await reply.arrayBuffer());
    await tab(page, 'looks');
    await next(page, () =>
      page.setInputFiles('#copy-file', { name: 'shop.jpg', mimeType: 'image/jpeg', buffer }),
    );
  },
  'photo-error': async (page) => {
    await page.route('**/api/process', (route) => route.abort());
    await page.evaluate(() => tryon().lookStore.set({ color: '#1f4fb5' }));
    await until('the notice', () => page.isVisible('#notice-action'), patience);
    await sleep(300);
  },
  'live-without-nails': async (page) => {
    await page.unroute('**/api/process');
    await page.evaluate(() => {
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width: 640, height: 480 });
      const context = canvas.getContext('2d');
      setInterval(() => {
        const sky = context.createLinearGradient(0, 0, 0, 480);
        sky.addColorStop(0, '#9fb4c0');
        sky.addColorStop(1, '#c9b79c');
        context.fillStyle = sky;
        context.fillRect(0, 0, 640, 480);
        for (let i = 0; i < 40; i++) {
          context.fillStyle = `hsl(${i * 9} 25% ${40 + ((i * 37) % 30)}%)`;
          context.fillRect((i * 97) % 640, (i * 61) % 480, 14, 9);
        }
      }, 120);
      navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(8);
    });
    await page.click('#stop');
    await until('advice', () => page.isVisible('#notice'), patience);
  },
};

// Drawn by the page itself, which needs a GPU, or some time without one.
async function ownDesign(server, options, file) {
  const browser = await launch([withCamera, ...software]);
  try {
    const page = await open(browser, server.url, options);
    page.setDefaultTimeout(patience);
    await next(page, () => page.setInputFiles('#file', hand));
    const buffer = Buffer.from(await design(page), 'base64');
    await tab(page, 'art');
    await next(page, () =>
      page.setInputFiles('#design-file', { name: 'own.png', mimeType: 'image/png', buffer }),
    );
    await sleep(500);
    await page.screenshot({ path: file, timeout: patience });
  } finally {
    await browser.close();
  }
}

async function tokenPage(browser, options, file) {
  const tokens = path.join(out, 'tokens');
  fs.writeFileSync(tokens, `${token}\n`, { mode: 0o600 });
  const server = await new Server(['--token-file', tokens]).start();
  try {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.goto(server.url);
    await page.screenshot({ path: file });
    await context.close();
  } finally {
    await server.kill();
    fs.rmSync(tokens);
  }
}

async function series(browser, server, [device, colorScheme, language]) {
  const folder = path.join(out, `${device}-${colorScheme}-${language}`);
  fs.mkdirSync(folder, { recursive: true });
  const locale = { ltr: 'en-US', rtl: 'ar' }[language] ?? language;
  const options = { ...devices[device], colorScheme, locale };
  const page = await open(browser, server.url, options);
  page.setDefaultTimeout(patience);
  for (const [name, act] of Object.entries(states)) {
    try {
      await act(page, server);
    } catch (error) {
      console.error(`${folder}/${name}: ${error.message.split('\n')[0]}`);
      process.exitCode = 1;
    }
    await page.screenshot({ path: path.join(folder, `${name}.png`), timeout: patience });
  }
  await page.context().close();
  await tokenPage(browser, options, path.join(folder, 'token-page.png'));
  await ownDesign(server, options, path.join(folder, 'own-design.png')).catch((error) => {
    console.error(`${folder}/own-design: ${error.message.split('\n')[0]}`);
    process.exitCode = 1;
  });
  console.log(folder);
}

fs.mkdirSync(out, { recursive: true });
const server = await new Server().start();
const browser = await launch([withCamera]);
for (const device of wanted(Object.keys(devices)))
  for (const scheme of wanted(['light', 'dark']))
    for (const language of languages.length ? languages : wanted(['ltr', 'rtl']))
      await series(browser, server, [device, scheme, language]);
await browser.close();
await server.kill();
