// Lets the try-on's own page be installed on a phone: its service worker caches the page's parts.

export async function install(home) {
    if (!navigator.serviceWorker) return;
    try {
        await navigator.serviceWorker.register(new URL('sw.js', home));
    } catch {
        /* a private window, or a server without TLS: the page works without a worker */
    }
}
