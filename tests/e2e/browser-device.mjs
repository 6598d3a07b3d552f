// Nails detected in the page itself (docs/DEVICE.md): polish on the hand without a picture being
// sent, a worker that is killed and restarted, memory that does not grow, WebGPU's results against
// WebAssembly's.
import fs from 'node:fs';
import path from 'node:path';
import {
  check, clean, frameId, frames, freeze, golden, live, nails, notice, open, pictureSize, root,
  saved, shared, software, text, until, withCamera,
} from './browser-harness.mjs';
import { keepBoth, measure } from './browser-pixels.mjs';

export const tests = {};

// Without its tools the build has no engine for the page (tools/wasm.sh), and there is nothing to
// test.
const built = fs.existsSync(path.join(root, 'build/device/device.json'));

async function withPage(server, query, run, flags = []) {
  const browser = await shared([...software, withCamera, ...flags]);
  // A small window, because software graphics compute every pixel.
  const viewport = { width: 640, height: 480 };
  const page = await open(browser, `${server.url}?${query}`, { viewport });
  page.sockets = 0;
  page.on('websocket', () => page.sockets++);
  return run(page);
}

// Makes the camera show a hand that does not move, so that late replies on a busy machine do not
// matter: the picture of that name among the golden hands, with a little noise.
const holdStill = (page, hand) =>
  page.evaluate(async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const { width, height } = bitmap;
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    let count = 0;
    setInterval(() => {
      context.drawImage(bitmap, 0, 0);
      context.fillRect(count++ % 8, 0, 1, 1);
    }, 100);
    const video = part('video');
    video.srcObject = canvas.captureStream();
    await video.play();
  }, fs.readFileSync(path.join(golden, `${hand}.jpg`), 'base64'));

const onDevice = (server, run) => withPage(server, 'engine=device&backend=wasm', run);

tests.device_paints_nails_and_sends_no_picture = async ({ server }) =>
  onDevice(server, async (page) => {
    const sent = [];
    page.on('request', (request) => {
      if (request.method() !== 'GET') sent.push(`${request.method()} ${request.url()}`);
    });
    await page.evaluate(() =>
      tryon().lookStore.main.set({ color: '#00c853', finish: 'matte', sheen: false, texture: 0 }),
    );
    await page.evaluate(() => part('start').click());
    await until('a painted frame', async () => (await frameId(page)) > 0);
    await holdStill(page, 'light');
    await frames(page, 4);
    await page.evaluate(() => tryon().stage.mirror && part('mirror').click());
    await until('most nails of a hand', async () => (await nails(page)) >= 4);
    await frames(page, 6); // a nail that has just been found is still being faded in
    await freeze(page);
    check((await page.evaluate(() => tryon().live.kind)) === 'device', 'another engine is in use');
    await keepBoth(page);
    const mask = path.join(golden, 'light.mask.png');
    const found = await measure(page, mask, '#00c853');
    check(found.moved > 0.6, `${found.moved} of the nails' pixels wear the polish`);
    check(found.outside < 1.5, `outside the nails pixels changed by ${found.outside}`);
    check(sent.length === 0, `sent: ${sent}`);
    check(page.sockets === 0, 'a WebSocket was opened');
    const { bytesUp, parts } = await page.evaluate(() => tryon().stats.summary());
    check(bytesUp === 0, `${bytesUp} bytes were uploaded`);
    clean(page, /GL Driver Message|source height is 0/); // between holdStill's two streams
    return { ...found, parts };
  });

tests.device_paints_a_photo_at_its_size = async ({ server }) =>
  onDevice(server, async (page) => {
    const posts = [];
    page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
    await page.setInputFiles('#file', path.join(golden, 'light.jpg'));
    await until('the photo', async () => (await frameId(page)) > 0);
    check((await nails(page)) >= 4, 'fewer than four nails found');
    await keepBoth(page);
    const found = await measure(page, path.join(golden, 'light.mask.png'), '#c71585');
    check(found.moved > 0.6, `${found.moved} of the nails' pixels took the colour`);
    check(found.outside < 1.5, `the rest of the picture changed by ${found.outside}`);
    const file = await saved(page);
    const size = pictureSize(fs.readFileSync(path.join(golden, 'light.jpg')));
    check(`${file.size}` === `${size}`, `saved ${file.size}, not ${size}`);
    check(posts.length === 0 && page.sockets === 0, `sent: ${posts}`);
    clean(page);
    return found;
  });

