// What the browser tests stand on: the real server, Debian's Chromium with a rendered hand as its
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
export const golden = path.join(root, 'tests/golden/hands');
const masks = path.join(here, 'hand-masks');
const binary = process.env.LACQUER ?? path.join(root, 'build/lacquer');

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function check(truth, text) {
  if (!truth) throw new Error(text);
}

// Asks until the answer is true; pages with a strict CSP allow no polling of their own.
export async function until(what, ask, timeoutMs = 15000) {
  const end = Date.now() + timeoutMs;
  let last;
  for (;;) {
    last = await ask();
    if (last) return last;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms for: ${what}`);
    await sleep(60);
  }
}

export class Server {
  #process = null;
  #args;
  port = 0;
  log = '';

  constructor(args = []) { this.#args = args; }

  get url() { return `http://127.0.0.1:${this.port}/`; }

  async start() {
    this.#process = spawn(binary, ['serve', '--port', String(this.port), ...this.#args],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const running = this.#process;
    let ended = false;
    running.on('exit', () => { ended = true; });
    for (const stream of [running.stdout, running.stderr]) {
      stream.on('data', (text) => { this.log += text; });
    }
    const line = /listening on http:\/\/[^\s:]+:(\d+)/g;
    const before = this.log.length;
    const found = await until('the server to listen', () => {
      check(!ended, `the server ended: ${this.log}`);
      line.lastIndex = before;
      return line.exec(this.log);
    }, 30000);
    this.port = Number(found[1]);
    return this;
  }

  async kill(signal = 'SIGTERM') {
    const running = this.#process;
    this.#process = null;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.on('exit', resolve));
    running.kill(signal);
    const timer = setTimeout(() => running.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
  }
}

export function launch(extra = []) {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${video}`,
      '--host-resolver-rules=MAP lacquer.test 127.0.0.1', ...extra] });
}

export const withCamera = '--use-fake-ui-for-media-stream';
export const withoutCamera = '--deny-permission-prompts';

// A page of its own profile that notes everything a careful page must not do.
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 },
    acceptDownloads: true, ...options });
  context.setDefaultTimeout(10000);
  const page = await context.newPage();
  page.faults = [];
  page.asked = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.faults.push(message.text());
  });
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('request', (request) => page.asked.push(request.url()));
  await page.goto(url);
  await until('the swatches', () => page.locator('.swatch').count());
  return page;
}

export const shot = (page, name) => page.screenshot({ path: path.join(artifacts, `${name}.png`) });

export const frameId = (page) => page.locator('#canvas').evaluate((c) => Number(c.dataset.frame ?? 0));
export const nails = (page) => page.locator('#canvas').evaluate((c) => Number(c.dataset.nails ?? -1));

export async function frames(page, count, timeoutMs = 20000) {
  const first = await frameId(page);
  await until(`${count} frames`, async () => await frameId(page) >= first + count, timeoutMs);
}

export async function live(page) {
  await page.click('#start');
  await until('a painted frame', async () => await frameId(page) > 0, 20000);
}

// Stops the camera's clock, so that the picture on the screen stays, and waits for the last reply.
export async function freeze(page) {
  await page.evaluate(() => document.getElementById('video').pause());
  for (let last = -1; ;) {
    const now = await frameId(page);
    if (now === last) return;
    last = now;
    await sleep(700);
  }
}

export async function setRange(page, id, value) {
  await page.locator(id).evaluate((input, v) => {
    input.value = v;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }, String(value));
}

// Keeps the canvas as it is drawn now, under a name, in the page.
async function keep(page, name) {
  await page.evaluate((key) => {
    const canvas = document.getElementById('canvas');
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    copy.getContext('2d').drawImage(canvas, 0, 0);
    window.kept ??= {};
    window.kept[key] = copy.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  }, name);
}

// Painted and original of the frozen picture, kept in the page as kept.painted and kept.before.
export async function keepBoth(page) {
  if (await page.getAttribute('#compare', 'aria-pressed') !== 'true') await page.click('#compare');
  await setRange(page, '#split', 0);
  await keep(page, 'painted');
  await setRange(page, '#split', 100);
  await until('the original to be drawn', async () => {
    await keep(page, 'before');
    return page.evaluate(() => window.kept.before.data.some((v, i) => v !== window.kept.painted.data[i]));
  });
  await page.click('#compare');
}

function base64Frames() {
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

// Which frame of the video the kept original is: the nearest at an eighth of the size. Chromium's fake
// camera shifts the colours' range, so each channel is compared by its own mean and spread.
export async function whichFrame(page) {
  const found = await page.evaluate(async (list) => {
    const size = [80, 60];
    const small = async (source) => {
      const context = new OffscreenCanvas(...size).getContext('2d', { willReadFrequently: true });
      context.drawImage(source, 0, 0, ...size);
      const { data } = context.getImageData(0, 0, ...size);
      return [0, 1, 2].flatMap((channel) => {
        const values = Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + channel]);
        const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
        const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
        return values.map((v) => (v - mean) / spread);
      });
    };
    const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const mine = await small(await createImageBitmap(window.kept.before));
    let best = { index: -1, difference: Infinity };
    for (let index = 0; index < list.length; index++) {
      const other = await small(await createImageBitmap(new Blob([bytes(list[index])])));
      let sum = 0;
      for (let i = 0; i < other.length; i++) sum += Math.abs(other[i] - mine[i]);
      if (sum < best.difference) best = { index, difference: sum };
    }
    return { ...best, difference: best.difference / (size[0] * size[1] * 3) };
  }, base64Frames());
  check(found.difference < 0.1, `the picture is no frame of the video (${found.difference.toFixed(2)})`);
  return path.join(masks, `${String(found.index).padStart(4, '0')}.png`);
}

// How the kept pictures differ inside and outside the true nails. moved: the share of nail pixels
// that came at least a third nearer to the colour; outside: mean change beyond 6 pixels of any nail.
export async function measure(page, maskFile, color) {
  return page.evaluate(async ([text, hex]) => {
    const { painted, before } = window.kept;
    const { width, height } = painted;
    const file = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(await createImageBitmap(new Blob([file])), 0, 0, width, height);
    const mask = context.getImageData(0, 0, width, height).data;
    const near = new Uint8Array(width * height);
    const reach = Math.round(6 * width / 640);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
      if (mask[4 * (y * width + x)] < 128) continue;
      for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++) {
        near.fill(1, v * width + Math.max(0, x - reach), v * width + Math.min(width, x + reach + 1));
      }
    }
    const wanted = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    const distance = (data, at) => Math.hypot(...wanted.map((c, i) => data[at + i] - c));
    const total = { nail: 0, moved: 0, far: 0, change: 0, sum: [0, 0, 0] };
    for (let i = 0; i < width * height; i++) {
      const at = 4 * i;
      if (mask[at] > 127) {
        total.nail++;
        if (distance(painted.data, at) < distance(before.data, at) * 2 / 3) total.moved++;
        for (let c = 0; c < 3; c++) total.sum[c] += painted.data[at + c];
      } else if (!near[i]) {
        total.far++;
        for (let c = 0; c < 3; c++) total.change += Math.abs(painted.data[at + c] - before.data[at + c]) / 3;
      }
    }
    return { moved: total.moved / total.nail, outside: total.change / total.far,
      mean: total.sum.map((v) => v / total.nail) };
  }, [fs.readFileSync(maskFile).toString('base64'), color]);
}

// Width and height out of a JPEG's or PNG's own bytes.
export function pictureSize(bytes) {
  if (bytes.readUInt32BE(0) === 0x89504e47) return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  check(bytes.readUInt16BE(0) === 0xffd8, 'neither a JPEG nor a PNG was saved');
  for (let at = 2; at < bytes.length;) {
    const marker = bytes[at + 1];
    if (marker >= 0xc0 && marker <= 0xc2) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  throw new Error('the JPEG has no size');
}

export async function saved(page) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  const bytes = fs.readFileSync(await download.path());
  return { name: download.suggestedFilename(), size: pictureSize(bytes), bytes };
}
