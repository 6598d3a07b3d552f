// Keeps the page's shell and its files under hashed names, so that it opens at once and without a
// network. Whatever the API answers is never kept, nor looked at.

const hashed = [];
const shell = ['./', 'tryon.js', 'manifest.webmanifest', 'icons/192.png', ...hashed];
const cacheName = `lacquer ${hashed.join(' ')}`;
const home = new URL('./', self.location).pathname;

self.addEventListener('install', (event) => {
    const keep = async () => {
        const cache = await caches.open(cacheName);
        await cache.addAll(shell.map((path) => new Request(path, { cache: 'no-cache' })));
        await self.skipWaiting();
    };
    event.waitUntil(keep());
});

// Files of an older version go.
self.addEventListener('activate', (event) => {
    const sweep = async () => {
        const names = await caches.keys();
        const old = names.filter((name) => name.startsWith('lacquer ') && name !== cacheName);
        await Promise.all(old.map((name) => caches.delete(name)));
        await self.clients.claim();
    };
    event.waitUntil(sweep());
});

const isHashed = (path) => /^[\w-]+-[A-Za-z0-9]{8,10}\.(js|css|svg)$/.test(path);

async function keptFirst(request) {
    const kept = await caches.match(request, { ignoreVary: true });
    if (kept) return kept;
    const response = await fetch(request);
    if (response.ok && response.headers.get('cache-control')?.includes('immutable'))
        (await caches.open(cacheName)).put(request, response.clone());
    return response;
}

// The page is asked for anew each time, and what was kept stands in where the network fails.
async function newestFirst(request, key) {
    try {
        return await fetch(request);
    } catch (error) {
        const kept = await caches.match(key, { ignoreVary: true });
        if (kept) return kept;
        throw error;
    }
}

self.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== 'GET' || url.origin !== self.location.origin) return;
    if (!url.pathname.startsWith(home)) return;
    const path = url.pathname.slice(home.length);
    if (isHashed(path)) event.respondWith(keptFirst(request));
    else if (path === '' || path === 'index.html') event.respondWith(newestFirst(request, './'));
    else if (shell.includes(path)) event.respondWith(newestFirst(request, path));
});
