// A French manicure live on a moving hand, on a phone's screen, with the static site alone: the
// pixels of the screen are measured, frame by frame, against the video's true nails. The test
// judges what was shown, never how long it took.
//
//   node browser-mirror.mjs URL      one line of JSON
import fs from 'node:fs';
import path from 'node:path';
import { check, launch, live, nails, open, phone, root, shade, shot, software, text, until,
  videoFrames, withCamera } from './browser-harness.mjs';

const framesLeast = 20; // minimum of pictures on the screen with nails measured
const looksLeast = 5; // minimum of detections in that time
const paintedLeast = 12; // minimum change of a nail's pixels, sum of three channels
const leadLeast = 6; // of 255; on this video the tip's band exceeds the middle's by 11 to 36

function truth() {
  const file = path.join(root, 'tests/e2e/hand-masks/frames.json');
  const { frames } = JSON.parse(fs.readFileSync(file));
  return frames.map(({ nails: list }) =>
    list.map(({ finger, base, tip, width }) => ({ finger, base, tip, width })));
}

// Runs in the page: observes the screen's canvas from now on. window.seen: for every frame shown
// {frame: of the video, nails: [{finger, tip, body, root, painted}]}. tip, body and root are the
// whiteness (the smallest channel) along the true nail from its tip to its root; painted: mean
// change of its pixels.
async function watch([pictures, nailsOf]) {
  const [width, height] = [640, 480];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const pixels = (source, mirrored) => {
    context.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? width : 0, 0);
    context.drawImage(source, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
  const original = ({ picture }) => {
    context.resetTransform();
    picture.draw(context, 'original', width, height);
    return context.getImageData(0, 0, width, height).data;
  };
  // A small grey picture with its mean and spread normalised, because the fake camera shifts the
  // range of colours.
  const signature = (data) => {
    const out = new Float32Array(80 * 60);
    for (let y = 0; y < height; y += 2)
      for (let x = 0; x < width; x += 2)
        out[(y >> 3) * 80 + (x >> 3)] += data[4 * (y * width + x) + 1];
    const mean = out.reduce((sum, v) => sum + v, 0) / out.length;
    const spread = Math.sqrt(out.reduce((sum, v) => sum + (v - mean) ** 2, 0) / out.length);
    return out.map((v) => (v - mean) / spread);
  };
  const known = [];
  for (const text of pictures) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    known.push(signature(pixels(await createImageBitmap(new Blob([bytes])), false)));
  }
  const recognise = (data) => {
    const mine = signature(data);
    const far = known.map((one) => one.reduce((sum, v, i) => sum + Math.abs(v - mine[i]), 0));
    return far.indexOf(Math.min(...far));
  };

  // Means over a band of the true nail, along it from its root (0) to its tip (1).
  const band = (data, before, { base, tip, width: wide }, from, to) => {
    const [ax, ay] = [tip[0] - base[0], tip[1] - base[1]];
    const long = Math.hypot(ax, ay);
    const [nx, ny] = [-ay / long, ax / long];
    let [white, change, count] = [0, 0, 0];
    for (let t = from; t <= to; t += 0.04)
      for (let s = -0.2; s <= 0.2; s += 0.05) {
        const x = Math.round(base[0] + t * ax + s * wide * nx);
        const y = Math.round(base[1] + t * ay + s * wide * ny);
        const at = 4 * (y * width + x);
        white += Math.min(data[at], data[at + 1], data[at + 2]);
        change += [0, 1, 2].reduce((sum, c) => sum + Math.abs(data[at + c] - before[at + c]), 0);
        count++;
      }
    return [white / count, change / count];
  };
  const measure = () => {
    const { stage } = tryon();
    const before = original(stage);
    const data = pixels(part('canvas'), stage.mirror);
    const frame = recognise(before);
    const list = nailsOf[frame].map((nail) => {
      const [tip, atTip] = band(data, before, nail, 0.84, 0.94);
      const [body, atBody] = band(data, before, nail, 0.35, 0.65);
      const [root, atRoot] = band(data, before, nail, 0.06, 0.16);
      const [tipBefore] = band(before, before, nail, 0.84, 0.94);
      const [rootBefore] = band(before, before, nail, 0.06, 0.16);
      const painted = Math.min(atTip, atBody, atRoot);
      return { finger: nail.finger, tip, body, root, painted, tipBefore, rootBefore };
    });
    return { frame, nails: list };
  };
  window.seen = [];
  window.looks = 0;
  window.drawn = 0;
  window.since = 0;
  window.longest = 0; // maximum number of pictures between two detections
  const { stats } = tryon();
  const { add, drawn } = stats;
  stats.add = function (...args) {
    window.looks++;
    window.since = 0;
    return add.apply(this, args);
  };
  // Called after each picture that is shown.
  stats.drawn = function () {
    window.drawn++;
    window.longest = Math.max(window.longest, ++window.since);
    // Measuring takes longer than showing, so the pictures in between are skipped.
    if (window.drawn % 5 === 0 && tryon().live.picture?.scene) window.seen.push(measure());
    return drawn.call(this);
  };
}

