// The service worker: caches the page's shell and its files with hashed names, so that the page
// opens at once and offline; for a static site also the catalogue, the languages and the on-device
// runtime. It never caches or reads responses of a server's API.

const hashed = [];
const site = {}; // file of a static site → hash of its content (src/cli/site_page.c)
const shell = ['./', 'tryon.js', 'manifest.webmanifest', 'icons/192.png', ...hashed];
const home = new URL('./', self.location).pathname;
const prefix = `lacquer ${home} `; // an origin may hold several sites, each below a path of its own
const cacheName = prefix + hashed.join(' ');
const siteCacheName = `${prefix}site`; // a separate cache: the runtime is large and is kept when
                                       // the page is updated
const beforeCacheName = `${prefix}before`; // what an update has replaced there
const isStatic = Object.keys(site).length > 0;

const siteKey = (path) => new Request(`${home}${path}?${site[path]}`);
const hasHash = (path) => /-[A-Za-z0-9]{8,10}(\.\w+)+$/.test(path);

// The hash in that list, FNV-1a of 64 bits, in two halves of 32, which engines compute fast.
function hashOf(bytes) {
    let high = 0xcbf29ce4;
    let low = 0x84222325;
    for (let i = 0; i < bytes.length; i++) {
        low ^= bytes[i];
        const carry = ((low >>> 16) * 0x1b3 + (((low & 0xffff) * 0x1b3) >>> 16)) >>> 16;
        high = (Math.imul(high, 0x1b3) + (low << 8) + carry) | 0;
        low = Math.imul(low, 0x1b3);
    }
    return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

// A host may send something else under a file's name: the version before from an edge of its
// network, or its own page instead of 404. The page may get that, but it is not stored.
async function keep(cache, path, response) {
    const bytes = new Uint8Array(await response.clone().arrayBuffer());
    if (hashOf(bytes) !== site[path]) return;
    await cache.put(siteKey(path), response);
}

// Some hosts would serve an hours-old response from their cache, so such files are revalidated. A
// file with a hash in its name may be in the browser's cache, because the page has just loaded it.
async function keepSiteFile(cache, path) {
    if (await cache.match(siteKey(path))) return;
    const response = await fetch(home + path, { cache: hasHash(path) ? 'default' : 'no-cache' });
    if (response.status === 200) await keep(cache, path, response);
}

// If the user pays for data, the runtime is not downloaded in advance; it is cached when it is
// used.
const sparing = ({ connection } = navigator) =>
    Boolean(connection?.saveData) || connection?.type === 'cellular';
const isRuntime = (path) => path.startsWith('device/');
const isForGraphics = (path) => path.includes('-webgpu-'); // few browsers use it

async function keepSite() {
    const wanted = (path) => !isRuntime(path) || !(sparing() || isForGraphics(path));
    const paths = Object.keys(site).filter(wanted);
    if (!paths.length) return;
    const cache = await caches.open(siteCacheName);
    for (const path of paths) await keepSiteFile(cache, path).catch(() => {});
}

const isPage = (response) => /^text\/html/.test(response.headers.get('content-type'));

const bundle = hashed.find((name) => name.startsWith('tryon-')) ?? '';

// The page and its script must name this version's bundle: offline, another one would be missing.
const isOther = async (path, response) =>
    ['./', 'tryon.js'].includes(path) && !(await response.clone().text()).includes(bundle);

async function fetchShell(path) {
    const request = new Request(path, { cache: 'no-cache' });
    const response = await fetch(request);
    if (!response.ok || (path !== './' && isPage(response)))
        throw new Error(`${path}: ${response.status}, or a page in its place`);
    if (await isOther(path, response)) throw new Error(`${path}: of another version`);
    return [request, response];
}

// All of it or nothing.
async function keepShell() {
    const got = await Promise.all(shell.map(fetchShell));
    const cache = await caches.open(cacheName);
    await Promise.all(got.map(([request, response]) => cache.put(request, response)));
}

// Only the shell is required: what else cannot be stored now is cached when it is used.
self.addEventListener('install', (event) => {
    const install = async () => {
        await keepShell();
        await keepSite().catch(() => {});
        await self.skipWaiting();
    };
    event.waitUntil(install());
});

// Pages that were opened before an update still load parts of their own version, which the host may
// no longer have. So the version before stays until the next update.
async function sweepSite() {
    await caches.delete(beforeCacheName);
    if (!(await caches.has(siteCacheName))) return;
    const cache = await caches.open(siteCacheName);
    const before = await caches.open(beforeCacheName);
    const current = new Set(Object.keys(site).map((path) => siteKey(path).url));
    for (const request of (await cache.keys()).filter(({ url }) => !current.has(url))) {
        await before.put(request, await cache.match(request)).catch(() => {});
        await cache.delete(request);
    }
}

async function sweepShells() {
    const kept = [cacheName, siteCacheName, beforeCacheName];
    const names = await caches.keys(); // the newest is the last
    const old = names.filter((name) => name.startsWith(prefix) && !kept.includes(name));
    await Promise.all(old.slice(0, -1).map((name) => caches.delete(name)));
}

self.addEventListener('activate', (event) => {
    const sweep = async () => {
        await sweepShells();
        await sweepSite();
        await self.clients.claim();
    };
    event.waitUntil(sweep());
});

// A page has threads only with these headers, and starts only workers whose response has the second
// header. The host of a static site may not send them, so this worker adds them to the page from
// the second visit on. The site loads nothing from other origins that the headers would block.
const isolation = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
};

