// Measures how the page draws polish, finish by finish, while the server replies 15 times a second:
// the time that the page's main thread spends on painting a picture (passing the frame to the
// graphics and issuing all calls), and pictures shown a second. Without a GPU, graphics run in
// software that shares the processor with everything else: pictures a second then measure the
// software, while the thread's time is comparable on any machine. Prints a Markdown table.
//
//   node bench/page/display.mjs [SECONDS] [FINISH...]
import { Server, isLive, launch, live, open, sleep, software, withCamera }
  from '../../tests/e2e/browser-harness.mjs';

const SERVER_FPS = 15;
const seconds = Number(process.argv[2] ?? 6);
const chosen = process.argv.slice(3);

// Runs in the page before its own scripts: makes the server appear to request this rate.
function slow(fps) {
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      const data = JSON.stringify({ type: 'pace', fps });
      this.addEventListener('message', (event) => {
        const paced = typeof event.data === 'string' && JSON.parse(event.data).type === 'pace';
        if (paced && event.data !== data) event.stopImmediatePropagation();
      });
      setInterval(() => this.dispatchEvent(new MessageEvent('message', { data })), 500);
    }
  };
}

// Runs in the page: measures the time that painting takes on its thread.
async function prepare() {
  const { Painter } = await import('/paint/painter.js');
  const { frameBudget } = tryon().live;
  frameBudget.fpsLeast = 0;
  // Every picture is painted, as with a GPU.
  Object.defineProperty(frameBudget, 'propagates', { get: () => false, set: () => {} });
  window.replies = window.uploaded = 0;
  window.spent = [];
  const timed = (of, name, then) => {
    const run = of[name];
    of[name] = function (...args) {
      const start = performance.now();
      const result = run.apply(this, args);
      then(performance.now() - start);
      return result;
    };
  };
  timed(Painter.prototype, 'setFrame', (ms) => {
    window.uploaded = ms;
  });
  timed(Painter.prototype, 'paint', (ms) => window.spent.push(window.uploaded + ms));
  const { LivePicture } = await import('/live/live-picture.js');
  timed(LivePicture.prototype, 'setScene', () => window.replies++);
}

async function watch(page, finish) {
  await page.check(`input[name=finish][value=${finish}]`, { force: true });
  await sleep(1500); // shaders are built
  await page.evaluate(() => {
    window.spent.length = window.replies = 0;
  });
  const start = Date.now();
  await sleep(1000 * seconds);
  const [spent, replies] = await page.evaluate(() => [window.spent, window.replies]);
  const passed = (Date.now() - start) / 1000;
  const sorted = spent.toSorted((a, b) => a - b);
  const part = (p) => (sorted[Math.floor(p * (sorted.length - 1))] ?? NaN).toFixed(1);
  const rate = (count) => (count / passed).toFixed(1);
  return `| ${finish} | ${rate(spent.length)} | ${rate(replies)} | ${part(0.5)} | ${part(0.95)} |`;
}

const server = await new Server().start();
const browser = await launch([...software, withCamera]);
try {
  const page = await open(browser, server.url, { modules: true });
  await page.addInitScript(slow, SERVER_FPS);
  await page.reload();
  await page.waitForSelector('.swatch');
  const all = await page.$$eval('input[name=finish]', (list) => list.map(({ value }) => value));
  await page.evaluate(prepare);
  await live(page);
  await isLive(page);
  console.log('| finish | pictures a s | replies a s ' +
              '| painting, ms of the thread a picture | p95 |');
  console.log('|---|---|---|---|---|');
  for (const finish of chosen.length ? chosen : all) console.log(await watch(page, finish));
} finally {
  await browser.close();
  await server.kill();
}
