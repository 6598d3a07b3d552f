// The basis of the browser tests: the real server, Debian's Chromium with a rendered hand as its
// camera, and pixel measures taken inside the page. Runs under Node 18 and playwright-core.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, '../..');
export const artifacts = path.join(here, 'artifacts');
export const video = path.join(here, 'hand.mjpeg');
// Frames of the video, as JPEGs in base64.
export function videoFrames() {
  const bytes = fs.readFileSync(video);
  const list = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(Buffer.from([0xff, 0xd9, 0xff, 0xd8]), at);
    const stop = end < 0 ? bytes.length : end + 2;
    list.push(bytes.subarray(at, stop).toString('base64'));
    at = stop;
  }
  return list;
}
export const golden = path.join(root, 'tests/golden/hands');
const binary = process.env.LACQUER ?? path.join(root, 'build/lacquer');

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function check(truth, text) {
  if (!truth) throw new Error(text);
}

// A limit for what hangs, not for what is slow: on a busy machine a network runs for seconds.
export const patienceMs = 240000;

// Polls until the result is truthy; pages with a strict CSP do not allow polling inside them.
export async function until(what, ask, timeoutMs = patienceMs) {
  const end = Date.now() + timeoutMs;
  let last;
  for (;;) {
    last = await ask();
    if (last) return last;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms for: ${what}`);
    await sleep(60);
  }
}

// A server's options: clients are never refused, however slow the machine is.
export const patient = ['--max-wait', '60000'];

const serving = new Set(); // servers that have not been killed

// Kills them, also those that a failed test has left: node would wait for them for ever.
export async function killServers() {
  for (const server of [...serving]) await server.kill();
}

export class Server {
  #process = null;
  #args;
  port = 0;
  log = '';

  constructor(args = []) {
    this.#args = args;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/`;
  }

  async start() {
    this.#process = spawn(binary, ['serve', '--port', String(this.port), ...this.#args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running = this.#process;
    serving.add(this);
    let ended = false;
    running.on('exit', () => {
      ended = true;
    });
    for (const stream of [running.stdout, running.stderr]) {
      stream.on('data', (text) => {
        this.log += text;
      });
    }
    const line = /listening on http:\/\/[^\s:]+:(\d+)/g;
    const before = this.log.length;
    const found = await until(
      'the server to listen',
      () => {
        check(!ended, `the server ended: ${this.log}`);
        line.lastIndex = before;
        return line.exec(this.log);
      },
    );
    this.port = Number(found[1]);
    return this;
  }

  async kill(signal = 'SIGTERM') {
    const running = this.#process;
    this.#process = null;
    serving.delete(this);
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.on('exit', resolve));
    running.kill(signal);
    const timer = setTimeout(() => running.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
  }
}

// Graphics as on a machine without a GPU: WebGL 2 by SwiftShader, and the page's own pixels by the
// processor. Without the last two flags SwiftShader draws these as well, at five times the cost.
export const software = [
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-gpu-compositing',
  '--disable-gpu-rasterization',
];

