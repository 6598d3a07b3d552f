// Defines <lacquer-tryon>. Its files (scripts, style, looks, networks) are loaded from `assets`, a
// URL on your own host: a bundler leaves them as they are. `npx lacquer-tryon DIR` copies them.

// Not written as one expression: bundlers would treat the folder as one of their modules.
const here = import.meta.url;
let defining = null;

const withSlash = (url) => String(url).replace(/\/*$/, '/');

async function load(assets) {
    const base = new URL(withSlash(assets ?? new URL('dist/', here)), document.baseURI);
    try {
        await import(/* @vite-ignore */ /* webpackIgnore: true */ new URL('tryon.js', base).href);
    } catch (cause) {
        throw new Error(
            `lacquer-tryon: its files are not at ${base}. Copy them with ` +
                '`npx lacquer-tryon DIR` to a folder that you serve, and say where it is: ' +
                "defineTryon({ assets: '/DIR/' })",
            { cause },
        );
    }
    return customElements.whenDefined('lacquer-tryon');
}

// assets: where the files are, relative to the page; default: those in this package, which works if
// no bundler moved this file. → a promise of the element's class, the same for all calls.
export function defineTryon({ assets } = {}) {
    defining ??= load(assets).catch((error) => {
        defining = null;
        throw error;
    });
    return defining;
}