// Whether the light band lies on the tip's side or on the cuticle's; neither if the polish lags
// behind.
const onTip = (nail) => nail.tip > nail.body + leadLeast && nail.tip > nail.root + leadLeast;
const onRoot = (nail) => nail.root > nail.body + leadLeast && nail.root > nail.tip + leadLeast;

// Waits until enough pictures were shown, as long as more come, however slow the machine is.
async function pictures(page) {
  const count = () => page.evaluate(() => [window.seen.length, window.looks]);
  let [shown, looks] = await count();
  while (shown < framesLeast || looks < looksLeast) {
    const before = `${shown} ${looks}`;
    [shown, looks] = await until(
      `more than ${shown} pictures and ${looks} detections`,
      async () => {
        const now = await count();
        return now.join(' ') !== before && now;
      },
    );
  }
}

async function run(browser, url) {
  const page = await open(browser, url, { ...phone, permissions: ['camera'], device: true });
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await shade(page, 'Ballet Slipper');
  await page.click('#tabs button[data-open=art]');
  await page.selectOption('#art', 'french');
  await live(page);
  await until('a hand', async () => (await nails(page)) >= 4);
  await page.evaluate(watch, [videoFrames(), truth()]);
  await pictures(page);
  await shot(page, 'mirror-phone');
  const found = await page.evaluate(() => {
    const { seen, looks, drawn, longest } = window;
    return { seen, looks, drawn, longest };
  });
  return { ...found, sockets, link: await text(page, '#link-text'), faults: page.faults };
}

// Properties that all shown pictures must have together.
function judge({ seen, looks, drawn, longest, sockets, link, faults }) {
  const all = seen.flatMap(({ frame, nails: list }) => list.map((nail) => ({ frame, ...nail })));
  const worn = all.filter(({ painted }) => painted > paintedLeast);
  const wrong = worn.filter(onRoot);
  const right = worn.filter(onTip);
  const places = new Set(seen.map(({ frame }) => frame)).size;
  const figures = {
    ...{ looks, drawn, longest, places, link, nails: all.length, worn: worn.length },
    ...{ right: right.length, wrong: wrong.length },
  };
  const told = JSON.stringify({ ...figures, wrong: wrong.slice(0, 4) });
  check(places >= 15, `the hand hardly moved: ${told}`);
  // On a busy machine, polish that lags behind does not cover its nail; such nails are not judged.
  check(worn.length >= 0.3 * all.length, `most nails are bare: ${told}`);
  check(right.length >= 0.6 * worn.length, `no light tips: ${told}`);
  check(wrong.length === 0, `tips at the cuticle: ${told}`);
  check(longest >= 2, `no picture between two detections: ${told}`);
  check(/^On this device|^This device/.test(link), `the page shows ${link}`);
  check(sockets.length === 0, `a socket to ${sockets}`);
  check(faults.length === 0, `errors on the page: ${faults.join(' | ')}`);
  return figures;
}

const browser = await launch([...software, withCamera]);
try {
  console.log(JSON.stringify({ ok: true, detail: judge(await run(browser, process.argv[2])) }));
} catch (error) {
  console.log(JSON.stringify({ ok: false, error: String(error.stack ?? error) }));
} finally {
  await browser.close();
}