// Without graphics unless `extra` requests them: pictures then come painted from the server.
export function launch(extra = []) {
  const graphics = extra.some((flag) => flag.startsWith('--use-gl'));
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox',
      ...(graphics ? [] : ['--disable-gpu', '--disable-3d-apis']),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${video}`,
      '--host-resolver-rules=MAP lacquer.test 127.0.0.1',
      ...extra,
    ],
  });
}

// Browsers shared by the tests, by their flags; each is started at first use. What a test opens is
// closed after it. The camera gives 10 frames a second, because without graphics each frame costs
// the processor's time, also while a test looks at something else.
const slowCamera = '--max-gum-fps=10';
const started = new Map();

export async function shared(flags) {
  const key = flags.join(' ');
  if (!started.get(key)?.isConnected()) started.set(key, await launch([...flags, slowCamera]));
  return started.get(key);
}

export const closeContexts = () =>
  Promise.all([...started.values()].flatMap((one) => one.contexts()).map((one) => one.close()));

export const closeShared = () => Promise.all([...started.values()].map((one) => one.close()));

// A page's options for a phone.
export const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

export const withCamera = '--use-fake-ui-for-media-stream';
export const withoutCamera = '--deny-permission-prompts';

// Runs in every page: access to the element's shadow root and to the shown picture, for the tests'
// own scripts.
export function reach() {
  window.tryon = () => document.querySelector('lacquer-tryon').app;
  window.part = (id) => document.querySelector('lacquer-tryon').shadowRoot.getElementById(id);
  window.parts = (selector) => [
    ...document.querySelector('lacquer-tryon').shadowRoot.querySelectorAll(selector),
  ];
  window.focused = () => {
    let node = document.activeElement;
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    return node;
  };
  window.shownPixels = () => {
    const canvas = part('canvas');
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    copy.drawImage(canvas, 0, 0);
    return copy.getImageData(0, 0, canvas.width, canvas.height);
  };
}

// Runs in the page: changes the server's info so that it offers no on-device runtime, because most
// tests are about the server's replies. (With a route of Playwright's, every request would pass
// through this process.)
function withoutDevice() {
  const { fetch } = window;
  window.fetch = async (...request) => {
    const response = await fetch(...request);
    if (!String(request[0]).endsWith('/api/v1/info.json')) return response;
    return new Response(JSON.stringify({ ...(await response.json()), device: false }));
  };
}

// A page with a profile of its own that records everything a careful page must not do. modules:
// runs the single modules instead of the bundle, so that a script can access what import() returns.
// device: the page may detect nails by itself; beforePage: runs in the page before its own scripts.
export async function open(
  browser,
  url,
  { modules = false, device = false, beforePage = null, ...options } = {},
) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    acceptDownloads: true,
    serviceWorkers: 'block', // no test could intercept requests that a service worker makes
    ...options,
  });
  context.setDefaultTimeout(patienceMs);
  await context.addInitScript(reach);
  if (beforePage) await context.addInitScript(beforePage);
  if (modules)
    await context.route(`${url}tryon.js`, (route) =>
      route.fulfill({ path: path.join(root, 'web/tryon.js') }),
    );
  if (!device) await context.addInitScript(withoutDevice);
  const page = await context.newPage();
  page.faults = [];
  page.asked = [];
  page.on('console', (message) => {
    const ours = /Service Worker registration blocked by Playwright/.test(message.text());
    const unused = modules && /was preloaded .* but not used/.test(message.text());
    // Software graphics are slow when pixels are read back, which only machines without a GPU do.
    const driver = /GL Driver Message/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !ours && !unused && !driver)
      page.faults.push(message.text());
  });
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('request', (request) => page.asked.push(request.url()));
  await page.goto(url);
  await until('the swatches', () => page.locator('.swatch').count());
  return page;
}

const keep = (page, name) => page.screenshot({ path: path.join(artifacts, `${name}.png`) });

// Screenshots on request: LACQUER_SHOTS=1.
export const shot = async (page, name) => process.env.LACQUER_SHOTS && keep(page, name);

// A screenshot of every page that is open when a test fails.
export async function keepFailed(name) {
  const pages = [...started.values()].flatMap((one) => one.contexts()).flatMap((c) => c.pages());
  for (const page of pages) await keep(page, `failed-${name}`).catch(() => {});
}

export const frameId = (page) =>
  page.locator('#canvas').evaluate((c) => Number(c.dataset.frame ?? 0));
export const nails = (page) =>
  page.locator('#canvas').evaluate((c) => Number(c.dataset.nails ?? -1));

export async function frames(page, count, timeoutMs = patienceMs) {
  const first = await frameId(page);
  await until(`${count} frames`, async () => (await frameId(page)) >= first + count, timeoutMs);
}

export async function live(page, timeoutMs = patienceMs) {
  await page.click('#start');
  await until('a painted frame', async () => (await frameId(page)) > 0, timeoutMs);
}

// Stops the camera's clock, so that the picture on the screen stays, and waits until every sent
// frame has its reply and the last of them is shown: nothing new in several of the page's frames.
export async function freeze(page) {
  await page.evaluate(() => part('video').pause());
  let [last, quiet] = [-1, 0];
  await until('the last reply to be shown', async () => {
    const [now, waiting] = await page.evaluate(async () => {
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return [Number(part('canvas').dataset.frame), tryon().live.waiting];
    });
    quiet = !waiting && now === last ? quiet + 1 : 0;
    last = now;
    return quiet >= 3;
  });
}

export async function setRange(page, id, value) {
  await page.locator(id).evaluate((input, v) => {
    input.value = v;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }, String(value));
}

// The page's state and settings.
export const text = (page, id) => page.locator(id).textContent();
export const state = (page) => page.getAttribute('#link', 'data-state');
export const isLive = (page) => until('live', async () => (await state(page)) === 'live');
export const shade = (page, name) =>
  page.check(`.swatch[title="${name}"] input[name=shade]`, { force: true });
export const number = async (page, id) => parseFloat(await text(page, id));
export const clean = (page, allowed = /^$/) => {
  const faults = page.faults.filter((line) => !allowed.test(line));
  check(faults.length === 0, `the page complained: ${faults.join(' | ')}`);
};
export const notice = (page, pattern, timeoutMs) =>
  until(
    `a message like ${pattern}`,
    async () => (await page.isVisible('#notice')) && pattern.test(await text(page, '#notice-text')),
    timeoutMs,
  );

// Width and height from the header of a JPEG or PNG.
export function pictureSize(bytes) {
  if (bytes.readUInt32BE(0) === 0x89504e47) return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  check(bytes.readUInt16BE(0) === 0xffd8, 'neither a JPEG nor a PNG was saved');
  for (let at = 2; at < bytes.length;) {
    const marker = bytes[at + 1];
    if (marker >= 0xc0 && marker <= 0xc2)
      return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  throw new Error('the JPEG has no size');
}

export async function saved(page) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  const bytes = fs.readFileSync(await download.path());
  return { name: download.suggestedFilename(), size: pictureSize(bytes), bytes };
}
