// How the page loads through a slow network, by Chromium's own throttling and its record of
// requests.
import { reach, until } from './browser-harness.mjs';

// latencyMs: delay of each response's first byte; kbit: a second, downstream.
export const networks = {
  'slow 4G': { latencyMs: 150, kbit: 1638 },
  'slow 4G as Lighthouse plays it': { latencyMs: 560, kbit: 1475 },
  'far away': { latencyMs: 2400, kbit: 1475 },
};

// A request's wave is one more than the wave of the last request that had ended when it began.
function numberWaves(requests) {
  for (const request of requests) {
    const before = requests.filter(({ end }) => end !== undefined && end <= request.start);
    request.wave = 1 + Math.max(0, ...before.map(({ wave }) => wave));
  }
}

function watch(session) {
  const requests = new Map();
  session.on('Network.requestWillBeSent', ({ requestId, request, timestamp }) =>
    requests.set(requestId, { url: request.url, start: timestamp, bytes: 0 }),
  );
  session.on('Network.loadingFinished', ({ requestId, timestamp, encodedDataLength }) =>
    Object.assign(requests.get(requestId) ?? {}, { end: timestamp, bytes: encodedDataLength }),
  );
  return requests;
}

// Loads the page with an empty cache until its shades can be chosen, and returns all requests made
// until then: requests ({url, wave, bytes, start, end: s}), waves, bytes, and firstPaintMs, readyMs
// since navigation.
export async function load(browser, url, { latencyMs, kbit }, options = {}) {
  const context = await browser.newContext({
    locale: 'en-US',
    serviceWorkers: 'block',
    ...options,
  });
  await context.addInitScript(reach);
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  const bytesPerS = (kbit * 1000) / 8;
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: latencyMs,
    downloadThroughput: bytesPerS,
    uploadThroughput: bytesPerS,
  });
  const seen = watch(session);
  await page.goto(url, { waitUntil: 'commit' });
  await until('the shades', () => page.locator('.swatch:not(.custom)').count());
  const looks = [...seen.values()].find((request) => request.url.endsWith('/api/looks.json'));
  const firstPaintMs = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0].startTime,
  );
  await context.close();
  // A response faster than the network allows came from the cache of a moment before.
  const requests = [...seen.values()]
    .filter(({ start, end = Infinity }) => start < looks.end && end - start > latencyMs / 1100)
    .sort((a, b) => a.start - b.start);
  numberWaves(requests);
  const waves = Math.max(...requests.map(({ wave }) => wave));
  const bytes = requests.reduce((sum, one) => sum + one.bytes, 0);
  const readyMs = 1000 * (looks.end - requests[0].start);
  return { requests, waves, bytes, firstPaintMs, readyMs };
}