// Simulates a browser that withdraws all graphics, and provides others at once or later.
const loseGraphics = (page, { later = false } = {}) =>
  page.evaluate((withhold) => {
    const { prototype } = HTMLCanvasElement;
    const { getContext } = prototype;
    window.provide = () => Object.assign(prototype, { getContext });
    if (withhold)
      prototype.getContext = function (kind, ...options) {
        return kind === 'webgl2' ? null : getContext.call(this, kind, ...options);
      };
    const gl = getContext.call(tryon().live.picture.graphics, 'webgl2');
    gl.getExtension('WEBGL_lose_context').loseContext();
  }, later);

tests.device_goes_on_after_graphics_are_lost = async ({ server }) =>
  onDevice(server, async (page) => {
    const linked = (words) =>
      until(words, async () => (await text(page, '#link-text')).startsWith(words));
    await page.evaluate(() => part('start').click());
    await linked('On this device');
    await loseGraphics(page);
    await frames(page, 3);
    await loseGraphics(page, { later: true });
    await notice(page, /withdrawn the graphics hardware/);
    await linked('Not painted');
    await page.evaluate(() => window.provide());
    await linked('On this device');
    await frames(page, 3);
    const shown = await page.getAttribute('#notice', 'data-key');
    check(shown !== 'device', 'the page still says that graphics are missing');
    check(page.sockets === 0, 'a WebSocket was opened');
  });

// Puts a transport of the page's own into it, without graphics: window.ask() lets it detect nails
// in the hand and returns its reply. Each time the hand is shown a few pixels further to the right.
async function withTransport(page) {
  const hand = fs.readFileSync(path.join(golden, 'light.jpg'), 'base64');
  await page.evaluate(async (text) => {
    const { DeviceTransport } = await import('/device/transport.js');
    const base = new URL('device/', location.href);
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const hand = await createImageBitmap(new Blob([bytes]));
    const canvas = new OffscreenCanvas(hand.width, hand.height);
    const context = canvas.getContext('2d');
    const transport = new DeviceTransport(base, { backend: 'wasm' });
    const [width, height] = [640, Math.round((640 * hand.height) / hand.width)];
    window.states = [];
    window.transport = transport;
    let id = 0;
    let settle;
    transport.onreply = (reply) => settle.resolve(reply);
    transport.onerror = ({ error }) => settle?.reject(new Error(error));
    transport.onstate = (state) => window.states.push(state);
    setInterval(() => transport.watch(1), 250);
    transport.open();
    window.ask = async () => {
      context.drawImage(hand, 3 * (id % 5), 0);
      const frame = await createImageBitmap(canvas);
      return new Promise((resolve, reject) => {
        settle = { resolve, reject };
        transport.send(++id, { frame, width, height });
      });
    };
  }, hand);
  await until('the runtime', () => page.evaluate(() => transport.ready));
}

const workersOf = (page) =>
  page.workers().filter((worker) => /\/worker(-\w+)?\.js/.test(worker.url()));

tests.device_worker_is_restarted_when_killed = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await withTransport(page);
  check((await page.evaluate(async () => (await ask()).nails)) >= 4, 'a hand has no nails');
  const [first] = workersOf(page);
  check(first, `the page's worker is not among ${page.workers().map((worker) => worker.url())}`);
  await first.evaluate(() => self.close());
  await page.evaluate(() => void ask());
  const states = () => page.evaluate(() => states.join(' '));
  const all = 'connecting open gone connecting open';
  await until('a new worker', async () => (await states()) === all);
  const { nails: found } = await page.evaluate(() => ask());
  check(found >= 4, 'the new worker finds no nails');
  check(workersOf(page).every((worker) => worker !== first), 'the worker is the same');
  clean(page);
};

