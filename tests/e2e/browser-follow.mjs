// Measures the distance of the polish drawn in the page from the true nails of a moving hand: the
// video's frames and masks are loaded into the page, each drawn frame is recognised, and outlines
// are compared.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { root, videoFrames } from './browser-harness.mjs';

const masks = path.join(root, 'tests/e2e/hand-masks');

// Relays bytes between clients and a server's port, delayed by that time in each direction.
export class SlowProxy {
  #server;
  #sockets = new Set();
  port = 0;

  constructor(target, delayMs) {
    const later = (from, to) => {
      from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), delayMs));
      from.on('end', () => setTimeout(() => to.end(), delayMs));
      from.on('error', () => to.destroy());
    };
    this.#server = net.createServer((client) => {
      const up = net.connect(target, '127.0.0.1');
      for (const socket of [client, up]) {
        socket.setNoDelay(true);
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
      }
      later(client, up);
      later(up, client);
    });
  }

  async start() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.port = this.#server.address().port;
    return this;
  }

  stop() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

// Puts window.measureDrawn into the page: compares the currently drawn frame with the truth.
export async function loadTruth(page) {
  const { frames } = JSON.parse(fs.readFileSync(path.join(masks, 'frames.json')));
  const boxes = frames.map(({ nails }) => nails.map(({ finger, box }) => ({ finger, box })));
  const truth = videoFrames().map((jpeg, i) => ({
    jpeg,
    mask: fs.readFileSync(path.join(masks, `${String(i).padStart(4, '0')}.png`), 'base64'),
    nails: boxes[i],
  }));
  await page.evaluate(install, truth);
}

