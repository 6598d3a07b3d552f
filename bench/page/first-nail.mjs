// Measures the time from the press of "Start" until polish is drawn on a nail: on a phone's screen,
// with a moving hand as the fake camera. Prints a Markdown table of medians.
//
//   node bench/page/first-nail.mjs [RUNS]      RUNS starts, each in a new page (5)
import { Server, launch, withCamera } from '../../tests/e2e/browser-harness.mjs';

const runs = Number(process.argv[2] ?? 5);
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true };
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

// Runs in the page: ms from the press to the camera's first frame and to the first nail drawn.
function timeStart() {
  const app = document.querySelector('lacquer-tryon').shadowRoot;
  const { dataset } = app.querySelector('.stage canvas');
  const video = app.getElementById('video');
  const pressed = performance.now();
  const times = {};
  video.addEventListener('loadeddata', () => (times.camera ??= performance.now() - pressed));
  app.getElementById('start').click();
  return new Promise((done) => {
    const look = () => {
      if (Number(dataset.nails) > 0) done({ ...times, nail: performance.now() - pressed });
      else requestAnimationFrame(look);
    };
    look();
  });
}

const server = await new Server().start();
const browser = await launch([withCamera]);
const times = [];
for (let i = 0; i < runs; i++) {
  const context = await browser.newContext({ ...phone, permissions: ['camera'] });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.waitForTimeout(1000); // time in which a user reads the page
  times.push(await page.evaluate(timeStart));
  await context.close();
}
console.log('| from the press of Start to | median, s | slowest, s |\n|---|---|---|');
for (const [name, of] of [['the camera', (t) => t.camera],
                          ['the first painted nail', (t) => t.nail]])
  console.log(
    `| ${name} | ${(median(times.map(of)) / 1000).toFixed(2)} | ` +
      `${(Math.max(...times.map(of)) / 1000).toFixed(2)} |`,
  );
await browser.close();
await server.kill();