tests.device_worker_is_kept_for_another_camera = async ({ server }) =>
  onDevice(server, async (page) => {
    await live(page);
    const [first] = workersOf(page);
    await page.evaluate(() => part('cameras').dispatchEvent(new Event('change')));
    await until('the other camera', () => page.evaluate(() => !part('start').disabled));
    await frames(page, 2);
    const now = workersOf(page);
    check(now.length === 1 && now[0] === first, `${now.length} workers, or another one`);
    await page.evaluate(() => part('stop').click());
    await until('no worker', () => workersOf(page).length === 0);
    clean(page);
  });

// lacquer.wasm's memory reaches its final size after a few frames.
tests.device_memory_does_not_grow = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await withTransport(page);
  const after = (count) =>
    page.evaluate(async (frames) => {
      const parts = [];
      for (let i = 0; i < frames; i++) parts.push((await ask()).server);
      return { bytes: transport.memoryBytes, parts, runMs: transport.runMs };
    }, count);
  const before = await after(5);
  const found = await after(20);
  check(before.bytes > 1e6 && found.bytes === before.bytes, `${before.bytes}, ${found.bytes}`);
  const median = (name) =>
    found.parts.map((part) => part[name]).sort((a, b) => a - b)[found.parts.length >> 1];
  const names = ['decode', 'prepare', 'infer', 'nails', 'paint', 'total'];
  const ms = Object.fromEntries(names.map((name) => [name, median(name)]));
  return { bytes: found.bytes, runMs: found.runMs, ms };
};

tests.device_is_requested_by_an_attribute = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const kinds = await page.evaluate(() => {
    const kindOf = (engine) => {
      const element = document.createElement('lacquer-tryon');
      if (engine) element.setAttribute('engine', engine);
      document.body.append(element);
      const { kind } = element.app.live;
      element.remove();
      return kind;
    };
    return [kindOf('device'), kindOf('server')];
  });
  check(`${kinds}` === 'device,ws', `${kinds}`);
};

// In software a run at the usual size takes many seconds: this uses a single fingertip.
tests.device_networks_agree_on_webgpu = async ({ server }) =>
  withPage(
    server,
    'engine=server',
    async (page) => {
      const hand = fs.readFileSync(path.join(golden, 'light.jpg'), 'base64');
      const { nails: known } = JSON.parse(fs.readFileSync(path.join(golden, 'light.json')));
      const { centre } = known.find(({ finger }) => finger === 'index');
      const found = await page.evaluate(async ([text, [x, y]]) => {
        if (!navigator.gpu || !('Suspending' in WebAssembly)) return { skipped: true };
        const { Backend } = await import('/device/networks.js');
        const { DeviceFiles } = await import('/device/files.js');
        const files = await DeviceFiles.open(new URL('device/', location.href));
        const [width, height] = [96, 96];
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const context = new OffscreenCanvas(width, height).getContext('2d');
        const bitmap = await createImageBitmap(new Blob([bytes]));
        context.drawImage(bitmap, x - 80, y - 80, 160, 160, 0, 0, width, height);
        const { data } = context.getImageData(0, 0, width, height);
        const input = Float32Array.from({ length: 3 * width * height }, (_, i) => {
          const pixel = i % (width * height);
          return data[4 * pixel + Math.floor(i / (width * height))] / 255;
        });
        const maps = {};
        const ms = {};
        for (const name of ['wasm', 'webgpu']) {
          const backend = await Backend.open(name, files, { threads: 1 });
          const start = performance.now();
          [maps[name]] = await backend.run(0, input, width, height);
          ms[name] = performance.now() - start;
          await backend.close();
        }
        const most = maps.wasm.reduce((m, v, i) => Math.max(m, Math.abs(v - maps.webgpu[i])), 0);
        return { most, ms, count: maps.webgpu.length, peak: Math.max(...maps.wasm) };
      }, [hand, centre]);
      check(!found.skipped, 'this Chromium has no WebGPU or no JavaScript Promise Integration');
      check(found.count === (96 * 96) / 4, `${found.count} probabilities`);
      check(found.peak > 0.9, `no nail in the picture: highest probability ${found.peak}`);
      check(found.most < 0.005, `WebGPU differs by ${found.most}`);
      return found;
    },
    ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'],
  );

if (!built) for (const name of Object.keys(tests)) delete tests[name];
