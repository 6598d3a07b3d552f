// The try-on's own page can be put on a phone's screen: its service worker keeps its parts.

export async function install(home) {
    if (!navigator.serviceWorker) return;
    try {
        await navigator.serviceWorker.register(new URL('sw.js', home));
    } catch {
        /* a private window, or a server without TLS: the page works without */
    }
}
