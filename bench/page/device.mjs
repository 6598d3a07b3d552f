// Measures the page's on-device detection in headless Chromium, with a moving hand as the camera,
// some seconds after the first painted picture: until then the browser optimises the runtime.
// Prints one line of JSON: detections a second (fps) and their latency, pictures shown a second and
// the time of the page's main thread for each, the bytes that a first visitor downloads, and
// finder_fps: detections a second while nothing is painted or shown. If that is not possible,
// prints {"reason"}.
//
//   node bench/page/device.mjs wasm|webgpu [SECONDS] [phone]      phone: on a screen of its size
//   taskset -c 1 node bench/page/device.mjs wasm 8 phone    all on one core: the camera's decoder,
//                                                           the network, tracking, painting and
//                                                           software rendering; server and driver
const [backend = 'wasm', seconds = '5', screen = ''] = process.argv.slice(2);
const patienceMs = 240000;
const settleMs = 5000;

// Runs in the page: records how old each detection's picture is when its nails are shown.
function note() {
  const { stats } = tryon();
  const { add } = stats;
  window.detections = [];
  stats.add = function (frame, ...rest) {
    window.detections.push(frame.shown - frame.start);
    return add.call(this, frame, ...rest);
  };
  const { drawn } = stats;
  window.drawn = 0;
  stats.drawn = function () {
    window.drawn++;
    return drawn.call(this);
  };
}

async function threadMs(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  return 1000 * metrics.find(({ name }) => name === 'TaskDuration').value;
}

// Runs in the page: detects in one frame after another, as fast as camera and detector allow, while
// nothing is tracked, painted or shown. Returns detections a second.
async function findAlone(seconds) {
  const { live, camera } = tryon();
  const { transport } = live;
  const { video } = camera;
  const next = () => new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  camera.next = () => {}; // the page's own loop ends
  await next();
  const [width, height] = [640, Math.round((640 * video.videoHeight) / video.videoWidth)];
  let detections = 0;
  transport.onreply = () => detections++;
  let id = 1e6;
  const send = () => transport.send(id++, { frame: new VideoFrame(video), width, height });
  const wait = async (ms) => {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      await next();
      send();
    }
  };
  await wait(1000);
  detections = 0;
  const began = performance.now();
  await wait(1000 * seconds);
  return (1000 * detections) / (performance.now() - began);
}

// Size of the files that this backend needs, as the server sends them to browsers.
async function bytesOf(url) {
  const { files } = await (await fetch(`${url}device/device.json`)).json();
  const of = (name) => !name.startsWith('ort') ||
    name.startsWith(backend === 'webgpu' ? 'ort-webgpu.' : 'ort.');
  const rows = Object.entries(files).filter(([name]) => of(name));
  return rows.reduce((sum, [, { br, bytes }]) => sum + (br ?? bytes), 0);
}

async function measure(page, session) {
  await page.evaluate(() => {
    window.detections.length = window.drawn = 0;
  });
  const before = await threadMs(session);
  const began = Date.now();
  await page.waitForTimeout(1000 * Number(seconds));
  const passed = (Date.now() - began) / 1000;
  const busy = (await threadMs(session)) - before;
  const [detections, drawn] = await page.evaluate(() => [window.detections, window.drawn]);
  if (!detections.length) return { reason: `no nails came within ${passed.toFixed(0)} s` };
  const sorted = detections.toSorted((a, b) => a - b);
  const part = (p) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * p) - 1)];
  return {
    fps: detections.length / passed,
    replies: detections.length,
    p50_ms: part(0.5),
    p95_ms: part(0.95),
    p99_ms: part(0.99),
    display_fps: drawn / passed,
    thread_ms: busy / Math.max(1, drawn),
  };
}

async function run({ Server, launch, live, open, phone, software, withCamera }) {
  const options = screen === 'phone' ? { ...phone, deviceScaleFactor: 2 } : {};
  const gpu = backend === 'webgpu' ? ['--enable-unsafe-webgpu'] : [];
  const server = await new Server().start();
  const browser = await launch([...gpu, ...software, withCamera]);
  try {
    const info = await (await fetch(`${server.url}api/v1/info.json`)).json();
    if (!info.device) return { reason: "the page's own engine is not built (make device)" };
    const page = await open(browser, `${server.url}?engine=device&backend=${backend}`,
      { device: true, permissions: ['camera'], ...options });
    const adapter = await page.evaluate(async () => {
      const found = await navigator.gpu?.requestAdapter().catch(() => null);
      return found && !(found.info?.isFallbackAdapter ?? found.isFallbackAdapter);
    });
    if (backend === 'webgpu' && !adapter) return { reason: 'Chromium finds no GPU here' };
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    await page.evaluate(note);
    await live(page, patienceMs);
    await page.waitForTimeout(settleMs);
    const shown = await measure(page, session);
    if (shown.reason) return shown;
    const alone = await page.evaluate(findAlone, Number(seconds));
    return { ...shown, finder_fps: alone, bytes: await bytesOf(server.url) };
  } finally {
    await browser.close();
    await server.kill();
  }
}

try {
  // Imported here, because the driver (playwright-core) may be missing.
  console.log(JSON.stringify(await run(await import('../../tests/e2e/browser-harness.mjs'))));
} catch (error) {
  const missing = /Cannot find package|ENOENT|executable doesn't exist/i.test(error.message);
  const [line] = error.message.split('\n');
  const reason = missing ? 'Chromium or its driver is missing (tools/setup.sh test)' : line;
  console.log(JSON.stringify({ reason }));
}
