// A static site's service worker (web/sw.js as `lacquer site` wrote it), simulated in Node: what it
// downloads when it is installed, and its responses.
//
//   SW=site/sw.js node --test tests/e2e/sw.test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import vm from 'node:vm';

const home = 'https://shop.example/try/';
const text = fs.readFileSync(process.env.SW, 'utf8');

class PlayedCache {
  #kept = new Map();

  match = async (request) => this.#kept.get(request.url);
  put = async (request, response) => void this.#kept.set(request.url, response);
  keys = async () => [...this.#kept.keys()].map((url) => ({ url }));
  addAll = async (requests) => requests.forEach((one) => this.#kept.set(one.url, 'shell'));
}

// → {asked: [[path, cache mode]], answer: path → Response}
async function worker(connection) {
  const asked = [];
  const on = {};
  const cache = new PlayedCache();
  const self = {
    location: new URL('sw.js', home),
    addEventListener: (type, call) => (on[type] = call),
    skipWaiting: async () => {},
    clients: { claim: async () => {} },
  };
  class At extends Request {
    constructor(url, options) {
      super(new URL(url, home), options);
    }
  }
  const fetchIt = async (what, { cache: mode = 'default' } = {}) => {
    const url = new URL(what.url ?? what, home);
    asked.push([url.href.slice(home.length), mode]);
    return new Response('bytes', { status: 200, headers: { 'content-type': 'text/plain' } });
  };
  const caches = {
    open: async () => cache,
    has: async () => true,
    keys: async () => [],
    match: async () => undefined,
  };
  const navigator = { connection };
  vm.runInNewContext(text, {
    self, caches, navigator, fetch: fetchIt, Request: At, Response, Headers, URL,
  });
  const wait = (type, event = {}) =>
    new Promise((resolve) => on[type]({ waitUntil: resolve, ...event }));
  await wait('install');
  const installed = [...asked];
  const answer = (path) =>
    new Promise((resolve) =>
      on.fetch({ request: new At(path), respondWith: (it) => resolve(it) }),
    );
  return { asked: installed, answer };
}

const runtimeOf = ({ asked }) => asked.filter(([path]) => path.startsWith('device/'));

test('all that a live picture needs is cached, including the runtime', async () => {
  const { asked } = await worker(undefined);
  const paths = asked.map(([path]) => path);
  for (const path of ['api/looks.json', 'device/device.json', 'device/part-0123456789.wasm.pack'])
    assert.ok(paths.includes(path), `${path} is not among ${paths}`);
});

test('only hashed files may come from the browser cache', async () => {
  for (const [path, mode] of (await worker(undefined)).asked)
    assert.equal(mode, /-[0-9A-Za-z]{8,10}\./.test(path) ? 'default' : 'no-cache', path);
});

for (const [name, connection, wanted] of [
  ['no network information', {}, true],
  ['Wi-Fi', { type: 'wifi', saveData: false }, true],
  ['a user who saves data', { saveData: true }, false],
  ['a mobile network', { type: 'cellular', saveData: false }, false],
])
  test(`${name}: the runtime is ${wanted ? '' : 'not '}downloaded in advance`, async () =>
    assert.equal(runtimeOf(await worker(connection)).length > 0, wanted));

test('its responses enable threads in the page', async () => {
  const { answer } = await worker({ saveData: true });
  for (const path of ['', 'device/ort-0123456789.mjs', 'tryon.js']) {
    const { headers } = await answer(path);
    assert.equal(headers.get('cross-origin-embedder-policy'), 'require-corp', path);
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin', path);
    assert.equal(headers.get('content-type'), 'text/plain', path);
  }
});
