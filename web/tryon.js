// <lacquer-tryon>: the whole try-on as one element for any page. Everything it displays is in its
// shadow root; all its requests go to one Lacquer server.
//
//   <script type="module" src="https://polish.example/tryon.js"></script>
//   <lacquer-tryon color="#5a1118" finish="gloss"></lacquer-tryon>
//
// Attributes, all optional:
//   server   URL of the Lacquer server, with its path if it has one; default: where this script was
//            loaded from
//   color    first shade, "#rrggbb"; default: the one of the last visit
//   finish   first finish, by its name
//   camera   "user" or "environment": which camera to start
//   engine   where nails are detected: "server", or "device": in the page itself, so that no
//            picture leaves it (web/device/); default: ?engine= of the page's address, otherwise
//            the better of the two (live/engine-choice.js)
//   device   URL of the folder with the device's runtime; default: the server's "device/"
//   stats    present: shows speed figures and the choice of a transport (also by ?stats)
//   lang     "en", "de", "es" or "ar"; default: the user's own choice, then the browser's
//   look     first look: the name of a look in the catalogue, or the value of "?look=" in a link
//   deep-links    present: the look is taken from "?look=" of the page's address, and shared
//                 links lead to this page; without it they lead to the server's own page
//   installable   present on the server's own page: the page can be installed on a phone
// Slot "brand": content for the top left corner.
// Events, bubbling, all with a detail (docs/integrations): "lacquer-ready", "lacquer-start",
// "lacquer-stop", "lacquer-error", "lacquer-look", "lacquer-nails", "lacquer-picture",
// "lacquer-share", "lacquer-engine", and "lacquer-buy", which can be cancelled.
// A page of another origin must be allowed by `lacquer serve --allow-origin`. If it has a
// Content-Security-Policy, that must list the server under script-src, style-src, img-src and
// connect-src (there with wss: too). The element uses nothing inline, no eval, no data: or blob:.
import { App } from './ui/app.js';
import { chooseLanguage, languages, rememberedLanguage, Words } from './ui/i18n.js';
import { reportMissing } from './ui/missing.js';
import { parseHex } from './look/look.js';
import { markup } from './ui/markup.js';
import { lookDetail } from './share/detail.js';
import { install } from './share/install.js';
import { Offer } from './share/offer.js';
import { Sharing } from './share/sharing.js';

const home = new URL('.', import.meta.url);
const names = { live: 'camera', photo: 'photo' }; // the app's modes as named in events

export class LacquerTryon extends HTMLElement {
    #words = new Words();
    #app = null;
    #sharing = null;

    // A getter, because esbuild compiles a class with a static field into one with slow private
    // fields.
    static get observedAttributes() {
        return ['lang', 'color', 'finish', 'look'];
    }

    connectedCallback() {
        if (!this.#app) this.#build();
        this.#app.resume();
    }

    disconnectedCallback() {
        this.#app.pause();
    }

    attributeChangedCallback(name, before, value) {
        if (!this.#app || value === before || value === null) return;
        if (name === 'lang') this.#speak();
        else if (name !== 'look') this.#wear();
        else if (this.#app.catalogue.looks.length) this.#sharing.wear({ main: value });
    }

    // For tests. Pages have the attributes and events; these parts may change at any time.
    get app() {
        return this.#app;
    }

    #build() {
        const root = this.attachShadow({ mode: 'open' });
        const body = document.createElement('template');
        body.innerHTML = markup;
        root.append(this.#styled(body.content.getElementById('app')), body.content);
        this.#app = new App({
            root,
            words: this.#words,
            base: this.#folder('server') ?? home,
            facing: this.getAttribute('camera'),
            engine:
                this.getAttribute('engine') ??
                new URLSearchParams(location.search).get('engine'),
            device: this.#folder('device'),
            stats:
                this.hasAttribute('stats') ||
                new URLSearchParams(location.search).has('stats'),
            dispatch: this.#dispatch,
        });
        this.#connect((id) => root.getElementById(id));
        this.#wear();
        this.#offerLanguages(root.getElementById('language'));
        this.#words.addEventListener('change', () => this.#translate());
        this.#translate();
        this.#speak();
    }

    // The URL in that attribute, with the slash at its end that addresses below it need.
    #folder(name) {
        if (!this.hasAttribute(name)) return undefined;
        const url = new URL(this.getAttribute(name) || '.', document.baseURI);
        if (!url.pathname.endsWith('/')) url.pathname += '/';
        return url;
    }

