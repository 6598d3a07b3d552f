// The static site in Chromium, served by a plain file server below a path, without any Lacquer
// server: the pixels of live nails, the requests, offline use, phones.
//
//   node browser-site.mjs URL SITE_FOLDER [TEST...]     one line of JSON for each
import fs from 'node:fs';
import path from 'node:path';
import {
  check, frameId, frames, golden, launch, live, nails, notice, open, patienceMs, phone, pictureSize,
  reach, saved, shot, software, text, until, withCamera,
} from './browser-harness.mjs';
import { load } from './browser-network.mjs';
import { keepBoth, measure } from './browser-pixels.mjs';
import { holdBack, playTheDevice, startChoosing, startLooking } from './browser-site-parts.mjs';

const [url, folder, ...chosen] = process.argv.slice(2);
const tests = {};

// The number of the picture's pixels in a colour that no hand has.
const blues = (page) =>
  page.evaluate(() => {
    const { data, width, height } = shownPixels();
    let count = 0;
    for (let i = 0; i < data.length; i += 4)
      count += data[i + 2] > 90 && data[i + 2] > data[i] + 50 && data[i + 2] > data[i + 1] + 50;
    return { count, share: count / (width * height) };
  });

const look = "?look=c*1f2fd5~f'creme";
const openSite = (browser, { query = look, ...options } = {}) =>
  open(browser, `${url}${query}`, { permissions: ['camera'], device: true, ...options });

// Records the size of each response as Chromium reports it. → the sum of those below a folder.
function weigh(page) {
  const sizes = [];
  page.on('requestfinished', (request) =>
    sizes.push(request.sizes().then((size) => ({ url: request.url(), ...size }))),
  );
  return async (below) => {
    const all = await Promise.all(sizes);
    return all
      .filter((one) => one.url.startsWith(`${url}${below}`))
      .reduce((sum, one) => sum + one.responseBodySize + one.responseHeadersSize, 0);
  };
}

// Nails in the polish's colour, covering a share of the picture that nails can have.
async function painted(page) {
  await until('nails', async () => (await nails(page)) >= 3);
  const seen = await until(
    'blue nails',
    async () => {
      const now = await blues(page);
      return now.share > 0.002 && now;
    },
  );
  check(seen.share < 0.15, `polish on ${(100 * seen.share).toFixed(1)} % of the picture`);
  return seen;
}

// On a machine that detects less than once in two seconds the page shows that it is busy instead.
const saysDevice = (page) =>
  until(
    'the word',
    async () => /^(On this device: your pictures stay here|This device is busy)$/.test(
      await text(page, '#link-text')),
  );

// Only GET requests for files of the site's folder.
function onlyFiles(asked) {
  for (const one of asked) {
    const at = new URL(one);
    if (at.protocol === 'blob:') continue;
    check(one.startsWith(url), `request to another host: ${one}`);
    const name = decodeURIComponent(at.pathname.slice(new URL(url).pathname.length));
    check(fs.existsSync(path.join(folder, name)), `request for what is not a file: ${one}`);
  }
}

// Live polish on a phone's screen, with files alone.
tests.live_on_a_phone_without_a_server = async (browser) => {
  const page = await openSite(browser, phone);
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  const bytesBelow = weigh(page);
  check(/stay on this device/.test(await text(page, '#privacy')), 'the page does not show that');
  await live(page);
  const seen = await painted(page);
  await saysDevice(page);
  const loaded = page.asked.length;
  await frames(page, 5);
  await shot(page, 'site-phone');
  const later = page.asked.slice(loaded);
  check(later.length === 0, `requested after the load: ${later}`);
  check(sockets.length === 0, `a socket to ${sockets}`);
  onlyFiles(page.asked);
  check(page.faults.length === 0, `errors on the page: ${page.faults.join(' | ')}`);
  const bytes = await bytesBelow('device/');
  check(bytes > 3e6 && bytes <= 5e6, `${bytes} bytes for the nail detector`);
  return { ...seen, bytes };
};

