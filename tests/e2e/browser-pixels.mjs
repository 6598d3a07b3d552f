// Pixel measures, taken inside the page: the painted pixels against the true nails of the picture.
import fs from 'node:fs';
import path from 'node:path';
import { check, root, setRange, until, videoFrames } from './browser-harness.mjs';

const masks = path.join(root, 'tests/e2e/hand-masks');

// Stores the canvas as it is drawn now under a name in the page.
export async function keep(page, name) {
  await page.evaluate((key) => {
    window.kept ??= {};
    window.kept[key] = shownPixels();
  }, name);
}

// Stores painted and original of the frozen picture in the page as kept.painted and kept.before.
export async function keepBoth(page) {
  if ((await page.getAttribute('#compare', 'aria-pressed')) !== 'true')
    await page.click('#compare');
  await setRange(page, '#split', 0);
  await keep(page, 'painted');
  await setRange(page, '#split', 100);
  await until('the original to be drawn', async () => {
    await keep(page, 'before');
    return page.evaluate(() =>
      window.kept.before.data.some((v, i) => v !== window.kept.painted.data[i]),
    );
  });
  await page.click('#compare');
}

// Finds the frame of the video that the stored original shows: the nearest at an eighth of the
// size. Chromium's fake camera shifts the range of colours, so each channel's mean and spread are
// normalised.
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
        const spread = Math.sqrt(
          values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length,
        );
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
  }, videoFrames());
  check(
    found.difference < 0.1,
    `the picture is not a frame of the video (${found.difference.toFixed(2)})`,
  );
  return path.join(masks, `${String(found.index).padStart(4, '0')}.png`);
}

// How the stored pictures differ inside and outside the true nails. moved: the share of nail pixels
// that came at least a third nearer to the colour; outside: mean change more than 6 pixels away
// from any nail.
export async function measure(page, maskFile, color) {
  return page.evaluate(
    async ([text, hex]) => {
      const { painted, before } = window.kept;
      const { width, height } = painted;
      const file = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      const context = new OffscreenCanvas(width, height).getContext('2d');
      context.drawImage(await createImageBitmap(new Blob([file])), 0, 0, width, height);
      const mask = context.getImageData(0, 0, width, height).data;
      const near = new Uint8Array(width * height);
      const reach = Math.round((6 * width) / 640);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          if (mask[4 * (y * width + x)] < 128) continue;
          for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++) {
            near.fill(
              1,
              v * width + Math.max(0, x - reach),
              v * width + Math.min(width, x + reach + 1),
            );
          }
        }
      const wanted = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
      const distance = (data, at) => Math.hypot(...wanted.map((c, i) => data[at + i] - c));
      const total = { nail: 0, moved: 0, far: 0, change: 0, sum: [0, 0, 0] };
      for (let i = 0; i < width * height; i++) {
        const at = 4 * i;
        if (mask[at] > 127) {
          total.nail++;
          if (distance(painted.data, at) < (distance(before.data, at) * 2) / 3) total.moved++;
          for (let c = 0; c < 3; c++) total.sum[c] += painted.data[at + c];
        } else if (!near[i]) {
          total.far++;
          for (let c = 0; c < 3; c++)
            total.change += Math.abs(painted.data[at + c] - before.data[at + c]) / 3;
        }
      }
      return {
        moved: total.moved / total.nail,
        outside: total.change / total.far,
        mean: total.sum.map((v) => v / total.nail),
      };
    },
    [fs.readFileSync(maskFile).toString('base64'), color],
  );
}
