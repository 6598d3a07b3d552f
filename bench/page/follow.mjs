// Measures what the page's main thread spends on a camera frame while the server detects nails:
// reading the frame and tracking five nails into it, and taking over a reply's nails. Graphics are
// switched off, so that the figures contain no time of a driver. Prints one JSON line in ms.
//
//   node bench/page/follow.mjs [FRAMES]
import { Server, launch, open, withCamera } from '../../tests/e2e/browser-harness.mjs';

// Runs in the page.
async function measure(count) {
  const [{ Follower }, { Encoder }, { Look }, { WsTransport }] = await Promise.all(
    ['/follow/follower.js', '/live/encoder.js', '/look/look.js',
     '/live/transport-ws.js'].map((it) => import(it)),
  );
  const { camera } = tryon();
  await camera.start({});
  const follower = new Follower();
  const encoder = new Encoder();
  const transport = new WsTransport(new Look('bench'), location.href);
  await new Promise((resolve) => {
    transport.onstate = (state) => state === 'open' && resolve();
    transport.open();
  });
  const spent = { frame: [], reply: [] };
  const timed = (list, run) => {
    const start = performance.now();
    run();
    list.push(performance.now() - start);
  };
  let busy = false;
  let nails = 0;
  for (let i = 1; i <= count; i++) {
    const at = await new Promise((resolve) => camera.next(resolve));
    timed(spent.frame, () => follower.see(camera.video, at));
    if (busy || i % 2) continue; // a server at half the camera's rate
    busy = true;
    const mark = follower.mark();
    transport.onreply = ({ scene }) => {
      timed(spent.reply, () => follower.take(scene, mark));
      nails = Math.max(nails, scene.nails.length);
      busy = false;
    };
    transport.send(i, await encoder.encode(camera.video, 0.8), true);
  }
  transport.close();
  const figures = (list) => {
    const sorted = [...list].sort((a, b) => a - b);
    const part = (p) => Number(sorted[Math.floor(p * (sorted.length - 1))].toFixed(2));
    return { count: list.length, least: part(0), quarter: part(0.25), median: part(0.5) };
  };
  return { nails, frame: figures(spent.frame), reply: figures(spent.reply) };
}

const server = await new Server().start();
const browser = await launch([withCamera]);
try {
  const page = await open(browser, server.url);
  const figures = await page.evaluate(measure, Number(process.argv[2] ?? 150));
  console.log(JSON.stringify({ browser: browser.version(), ...figures }));
} finally {
  await browser.close();
  await server.kill();
}