// The service worker caches all that a live picture needs, so that the host may be offline. The
// pages that it serves have threads, although this host does not send the headers for them.
tests.offline_after_the_first_visit = async (browser) => {
  const query = `${look}&threads=2`;
  const options = { ...phone, query, serviceWorkers: 'allow', locale: 'de-DE' };
  const page = await openSite(browser, options);
  const controlled = () => page.evaluate(() => navigator.serviceWorker.controller !== null);
  await until('the service worker', controlled);
  check(!(await page.evaluate(() => crossOriginIsolated)), 'isolated on the first visit');
  const context = page.context();
  const again = Date.now();
  await page.reload();
  await until('the swatches', () => page.locator('.swatch').count());
  await context.setOffline(true);
  await page.reload();
  await until('the swatches', () => page.locator('.swatch').count());
  const german = async () => (await text(page, '#start span')) === 'Kamera starten';
  await until('the German texts, offline', german);
  check(await page.evaluate(() => crossOriginIsolated), 'no threads on the second visit');
  await live(page);
  const seen = await painted(page);
  const threads = await page.evaluate(() => tryon().live.transport.threads);
  check(threads === 2, `${threads} threads`);
  await context.setOffline(false);
  return { ...seen, again };
};

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function sameNails(one, other) {
  check(one.length === other.length, `${one.length} and ${other.length} nails`);
  const apart = one.map(([x, y], i) => Math.hypot(x - other[i][0], y - other[i][1]));
  check(Math.max(...apart) < 0.5, `nails are ${apart} pixels apart`);
}

// One thread and two threads alternately: the same nails. → ms of the networks per detection
async function compareThreads(page, rounds = 4) {
  const hand = fs.readFileSync(path.join(golden, 'light.jpg'), 'base64');
  await page.evaluate(startLooking, [url, hand, [1, 2]]);
  const ready = () => page.evaluate(() => window.lookers.every((one) => one.transport.ready));
  await until('both runtimes', ready);
  const ms = [[], []];
  for (let id = 1; id <= rounds; id++) {
    const looks = [];
    for (const which of [0, 1])
      looks.push(await page.evaluate(([one, at]) => window.look(one, at), [which, id]));
    looks.forEach(({ at }) => check(at.length >= 4, `${at.length} nails`));
    // Both process the whole picture first; later, depending on its own clock, one may process the
    // hand's region where the other processes the whole picture.
    if (id === 1) sameNails(...looks.map(({ at }) => at));
    looks.forEach((one, which) => ms[which].push(one.ms));
  }
  const threads = await page.evaluate(() => window.lookers.map((one) => one.transport.threads));
  const warm = ms.map((list) => list.slice(1));
  return { threads, median: warm.map(median), least: warm.map((list) => Math.min(...list)) };
}

// The host sends the two headers.
tests.the_headers_enable_threads = async (browser) => {
  const page = await openSite(browser);
  check(await page.evaluate(() => crossOriginIsolated), 'the page is not isolated');
  const found = await compareThreads(page);
  check(`${found.threads}` === '1,2', `threads: ${found.threads}`);
  return found;
};

tests.without_the_headers_it_uses_one_thread = async (browser) => {
  const page = await openSite(browser);
  check(!(await page.evaluate(() => crossOriginIsolated)), 'the page is isolated');
  const found = await compareThreads(page, 2);
  check(`${found.threads}` === '1,1', `threads: ${found.threads}`);
  return found;
};

// A photo of several megapixels, in the folder beside the site, with the mask of its nails.
tests.a_photo_keeps_its_size = async (browser) => {
  const page = await openSite(browser, { query: "?look=c*00c853~f'creme" });
  const photo = path.join(folder, '../photo.jpg');
  const size = pictureSize(fs.readFileSync(photo));
  await page.setInputFiles('#file', photo);
  await until('the photo', async () => (await frameId(page)) > 0);
  check((await nails(page)) >= 4, `${await nails(page)} nails`);
  await keepBoth(page);
  const found = await measure(page, path.join(folder, '../photo.mask.png'), '#00c853');
  check(found.moved > 0.6, `${found.moved} of the nails' pixels wear the polish`);
  check(found.outside < 1.5, `outside the nails pixels changed by ${found.outside}`);
  const file = await saved(page);
  check(`${file.size}` === `${size}`, `saved ${file.size}, not ${size}`);
  onlyFiles(page.asked);
  return { ...found, size };
};

