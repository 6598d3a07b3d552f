// Nails found by the page itself (docs/DEVICE.md): polish on the hand with no picture sent, a worker
// that is killed and comes back, memory that stays, WebGPU's figures against WebAssembly's.
import {
  check,
  clean,
  frames,
  freeze,
  launch,
  live,
  nails,
  open,
  state,
  until,
  withCamera,
} from './browser-harness.mjs';
import { keepBoth, measure, whichFrame } from './browser-pixels.mjs';

export const tests = {};

const software = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];
const quietly = /GL Driver Message/; // says that reading pixels back is slow: only tests do

async function withPage(server, query, run, flags = []) {
  const browser = await launch([...software, withCamera, ...flags]);
  try {
    const page = await open(browser, `${server.url}?${query}`);
    page.sockets = 0;
    page.on('websocket', () => page.sockets++);
    return await run(page);
  } finally {
    await browser.close();
  }
}

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
    await live(page);
    await frames(page, 6, 60000);
    await until('most of a hand', async () => (await nails(page)) >= 4, 30000);
    await freeze(page);
    check((await page.evaluate(() => tryon().live.kind)) === 'device', 'another engine is at work');
    await keepBoth(page);
    const mask = await whichFrame(page);
    const found = await measure(page, mask, '#00c853');
    check(found.moved > 0.6, `of the nails' pixels ${found.moved} wear the polish`);
    check(found.outside < 1.5, `beside the nails pixels changed by ${found.outside}`);
    check(sent.length === 0, `sent: ${sent}`);
    check(page.sockets === 0, 'a WebSocket was opened');
    const { bytesUp, parts } = await page.evaluate(() => tryon().stats.summary());
    check(bytesUp === 0, `${bytesUp} bytes went up`);
    clean(page, quietly);
    return { ...found, parts };
  });

tests.device_worker_that_is_killed_comes_back = async ({ server }) =>
  onDevice(server, async (page) => {
    await live(page);
    const [first] = page.workers().filter((worker) => /\/worker-/.test(worker.url()));
    check(first, `no worker of ours among ${page.workers().map((worker) => worker.url())}`);
    await first.evaluate(() => self.close());
    await until('the loss to be seen', async () => (await state(page)) !== 'live', 30000);
    await until('a live picture again', async () => (await state(page)) === 'live', 60000);
    await frames(page, 2, 30000);
    const others = page.workers().filter((worker) => /\/worker-/.test(worker.url()));
    check(others.some((worker) => worker !== first), 'the worker is the same');
    clean(page, quietly);
  });

// lacquer.wasm's memory has its largest frame's size after a few of them.
tests.device_memory_stays = async ({ server }) =>
  onDevice(server, async (page) => {
    await live(page);
    await frames(page, 8, 60000);
    const bytes = () => page.evaluate(() => tryon().live.transport.memoryBytes);
    const before = await bytes();
    await frames(page, 40, 120000);
    const after = await bytes();
    check(before > 1e6 && after === before, `from ${before} to ${after} bytes`);
    return { before, after };
  });

tests.device_is_asked_for_by_an_attribute = async ({ server }) =>
  onDevice(server, async (page) => {
    const kinds = await page.evaluate(() => {
      history.replaceState(null, '', '?');
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
  });

// In software a run takes many seconds: one alone.
tests.device_networks_agree_on_webgpu = async ({ server }) =>
  withPage(
    server,
    'engine=server',
    async (page) => {
      const found = await page.evaluate(async () => {
        if (!navigator.gpu || !('Suspending' in WebAssembly)) return { skipped: true };
        const { Backend } = await import('/device/networks.js');
        const { DeviceFiles } = await import('/device/files.js');
        const files = await DeviceFiles.open(new URL('device/', location.href));
        const [width, height] = files.manifest.nails.sizes[0];
        const input = Float32Array.from({ length: 3 * width * height }, (_, i) =>
          0.5 + 0.5 * Math.sin(i * 0.013) * Math.cos(i * 0.00017),
        );
        const maps = {};
        const ms = {};
        for (const name of ['wasm', 'webgpu']) {
          const backend = await Backend.open(name, files, { threads: 1, hand: false });
          const start = performance.now();
          [maps[name]] = await backend.run(0, input, width, height);
          ms[name] = performance.now() - start;
          await backend.close();
        }
        const most = maps.wasm.reduce((m, v, i) => Math.max(m, Math.abs(v - maps.webgpu[i])), 0);
        return { most, ms, count: maps.webgpu.length, peak: Math.max(...maps.wasm) };
      });
      check(!found.skipped, 'this Chromium has no WebGPU, or nothing to wait for it with');
      check(found.count === (384 * 288) / 4, `${found.count} probabilities`);
      check(found.most < 0.005, `WebGPU is off by ${found.most}`);
      return found;
    },
    ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'],
  );
