// The static site in Chromium, served by a plain file server below a path, with no Lacquer running:
// live nails by their pixels, what is asked for, offline, phones.
//
//   node browser-site.mjs URL SITE_FOLDER [TEST...]     one line of JSON for each
import fs from 'node:fs';
import path from 'node:path';
import { check, frames, launch, live, nails, notice, open, reach, shot, text, until, withCamera }
  from './browser-harness.mjs';
import { load } from './browser-network.mjs';

const patienceMs = 240000; // a busy machine computes a network for seconds
const software = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const [url, folder, ...chosen] = process.argv.slice(2);
const tests = {};

// How many pixels of the picture are of a colour that no hand has.
const blues = (page) =>
  page.evaluate(() => {
    const canvas = part('canvas');
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext('2d');
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4)
      count += data[i + 2] > 90 && data[i + 2] > data[i] + 50 && data[i + 2] > data[i + 1] + 50;
    return { count, share: count / (copy.width * copy.height) };
  });

const look = "?look=c*1f2fd5~f'creme";
const openSite = (browser, options = {}) =>
  open(browser, `${url}${look}`, { permissions: ['camera'], device: true, ...options });

// Nails in the polish's colour, on a share of the picture that nails have.
async function painted(page) {
  await until('nails', async () => (await nails(page)) >= 3, patienceMs);
  const seen = await until(
    'blue nails',
    async () => {
      const now = await blues(page);
      return now.share > 0.002 && now;
    },
    patienceMs,
  );
  check(seen.share < 0.15, `polish on ${(100 * seen.share).toFixed(1)} % of the picture`);
  return seen;
}

// A machine that looks less than once in two seconds says that it is busy instead.
const saysDevice = (page) =>
  until(
    'the word',
    async () => /^(On this device: your pictures stay here|This device is busy)$/.test(
      await text(page, '#link-text')),
    patienceMs,
  );

// Files of the site's folder, by GET, and nothing else.
function onlyFiles(asked) {
  for (const one of asked) {
    const at = new URL(one);
    if (at.protocol === 'blob:') continue;
    check(one.startsWith(url), `asked elsewhere: ${one}`);
    const name = decodeURIComponent(at.pathname.slice(new URL(url).pathname.length));
    check(fs.existsSync(path.join(folder, name)), `asked for what is no file: ${one}`);
  }
}

// Live polish on a phone's screen, by files alone.
tests.live_on_a_phone_without_a_server = async (browser) => {
  const page = await openSite(browser, phone);
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  check(/stay on this device/.test(await text(page, '#privacy')), 'the page does not say so');
  await live(page, patienceMs);
  const seen = await painted(page);
  await saysDevice(page);
  const loaded = page.asked.length;
  await frames(page, 5, patienceMs);
  await shot(page, 'site-phone');
  const later = page.asked.slice(loaded);
  check(later.length === 0, `asked for after the load: ${later}`);
  check(sockets.length === 0, `a socket to ${sockets}`);
  onlyFiles(page.asked);
  check(page.faults.length === 0, `the page complained: ${page.faults.join(' | ')}`);
  return seen;
};

// The worker keeps all that a live picture takes: the host may be gone.
tests.offline_after_the_first_visit = async (browser) => {
  const page = await openSite(browser, { ...phone, serviceWorkers: 'allow', locale: 'de-DE' });
  const controlled = () => page.evaluate(() => navigator.serviceWorker.controller !== null);
  await until('the service worker', controlled, patienceMs);
  const context = page.context();
  await context.setOffline(true);
  await page.reload();
  await until('the swatches', () => page.locator('.swatch').count(), patienceMs);
  const german = async () => (await text(page, '#start span')) === 'Kamera starten';
  await until('the German texts, offline', german, patienceMs);
  await live(page, patienceMs);
  const seen = await painted(page);
  await context.setOffline(false);
  return seen;
};

