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

const siteKey = (path) => new Request(`${home}${path}?${site[path]}`);
const hasHash = (path) => /-[A-Za-z0-9]{8,10}(\.\w+)+$/.test(path);

// Some hosts would serve an hours-old response from their cache, so such files are revalidated. A
// file with a hash in its name may be in the browser's cache, because the page has just loaded it.
async function keepSiteFile(cache, path) {
    if (await cache.match(siteKey(path))) return;
    const response = await fetch(home + path, { cache: hasHash(path) ? 'default' : 'no-cache' });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    await cache.put(siteKey(path), response);
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
    for (const path of paths) await keepSiteFile(cache, path);
}

self.addEventListener('install', (event) => {
    const keep = async () => {
        const cache = await caches.open(cacheName);
        await cache.addAll(shell.map((path) => new Request(path, { cache: 'no-cache' })));
        await keepSite();
        await self.skipWaiting();
    };
    event.waitUntil(keep());
});

async function sweepSite() {
    if (!(await caches.has(siteCacheName))) return;
    const cache = await caches.open(siteCacheName);
    const current = new Set(Object.keys(site).map((path) => siteKey(path).url));
    const old = (await cache.keys()).filter(({ url }) => !current.has(url));
    await Promise.all(old.map((request) => cache.delete(request)));
}

// Deletes the files of older versions.
self.addEventListener('activate', (event) => {
    const sweep = async () => {
        const names = await caches.keys();
        const kept = [cacheName, siteCacheName];
        const old = names.filter((name) => name.startsWith(prefix) && !kept.includes(name));
        await Promise.all(old.map((name) => caches.delete(name)));
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
    if (!Object.keys(site).length || !response.ok) return response;
    const { status, statusText } = response;
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(isolation)) headers.set(name, value);
    return new Response(response.body, { status, statusText, headers });
}

const isHashed = (path) => /^[\w-]+-[A-Za-z0-9]{8,10}\.(js|css|svg)$/.test(path);

// On a static site, a file that is requested by its hashed name may be cached for ever, whatever
// the host's headers say.
const isForGood = (response) =>
    Object.keys(site).length > 0 ||
    (response.headers.get('cache-control')?.includes('immutable') ?? false);

async function keptFirst(request) {
    const kept = await caches.match(request, { ignoreVary: true });
    if (kept) return kept;
    const response = await fetch(request);
    if (response.ok && isForGood(response))
        (await caches.open(cacheName)).put(request, response.clone());
    return response;
}

// Requests the page from the network each time; the cached copy is used if the network fails.
async function newestFirst(request, key) {
    try {
        return await fetch(request);
    } catch (error) {
        const kept = await caches.match(key, { ignoreVary: true });
        if (kept) return kept;
        throw error;
    }
}

async function siteFile(request, path) {
    if (path.startsWith('api/')) return newestFirst(request, siteKey(path));
    const cache = await caches.open(siteCacheName);
    const kept = await cache.match(siteKey(path));
    if (kept) return kept;
    const response = await fetch(request);
    if (response.status === 200) await cache.put(siteKey(path), response.clone());
    return response;
}

function answerTo(request, path) {
    if (Object.hasOwn(site, path)) return siteFile(request, path);
    if (isHashed(path)) return keptFirst(request);
    if (path === '' || path === 'index.html') return newestFirst(request, './');
    return shell.includes(path) ? newestFirst(request, path) : null;
}

self.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== 'GET' || url.origin !== self.location.origin) return;
    if (!url.pathname.startsWith(home)) return;
    const answer = answerTo(request, url.pathname.slice(home.length));
    if (answer) event.respondWith(answer.then(isolated));
});
