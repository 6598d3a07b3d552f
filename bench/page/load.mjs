// Measures how long the page takes to load through slow networks with an empty cache: Chromium's
// own throttling, on a phone's screen. Prints a Markdown table: the first painted content, the time
// until shades can be chosen, and the requests, waves of requests and bytes before the camera
// starts.
//
//   node bench/page/load.mjs [RUNS] [URL]     medians of RUNS (5); URL: of a static site on a
//                                             host that compresses; default: starts a server
import { Server, launch, withCamera } from '../../tests/e2e/browser-harness.mjs';
import { load, networks } from '../../tests/e2e/browser-network.mjs';

const runs = Number(process.argv[2] ?? 5);
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, isMobile: true };
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

const own = process.argv[3] ? null : await new Server().start();
const url = own?.url ?? process.argv[3];
const browser = await launch([withCamera]);
console.log('| network | latency, ms | first paint, s | shades, s | requests | waves | kB |');
console.log('|---|---|---|---|---|---|---|');
for (const [name, network] of Object.entries(networks)) {
  const loads = [];
  for (let i = 0; i < runs; i++) loads.push(await load(browser, url, network, phone));
  const of = (value) => median(loads.map(value));
  const seconds = (value) => (of(value) / 1000).toFixed(2);
  console.log(
    `| ${name} | ${network.latencyMs} | ${seconds((l) => l.firstPaintMs)} | ` +
      `${seconds((l) => l.readyMs)} | ${of((l) => l.requests.length)} | ${of((l) => l.waves)} | ` +
      `${Math.round(of((l) => l.bytes) / 1000)} |`,
  );
}
await browser.close();
await own?.kill();