    // Dispatches an event to the page; returns false if the page cancelled it.
    #dispatch = (type, detail, init) => {
        const full = type === 'lacquer-look' ? lookDetail(this.#app) : detail;
        return this.dispatchEvent(
            new CustomEvent(type, { detail: full, bubbles: true, composed: true, ...init }),
        );
    };

    // Connects what affects the surrounding page: offers, links, events, installing.
    #connect(find) {
        const app = this.#app;
        const words = this.#words;
        const own = this.hasAttribute('deep-links');
        const page = own ? location.href : home;
        new Offer({ app, find, words, dispatch: this.#dispatch });
        const sharing = new Sharing({ app, find, words, dispatch: this.#dispatch, page });
        this.#sharing = sharing;
        app.message = () => sharing.message;
        app.notices.onbad = (kind, message) => this.#dispatch('lacquer-error', { kind, message });
        this.#tellModes(find('stage'));
        const ready = () => {
            if (!app.catalogue.looks.length) return; // only a favourite was stored; the catalogue
                                                     // has not loaded yet
            app.catalogue.removeEventListener('change', ready);
            const address = new URLSearchParams(own ? location.search : '');
            sharing.wear({
                main: address.get('look') ?? this.getAttribute('look'),
                second: address.get('second'),
            });
            const { looks, shades } = app.catalogue;
            this.#dispatch('lacquer-ready', { looks: looks.length, shades: shades.length });
        };
        app.catalogue.addEventListener('change', ready);
        if (this.hasAttribute('installable')) install(home);
    }

    #tellModes(stage) {
        let mode = stage.dataset.mode;
        new MutationObserver(() => {
            const { mode: next } = stage.dataset;
            if (next === mode) return;
            if (next === 'empty') this.#dispatch('lacquer-stop', { source: names[mode] });
            else this.#dispatch('lacquer-start', { source: names[next] });
            mode = next;
        }).observe(stage, { attributes: true, attributeFilter: ['data-mode'] });
    }

    // Adds the style sheet's link. The page's own content of the element is shown until it has
    // loaded.
    #styled(app) {
        const style = document.createElement('link');
        style.rel = 'stylesheet';
        const url = new URL('style.css', import.meta.url);
        // A page with Cross-Origin-Embedder-Policy blocks it otherwise.
        if (url.origin !== location.origin) style.crossOrigin = 'anonymous';
        style.href = url;
        const brand = Object.assign(document.createElement('slot'), { name: 'brand' });
        const waiting = document.createElement('div');
        waiting.append(brand, document.createElement('slot'));
        app.hidden = true;
        const show = () => {
            waiting.remove();
            app.hidden = false;
        };
        style.addEventListener('load', show);
        style.addEventListener('error', show);
        const links = document.createDocumentFragment();
        links.append(style, waiting);
        return links;
    }

    #wear() {
        const change = {};
        const color = parseHex(this.getAttribute('color') ?? '');
        if (color) change.color = color;
        if (this.hasAttribute('finish')) change.finish = this.getAttribute('finish');
        if (Object.keys(change).length) this.#app.lookStore.main.set(change);
    }

    #offerLanguages(select) {
        for (const [language, name] of Object.entries(languages)) {
            const option = new Option(name, language);
            option.lang = language;
            select.append(option);
        }
        select.addEventListener('change', () =>
            this.#words.use(select.value, { remember: true }).catch(() => {
                select.value = this.#words.language;
                reportMissing(this.#app, this.#words);
            }),
        );
    }

    #speak() {
        const own = [this.getAttribute('lang') || rememberedLanguage()];
        this.#words.use(chooseLanguage(own[0] ? own : navigator.languages)).catch(() => {
            /* its texts cannot be loaded: English stays */
        });
    }

    #translate() {
        const { language, direction } = this.#words;
        const app = this.shadowRoot.getElementById('app');
        app.lang = language;
        app.dir = direction;
        // A page that contains only this element takes its language; a shop's page keeps its own.
        const page = document.documentElement;
        if (page.hasAttribute('data-lacquer'))
            Object.assign(page, { lang: language, dir: direction });
        this.shadowRoot.getElementById('language').value = language;
        this.#words.apply(app);
        this.#app.translate();
    }
}

customElements.define('lacquer-tryon', LacquerTryon);