// Everything with a hash in its name, requested by two pages one after the other.
tests.hashed_files_are_downloaded_once = async (browser) => {
  const fetchAll = async ([base, first]) => {
    const { files } = await (await fetch(`${base}device/device.json`)).json();
    const names = Object.values(files).map(({ file }) => file);
    for (const name of names) await (await fetch(`${base}device/${name}`)).arrayBuffer();
    const entries = performance.getEntriesByType('resource');
    const of = (name) => entries.find((entry) => entry.name === `${base}device/${name}`);
    return names.filter((name) => of(name).transferSize > 0 !== first);
  };
  const page = await openSite(browser);
  const kept = await page.evaluate(fetchAll, [url, true]);
  check(kept.length === 0, `not downloaded by the first page: ${kept}`);
  await page.reload();
  const asked = await page.evaluate(fetchAll, [url, false]);
  check(asked.length === 0, `downloaded again: ${asked}`);
};

// Each response is delayed, so that waves can be told apart on a busy machine too; the cache is
// empty.
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

// Without WebGL 2 nothing can be drawn, and no server may be contacted instead.
tests.missing_webgl_is_reported = async () => {
  const bare = await launch([withCamera]);
  try {
    const page = await openSite(bare);
    const sockets = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.click('#start');
    await notice(page, /WebGL 2 graphics/);
    check(sockets.length === 0, `a socket to ${sockets}`);
    onlyFiles(page.asked);
  } finally {
    await bare.close();
  }
};

// The server's page with its replies delayed: it switches to the device and reports that.
tests.a_slow_server_gives_way_to_the_device = async (browser) => {
  const page = await openSite(browser, { beforePage: holdBack });
  // Software graphics must not be a reason here to request painted pictures.
  await page.evaluate(() => (tryon().live.frameBudget.fpsLeast = 0));
  const said = page.evaluate(
    () => new Promise((done) => addEventListener('lacquer-engine', (e) => done(e.detail.engine))),
  );
  await live(page);
  check(!(await page.evaluate(() => tryon().live.onDevice)), 'the server did not begin');
  check((await said) === 'device', 'another engine');
  await saysDevice(page);
  const uploads = await page.evaluate(() => window.sentFrames);
  check(uploads > 0, 'no picture went to the server at first');
  await frames(page, 3);
  const after = await page.evaluate(() => window.sentFrames);
  check(after === uploads, `${after - uploads} pictures still went to the server`);
  check((await nails(page)) >= 3, `${await nails(page)} nails`);
};

// If the device becomes slow or its battery runs low, the server takes over until that is over.
tests.a_slowed_device_gives_way_and_comes_back = async (browser) => {
  const page = await openSite(browser, { beforePage: playTheDevice });
  const hand = fs.readFileSync(path.join(golden, 'light.jpg'), 'base64');
  const play = (what) => page.evaluate((it) => Object.assign(window.played, it), what);
  const comes = (wanted) =>
    until(wanted, () => page.evaluate((it) => window.engines.at(-1) === it, wanted));
  await page.evaluate(startChoosing, [url, hand]);
  await comes('device');
  await until('nails', () => page.evaluate(() => window.nailsFound >= 4));
  await play({ deviceMs: 4000, serverMs: 100 });
  await comes('server');
  await play({ deviceMs: 0, serverMs: 3000 });
  await comes('device');
  await page.evaluate(() => window.battery.change({ charging: false, level: 0.1 }));
  await comes('server');
  await page.evaluate(() => window.battery.change({ charging: true }));
  await comes('device');
  return { engines: await page.evaluate(() => window.engines.join(' ')) };
};

