// A static site's service worker (web/sw.js as `lacquer site` wrote it), simulated in Node: what it
// downloads when it is installed, and its responses.
//
//   SW=site/sw.js node --test tests/e2e/sw.test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import vm from 'node:vm';

const home = 'https://shop.example/try/';
const folder = path.dirname(process.env.SW);
const text = fs.readFileSync(process.env.SW, 'utf8');
const types = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json' };

const bare = (url) => url.split('?')[0];

class PlayedCache {
  #kept = new Map();
  full = false;

  match = async (request, { ignoreSearch = false } = {}) => {
    const { url } = new At(request.url ?? request);
    const like = ignoreSearch ? (key) => bare(key) === bare(url) : (key) => key === url;
    return this.#kept.get([...this.#kept.keys()].find(like))?.clone();
  };
  put = async (request, response) => {
    if (this.full) throw new DOMException('the disk is full', 'QuotaExceededError');
    this.#kept.set(request.url, response);
  };
  keys = async () => [...this.#kept.keys()].map((url) => ({ url }));
  delete = async ({ url }) => this.#kept.delete(url);
  has = (below) => [...this.#kept.keys()].some((url) => bare(url) === home + below);
}

class PlayedCaches {
  #all = new Map();
  full = () => false; // (cache's name) → whether nothing can be stored in it

  open = async (name) => {
    if (!this.#all.has(name)) this.#all.set(name, new PlayedCache());
    this.#all.get(name).full = this.full(name);
    return this.#all.get(name);
  };
  has = async (name) => this.#all.has(name);
  keys = async () => [...this.#all.keys()];
  delete = async (name) => this.#all.delete(name);
  match = async (request, options) => {
    for (const cache of this.#all.values()) {
      const kept = await cache.match(request, options);
      if (kept) return kept;
    }
  };
  holds = (below) => [...this.#all.values()].some((cache) => cache.has(below));
}

class At extends Request {
  constructor(url, options) {
    super(new URL(url, home), options);
  }
}

// A response of the site's host.
function hosted(below) {
  const file = path.join(folder, below === '' ? 'index.html' : below);
  const type = below === '' ? 'text/html' : types[path.extname(file)] ?? 'text/plain';
  return new Response(fs.readFileSync(file), { headers: { 'content-type': type } });
}

// → {asked: [[path, cache mode]] of the installation, failed: its error, answer: path → Response}.
// host: path → Response; script: the worker's.
async function worker(connection, options = {}) {
  const { host = hosted, caches = new PlayedCaches(), script = text } = options;
  const asked = [];
  const on = {};
  const self = {
    location: new URL('sw.js', home),
    addEventListener: (type, call) => (on[type] = call),
    skipWaiting: async () => {},
    clients: { claim: async () => {} },
  };
  const fetchIt = async (what, { cache: mode = what.cache ?? 'default' } = {}) => {
    const below = new URL(what.url ?? what, home).href.slice(home.length);
    asked.push([below, mode]);
    return host(below);
  };
  const navigator = { connection };
  vm.runInNewContext(script, {
    self, caches, navigator, fetch: fetchIt, Request: At, Response, Headers, URL, Uint8Array,
  });
  const wait = (type) => new Promise((resolve) => on[type]({ waitUntil: resolve }));
  const failed = await wait('install').catch((error) => error);
  if (!failed) await wait('activate');
  const installed = [...asked];
  const answer = (below) =>
    new Promise((resolve) =>
      on.fetch({ request: new At(below), respondWith: (it) => resolve(it) }),
    );
  return { asked: installed, failed, answer, caches };
}

const [bundle] = text.match(/tryon-[A-Z0-9]{8}\.js/);
const pack = 'device/part-0123456789.wasm.pack';
const runtimeOf = ({ asked }) => asked.filter(([below]) => below.startsWith('device/'));

test('all that a live picture needs is cached, including the runtime', async () => {
  const { asked, caches } = await worker(undefined);
  const paths = asked.map(([below]) => below);
  for (const below of ['api/looks.json', 'device/device.json', pack])
    assert.ok(paths.includes(below) && caches.holds(below), `${below} is not among ${paths}`);
});

test('only hashed files may come from the browser cache', async () => {
  const { asked } = await worker(undefined);
  const isHashed = (below) => /-[0-9A-Za-z]{8,10}\./.test(below);
  for (const [below, mode] of asked.filter(([below]) => !isHashed(below)))
    assert.equal(mode, 'no-cache', below);
  const runtime = runtimeOf({ asked }).filter(([below]) => isHashed(below));
  assert.deepEqual([...new Set(runtime.map(([, mode]) => mode))], ['default']);
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
  for (const below of ['', 'device/ort-0123456789.mjs', 'tryon.js']) {
    const { headers } = await answer(below);
    assert.equal(headers.get('cross-origin-embedder-policy'), 'require-corp', below);
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin', below);
    assert.equal(headers.get('content-type'), hosted(below).headers.get('content-type'), below);
  }
});

const page = () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } });
const unlike = (odd, response) => (below) => (odd(below) ? response(below) : hosted(below));

test('what a host sends in the place of a file is not stored under its name', async () => {
  const odd = (below) => [pack, 'device/device.json'].includes(below);
  const host = unlike(odd, (below) => (below === pack ? page() : new Response('{"version": 0}')));
  const { failed, caches, answer } = await worker(undefined, { host });
  assert.equal(failed, undefined);
  for (const below of [pack, 'device/device.json']) {
    await answer(below);
    assert.ok(!caches.holds(below), below);
  }
  assert.ok(caches.holds('device/ort-0123456789.mjs'));
});

test('a file is stored when it is used, once its host sends it', async () => {
  let ill = true;
  const host = unlike((below) => ill && (below === pack || below.startsWith('api/')), page);
  const { caches, answer } = await worker(undefined, { host });
  ill = false;
  for (const below of [pack, 'api/looks.json']) {
    assert.ok(!caches.holds(below), below);
    await answer(below);
    assert.ok(caches.holds(below), below);
  }
});

test('a page in the place of a script of the shell is no shell', async () => {
  const host = unlike((below) => /^tryon-.*js$/.test(below), page);
  const { failed, answer, caches } = await worker(undefined, { host });
  assert.match(String(failed), /tryon-.*in its place/);
  await answer(bundle);
  assert.ok(!caches.holds(bundle));
});

test('without space for the runtime, the worker is installed and responds', async () => {
  const caches = new PlayedCaches();
  caches.full = (name) => name.endsWith(' site');
  const { failed, answer } = await worker(undefined, { caches });
  assert.equal(failed, undefined);
  caches.full = () => true;
  for (const below of [pack, 'api/looks.json'])
    assert.equal((await answer(below)).status, 200);
});

const gone = () => new Response('', { status: 404 });

// The page or its script, with that name of the bundle.
const naming = (own, below) => {
  const { headers } = hosted(below);
  const file = path.join(folder, below || 'index.html');
  return new Response(fs.readFileSync(file, 'utf8').replaceAll(bundle, own), { headers });
};

// A version of the site with names of its own for the bundle and the runtime: its worker's script,
// and its host.
function version(letter) {
  const names = { [`tryon-${letter.repeat(8)}.js`]: bundle,
    [`device/part-${letter.repeat(10)}.wasm.pack`]: pack };
  let script = text;
  for (const [own, name] of Object.entries(names)) script = script.replaceAll(name, own);
  const host = (below) => {
    if (below in names) return hosted(names[below]);
    if (below === '' || below === 'tryon.js') return naming(`tryon-${letter.repeat(8)}.js`, below);
    return /^(tryon|device\/part)-/.test(below) ? gone() : hosted(below);
  };
  return { script, host, parts: Object.keys(names) };
}

test('a page that is open during an update finds the parts of its version', async () => {
  const caches = new PlayedCaches();
  const [before, next, last] = ['A', 'B', 'C'].map(version);
  await worker(undefined, { caches, ...before });
  const updated = await worker(undefined, { caches, ...next });
  for (const part of before.parts) assert.equal((await updated.answer(part)).status, 200, part);
  const later = await worker(undefined, { caches, ...last });
  for (const part of next.parts) assert.equal((await later.answer(part)).status, 200, part);
  for (const part of before.parts) assert.ok(!caches.holds(part), `${part} is kept for ever`);
});

test('offline, the newest version is opened', async () => {
  const caches = new PlayedCaches();
  await worker(undefined, { caches, ...version('A') });
  let online = true;
  const { script, host } = version('B');
  const one = (below) => {
    if (online) return host(below);
    throw new TypeError('offline');
  };
  const { answer } = await worker(undefined, { caches, script, host: one });
  online = false;
  assert.match(await (await answer('')).text(), /tryon-B{8}\.js/);
  assert.equal((await answer('api/looks.json')).status, 200);
});

test('a page of another version is not stored beside this one', async () => {
  for (const old of ['', 'tryon.js']) {
    const host = unlike((below) => below === old, version('A').host);
    assert.match(String((await worker(undefined, { host })).failed), /of another version/, old);
  }
});