// Runs in the page.
async function install(truth) {
  const [width, height] = [640, 480];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const pixels = (source) => {
    context.drawImage(source, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
  const pixelsOf = (picture, version) => {
    picture.draw(context, version, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
  const decode = (text) =>
    createImageBitmap(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]));
  // A small grey picture with its mean and spread normalised, because the fake camera shifts the
  // range of colours.
  const signature = (data) => {
    const out = new Float32Array(80 * 60);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        out[(y >> 3) * 80 + (x >> 3)] += data[4 * (y * width + x) + 1] / 64;
    const mean = out.reduce((sum, v) => sum + v, 0) / out.length;
    const spread = Math.sqrt(out.reduce((sum, v) => sum + (v - mean) ** 2, 0) / out.length);
    return out.map((v) => (v - mean) / spread);
  };
  const outline = (inside, [left, top, right, bottom], reach) => {
    const points = [];
    const x0 = Math.max(1, left - reach);
    const x1 = Math.min(width - 2, right + reach);
    const y0 = Math.max(1, top - reach);
    const y1 = Math.min(height - 2, bottom + reach);
    for (let y = y0; y <= y1; y++)
      for (let x = x0; x <= x1; x++) {
        const at = y * width + x;
        const edge = !inside[at - 1] || !inside[at + 1] || !inside[at - width] ||
            !inside[at + width];
        if (inside[at] && edge) points.push([x, y]);
      }
    return points;
  };
  const nearest = (from, to) =>
    from.reduce(
      (sum, [x, y]) => sum + Math.min(...to.map(([u, v]) => Math.hypot(x - u, y - v))),
      0,
    ) / from.length;

  const video = [];
  for (const { jpeg, mask, nails } of truth) {
    const data = pixels(await decode(mask));
    video.push({
      signature: signature(pixels(await decode(jpeg))),
      inside: Uint8Array.from({ length: width * height }, (_, i) => (data[4 * i] > 127 ? 1 : 0)),
      nails,
    });
  }

  const recognise = (before) => {
    const mine = signature(before);
    let best = { index: -1, difference: Infinity };
    video.forEach((frame, index) => {
      let sum = 0;
      for (let i = 0; i < mine.length; i++) sum += Math.abs(frame.signature[i] - mine[i]);
      if (sum < best.difference) best = { index, difference: sum };
    });
    return { index: best.index, difference: best.difference / mine.length };
  };

  // Mean distance of outlines in pixels for every nail that is drawn; missed: true nails that are
  // not drawn; ghosts: drawn pixels far from every true nail.
  const compare = (before, after, index) => {
    const drawn = new Uint8Array(width * height);
    for (let i = 0; i < drawn.length; i++) {
      const at = 4 * i;
      const change =
        Math.abs(after[at] - before[at]) +
        Math.abs(after[at + 1] - before[at + 1]) +
        Math.abs(after[at + 2] - before[at + 2]);
      drawn[i] = change > 180 ? 1 : 0;
    }
    const { inside, nails } = video[index];
    const distances = [];
    let missed = 0;
    for (const { finger, box } of nails) {
      const wanted = outline(inside, box, 1);
      const found = outline(drawn, box, 9);
      if (found.length < 8) missed++;
      else
        distances.push({
          finger,
          distance: (nearest(wanted, found) + nearest(found, wanted)) / 2,
        });
    }
    let ghosts = 0;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        if (!drawn[y * width + x]) continue;
        const near = nails.some(
          ({ box: [l, t, r, b] }) => x > l - 14 && x < r + 14 && y > t - 14 && y < b + 14,
        );
        if (!near) ghosts++;
      }
    return { frame: index, distances, missed, ghosts };
  };

  // What the page currently shows.
  window.measureDrawn = () => {
    const { picture } = tryon().stage;
    const before = pixelsOf(picture, 'original');
    const { index, difference } = recognise(before);
    return { ...compare(before, pixelsOf(picture, 'painted'), index), difference };
  };

  // Plays the video frame by frame through the page's own parts, with replies of the real server
  // that arrive `late` frames after their frames. Every second frame is sent, so the server runs at
  // 15 FPS. Uses the first `count` frames. propagates: polish is painted only from time to time
  // (live/layers.js).
  window.measureVideo = async (late, follows, count, propagates = false) => {
    const { Follower } = await import('/follow/follower.js');
    const { LivePicture } = await import('/live/live-picture.js');
    const { Painter } = await import('/paint/painter.js');
    const { LookStore } = await import('/look/look.js');
    const { WsTransport } = await import('/live/transport-ws.js');
    const lookStore = new LookStore();
    lookStore.main.set({ color: '#00ff00', finish: 'matte', sheen: false, texture: 0 });
    const painter = new Painter();
    const follower = new Follower();
    const picture = new LivePicture({ painter, lookStore, follower });
    picture.propagates = propagates;
    const transport = new WsTransport(lookStore.main, location.href);
    await new Promise((resolve) => {
      transport.onstate = (state) => state === 'open' && resolve();
      transport.open();
    });
    const video = Object.assign(document.createElement('canvas'), { width, height });
    Object.assign(video, { videoWidth: width, videoHeight: height });
    const screen = video.getContext('2d');
    const ask = (id, jpeg) =>
      new Promise((resolve, reject) => {
        transport.onreply = resolve;
        transport.onerror = ({ error }) => reject(new Error(error));
        transport.send(id, jpeg, true);
      });
    const waiting = [];
    const results = [];
    for (let i = 0; i < count; i++) {
      const jpeg = Uint8Array.from(atob(truth[i].jpeg), (c) => c.charCodeAt(0));
      screen.drawImage(await createImageBitmap(new Blob([jpeg])), 0, 0);
      picture.setFrame(video, (i * 1000) / 30 + 1);
      if (i % 2 === 0)
        waiting.push({ mark: picture.mark(), due: i + late, ...(await ask(i + 1, jpeg)) });
      if (waiting[0]?.due === i) {
        const { scene, mark } = waiting.shift();
        picture.setScene(scene, mark);
      }
      if (!follows)
        follower.now = ({ center }) => ({ back: [1, 0, 0, 0, 1, 0], center, fade: 1 });
      if (picture.scene)
        results.push(
          compare(pixelsOf(picture, 'original'), pixelsOf(picture, 'painted'), i),
        );
    }
    transport.close();
    painter.close();
    results[0].paintings = picture.paintings;
    return results;
  };

  // Plays the video through live.js itself, one frame after the other as from a camera, however
  // long each takes. Replies of the real server are held back and released together at every
  // `every`th frame. → {drawn, replies, results, work}
  window.measureThroughLive = async (count, every) => {
    const { Live } = await import('/live/live.js');
    const { Stats } = await import('/live/stats.js');
    const { LookStore } = await import('/look/look.js');
    const held = [];
    window.VideoFrame = undefined; // its constructor needs a timestamp for a canvas
    window.WebSocket = class extends WebSocket {
      set onmessage(take) {
        super.onmessage = (event) =>
          typeof event.data === 'string' ? take(event) : held.push(() => take(event));
      }
    };
    const lookStore = new LookStore();
    lookStore.main.set({ color: '#00ff00', finish: 'matte', sheen: false, texture: 0 });
    const video = Object.assign(document.createElement('canvas'), { width, height });
    Object.assign(video, { videoWidth: width, videoHeight: height });
    let next;
    const camera = { video, running: true, next: (callback) => (next = callback) };
    const work = []; // ms of the page's main thread per frame; the GPU's work comes after it
    let [drawn, replies, picture] = [0, 0, null];
    const show = (shown) => {
      picture = shown;
      drawn++;
    };
    const stage = {
      wantsOriginal: false,
      show,
      draw: () => {},
      get picture() {
        return picture;
      },
    };
    const live = new Live({ camera, stage, stats: new Stats(), lookStore, base: location.href });
    live.frameBudget.fpsLeast = 0;
    live.onframe = () => replies++;
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const give = async (i, at) => {
      const bytes = Uint8Array.from(atob(truth[i].jpeg), (c) => c.charCodeAt(0));
      video.getContext('2d').drawImage(await createImageBitmap(new Blob([bytes])), 0, 0);
      const start = performance.now();
      next((at * 1000) / 30 + 1);
      if (picture) picture.draw(context, 'painted', width, height);
      work.push(performance.now() - start);
      await pause(15);
    };
    live.start();
    let at = 0;
    while (!held.length) await give(0, at++); // until replies contain nails
    [drawn, replies, work.length] = [0, 0, 0];
    const results = [];
    for (let i = 1; i <= count; i++) {
      await give(i, at++);
      if (i % every === 0) {
        while (!held.length) await pause(5);
        held.splice(0).forEach((take) => take());
      }
      if (picture.scene)
        results.push(
          compare(pixelsOf(picture, 'original'), pixelsOf(picture, 'painted'), i),
        );
    }
    live.stop();
    picture.graphics.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext();
    work.sort((a, b) => a - b);
    return { drawn, replies, results, work: { least: work[0], median: work[work.length >> 1] } };
  };
}

// Summarises the results of measureDrawn or measureVideo.
export function summary(all) {
  const distances = all.flatMap((result) => result.distances.map(({ distance }) => distance));
  const sorted = [...distances].sort((a, b) => a - b);
  return {
    mean: distances.reduce((sum, v) => sum + v, 0) / distances.length,
    p95: sorted[Math.floor(sorted.length * 0.95)],
    nails: distances.length,
    missed: all.reduce((sum, { missed }) => sum + missed, 0),
    ghosts: Math.max(...all.map(({ ghosts }) => ghosts)),
    frames: new Set(all.map(({ frame }) => frame)).size,
    paintings: all[0].paintings,
  };
}

// Measures that many frames of the live page, as they come.
export const measureLive = (page, count) =>
  page.evaluate(async (wanted) => {
    const results = [];
    const { video } = tryon().camera;
    while (results.length < wanted) {
      // Lets the page's own work proceed.
      for (let i = 0; i < 4; i++)
        await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
      if (tryon().live.picture?.scene) results.push(window.measureDrawn());
    }
    return results;
  }, count);