function isolated(response) {
    if (!isStatic || !response.ok) return response;
    const { status, statusText } = response;
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(isolation)) headers.set(name, value);
    return new Response(response.body, { status, statusText, headers });
}

const isHashed = (path) => /^[\w-]+-[A-Za-z0-9]{8,10}\.(js|css|svg)$/.test(path);

const isOlderRuntime = (path) => isStatic && isRuntime(path) && hasHash(path);

// On a static site, a file that is requested by its hashed name may be cached for ever, whatever
// the host's headers say.
const isForGood = (response) =>
    isStatic || (response.headers.get('cache-control')?.includes('immutable') ?? false);

// Searches also what an older version has stored.
async function keptFirst(request) {
    const kept = await caches.match(request, { ignoreVary: true, ignoreSearch: true });
    if (kept) return kept;
    const response = await fetch(request);
    if (response.ok && isForGood(response) && !isPage(response)) {
        const copy = response.clone();
        await caches.open(cacheName).then((cache) => cache.put(request, copy)).catch(() => {});
    }
    return response;
}

// Requests the page from the network each time; the cached copy is used if the network fails.
async function newestFirst(fetched, key, name = cacheName) {
    try {
        return await fetched();
    } catch (error) {
        const cache = await caches.open(name);
        const kept = await cache.match(key, { ignoreVary: true });
        if (kept) return kept;
        throw error;
    }
}

// A full disk must not cost the page the response.
async function fetchSiteFile(request, path) {
    const response = await fetch(request);
    if (response.status !== 200) return response;
    const copy = response.clone();
    await caches.open(siteCacheName).then((cache) => keep(cache, path, copy)).catch(() => {});
    return response;
}

async function siteFile(request, path) {
    const fetched = () => fetchSiteFile(request, path);
    if (path.startsWith('api/')) return newestFirst(fetched, siteKey(path), siteCacheName);
    return (await caches.match(siteKey(path))) ?? fetched();
}

function answerTo(request, path) {
    if (Object.hasOwn(site, path)) return siteFile(request, path);
    if (isHashed(path) || isOlderRuntime(path)) return keptFirst(request);
    if (path === '' || path === 'index.html') return newestFirst(() => fetch(request), './');
    return shell.includes(path) ? newestFirst(() => fetch(request), path) : null;
}

self.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== 'GET' || url.origin !== self.location.origin) return;
    if (!url.pathname.startsWith(home)) return;
    const answer = answerTo(request, url.pathname.slice(home.length));
    if (answer) event.respondWith(answer.then(isolated));
});