// Chromium's own APIs, with simulated readings.
tests.the_devices_state_is_read_from_the_browser = async (browser) => {
  const page = await openSite(browser);
  const session = await page.context().newCDPSession(page);
  const cpu = { source: 'cpu' };
  await session.send('Emulation.setPressureSourceOverrideEnabled', {
    ...cpu, enabled: true, metadata: { available: true },
  });
  await page.evaluate(async (base) => {
    const { watchDevice } = await import(`${base}live/senses.js`);
    window.told = [];
    watchDevice((signals) => window.told.push(signals));
  }, url);
  const told = (what) => page.evaluate((name) => window.told.findLast((it) => name in it), what);
  const { battery } = await until('the battery', () => told('battery'));
  check(battery.charging === true && battery.level === 1, JSON.stringify(battery));
  for (const state of ['nominal', 'critical']) {
    await session.send('Emulation.setPressureStateOverride', { ...cpu, state });
    await until(state, async () => (await told('pressure'))?.pressure === state);
  }
};

// With Chromium's own "save data", the server continues, and nothing is downloaded to replace it.
tests.saving_data_downloads_no_runtime = async (browser) => {
  const page = await openSite(browser);
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setDataSaverOverride', { dataSaverEnabled: true });
  await page.evaluate(() => (tryon().live.frameBudget.fpsLeast = 0));
  check(await page.evaluate(() => navigator.connection.saveData), 'save data is not reported');
  await live(page);
  const from = Date.now();
  await until('the page to become idle', async () => Date.now() - from > 6000);
  await frames(page, 2);
  const runtime = page.asked.filter((one) => one.includes('/device/'));
  check(runtime.length === 0, `the runtime was requested: ${runtime}`);
};

// A shop's page that uses the npm package.
async function openShop(browser, address) {
  const context = await browser.newContext({ permissions: ['camera'] });
  await context.addInitScript(reach);
  const page = await context.newPage();
  page.asked = [];
  page.faults = [];
  page.on('request', (request) => page.asked.push(request.url()));
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.setDefaultTimeout(patienceMs);
  await page.goto(address);
  return page;
}

async function readyInReact(page) {
  const shades = async () => {
    check(page.faults.length === 0, `errors on the page: ${page.faults.join(' | ')}`);
    return page.evaluate(() => /^\d\d+ shades$/.test(document.querySelector('#ready')?.innerText));
  };
  await until('its shades', shades);
  const attributes = await page.evaluate(() => {
    const element = document.querySelector('lacquer-tryon');
    return Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value]));
  });
  check(attributes.engine === 'device' && !('stats' in attributes), JSON.stringify(attributes));
  await page.check('input[name=shade] >> nth=3', { force: true });
  await until('the look', async () => /^#\w+ lacquer-look$/.test(await text(page, '#color')));
}

tests.the_package_in_a_page = async (browser) => {
  const page = await openShop(browser, url);
  await readyInReact(page);
  check(/npx lacquer-tryon/.test(await page.title()), 'no advice when the files are missing');
  await shot(page, 'site-package');
  onlyFiles(page.asked.filter((one) => !one.includes('/nowhere/') && !one.startsWith('data:')));
};

tests.the_package_built_by_vite = async (browser) => {
  const page = await openShop(browser, `${url}plain.html`);
  const swatches = () => page.locator('.swatch').count();
  await until('the swatches', swatches);
  await live(page);
  const seen = await painted(page);
  await shot(page, 'site-vite');
  check(page.faults.length === 0, `errors on the page: ${page.faults.join(' | ')}`);
  onlyFiles(page.asked.filter((one) => !one.startsWith('data:')));
  return seen;
};

tests.the_package_built_by_vite_for_react = async (browser) => {
  const page = await openShop(browser, `${url}react.html`);
  await readyInReact(page);
  onlyFiles(page.asked.filter((one) => !one.startsWith('data:')));
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
      const ms = Date.now() - started;
      console.log(JSON.stringify({ name, ok: false, ms, error: String(error.stack ?? error) }));
    }
    for (const context of browser.contexts()) await context.close();
  }
  await browser.close();
}

if (chosen[0] === '--list') console.log(Object.keys(tests).join('\n'));
else await main();