// Each answer waits, so that waves are told apart on a busy machine too; nothing kept from before.
tests.a_site_comes_in_150_kB = async (browser) => {
  const slow = { latencyMs: 4000, kbit: 1638 };
  const { requests, waves, bytes, firstPaintMs } = await load(browser, url, slow, phone);
  const list = requests.map(({ url: one, wave }) => `${wave} ${one.replace(url, '')}`);
  check(waves <= 3, `${waves} waves: ${list.join(', ')}`);
  check(bytes <= 150000, `${bytes} bytes before the camera`);
  const second = Math.min(...requests.filter(({ wave, end }) => wave > 1 && end).map((r) => r.end));
  const secondMs = 1000 * (second - requests[0].start);
  check(firstPaintMs < secondMs, `painted after ${firstPaintMs} ms, the rest from ${secondMs}`);
  onlyFiles(requests.map((request) => request.url).filter((one) => one !== url));
  return { waves, requests: requests.length, bytes, firstPaintMs };
};

// Without WebGL 2 nothing can be drawn, and no server may be asked instead.
tests.without_graphics_it_says_so = async () => {
  const bare = await launch([withCamera]);
  try {
    const page = await openSite(bare);
    const sockets = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.click('#start');
    await notice(page, /no graphics/);
    check(sockets.length === 0, `a socket to ${sockets}`);
    onlyFiles(page.asked);
  } finally {
    await bare.close();
  }
};

// The server's page, its replies held back: it takes the device by itself, and says so.
tests.a_slow_server_gives_way_to_the_device = async (browser) => {
  const page = await openSite(browser, { beforePage: holdBack });
  // Graphics in software are no reason here to ask for painted pictures.
  await page.evaluate(() => (tryon().live.frameBudget.fpsLeast = 0));
  const said = page.evaluate(
    () => new Promise((done) => addEventListener('lacquer-engine', (e) => done(e.detail.engine))),
  );
  await live(page, patienceMs);
  check(!(await page.evaluate(() => tryon().live.onDevice)), 'not by the server first');
  check((await said) === 'device', 'another engine');
  await saysDevice(page);
  const uploads = await page.evaluate(() => window.sentFrames);
  check(uploads > 0, 'nothing went to the server at first');
  await frames(page, 3, patienceMs);
  const after = await page.evaluate(() => window.sentFrames);
  check(after === uploads, `${after - uploads} pictures went to the server all the same`);
  check((await nails(page)) >= 3, `${await nails(page)} nails`);
};

// In the page, before its scripts: replies come four seconds late.
function holdBack() {
  window.sentFrames = 0;
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', (event) => {
        if (typeof event.data === 'string' || event.late) return;
        event.stopImmediatePropagation();
        const late = new MessageEvent('message', { data: event.data });
        late.late = true;
        setTimeout(() => this.dispatchEvent(late), 4000);
      });
    }
    send(data) {
      if (typeof data !== 'string') window.sentFrames++;
      super.send(data);
    }
  };
}

// A shop's bundle with the npm package in it.
tests.the_package_in_a_page = async (browser) => {
  const context = await browser.newContext();
  await context.addInitScript(reach);
  const page = await context.newPage();
  const asked = [];
  const faults = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.setDefaultTimeout(patienceMs);
  await page.goto(url);
  const shades = async () => {
    check(faults.length === 0, `the page complained: ${faults.join(' | ')}`);
    return page.evaluate(() => /^\d\d+ shades$/.test(document.querySelector('#ready')?.innerText));
  };
  await until('its shades', shades, patienceMs);
  check(/npx lacquer-tryon/.test(await page.title()), 'no advice where the files are not');
  const attributes = await page.evaluate(() => {
    const element = document.querySelector('lacquer-tryon');
    return Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value]));
  });
  check(attributes.engine === 'device' && !('stats' in attributes), JSON.stringify(attributes));
  await page.check('input[name=shade] >> nth=3', { force: true });
  await until('the look', async () => /^#\w+ lacquer-look$/.test(await text(page, '#color')));
  await shot(page, 'site-package');
  onlyFiles(asked.filter((one) => !one.includes('/nowhere/') && !one.startsWith('data:')));
};

export async function main() {
  const names = chosen.length ? chosen : Object.keys(tests);
  const browser = await launch([...software, withCamera]);
  for (const name of names) {
    const started = Date.now();
    try {
      const detail = await tests[name](browser);
      console.log(JSON.stringify({ name, ok: true, ms: Date.now() - started, detail }));
    } catch (error) {
      console.log(JSON.stringify({ name, ok: false, error: String(error.stack ?? error) }));
    }
    for (const context of browser.contexts()) await context.close();
  }
  await browser.close();
}

if (chosen[0] === '--list') console.log(Object.keys(tests).join('\n'));
else await main();
