// The page as others' pages, phones and slow networks meet it: how it loads, links to looks,
// sharing, installing, events, and how shops' pages of several kinds take it in.
import { check, open, text } from './browser-harness.mjs';
import { load } from './browser-network.mjs';

export const tests = {};

// Each answer waits a second, so that what is asked for together is told from what comes later.
tests.page_comes_in_three_waves = async ({ browser, server }) => {
  const slow = { latencyMs: 1000, kbit: 1638 };
  const { requests, waves, bytes, firstPaintMs } = await load(browser, server.url, slow);
  const list = requests.map(({ url, wave }) => `${wave} ${url.replace(server.url, '/')}`);
  check(waves <= 3, `${waves} waves: ${list.join(', ')}`);
  check(requests.length <= 14, `${requests.length} requests: ${list.join(', ')}`);
  check(bytes <= 150000, `${bytes} bytes before the camera`);
  // Painted with what came first: no later answer can have been there.
  const later = requests.filter(({ wave, end }) => wave > 1 && end);
  const second = Math.min(...later.map(({ end }) => end));
  const secondMs = 1000 * (second - requests[0].start);
  check(firstPaintMs < secondMs, `painted after ${firstPaintMs} ms, the rest from ${secondMs}`);
  const hashed = requests.filter(({ url }) => /-\w{8,10}\.(js|css)$/.test(url));
  check(hashed.length >= 2, `no hashed files: ${list.join(', ')}`);
  return { waves, requests: requests.length, bytes };
};

// A stub from before an update names a bundle that is gone: the single modules take its place.
tests.an_update_breaks_no_page = async ({ browser, server }) => {
  const context = { locale: 'de-DE' };
  const gone = await (await fetch(`${server.url}tryon-00000000.js`)).status;
  check(gone === 404, `an old bundle is answered ${gone}`);
  const page = await open(browser, server.url, context);
  check(page.asked.some((url) => /lang|de-\w{8}\.js$/.test(url)), 'no German was fetched');
  const asked = page.asked.length;
  await page.route(/tryon-\w{8}\.js/, (route) => route.fulfill({ status: 404, body: '' }));
  await page.reload();
  await page.waitForSelector('.swatch');
  const again = page.asked.slice(asked).filter((url) => url.endsWith('/ui/app.js'));
  check(again.length === 1, 'the modules were not loaded');
  check((await text(page, '#start span')) === 'Kamera starten', 'no German from the modules');
};
