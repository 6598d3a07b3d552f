// <lacquer-tryon>: the whole try-on as one element for any page. Everything it shows lives in its
// shadow root; everything it asks goes to one Lacquer server.
//
//   <script type="module" src="https://polish.example/tryon.js"></script>
//   <lacquer-tryon color="#5a1118" finish="gloss"></lacquer-tryon>
//
// Attributes, all optional:
//   server   URL of the Lacquer server; the one that this script came from
//   color    first shade, "#rrggbb"; else the one of the last visit
//   finish   first finish, by its name
//   camera   "user" or "environment": which camera first
//   stats    present: speed figures and the choice of a transport are shown (also by ?stats)
//   lang     "en", "de", "es" or "ar"; else the reader's own choice, then the browser's
// Slot "brand": what stands at the top left.
// Events, bubbling: "lacquer-look" {color, finish, …} after each change of the look,
// "lacquer-nails" {count} when another number of nails is seen, "lacquer-picture" {blob} when a
// picture is saved or shared.
// A page of another origin needs `lacquer serve --allow-origin` with its own, and in its
// Content-Security-Policy, if it has one, the server under script-src, style-src, img-src and
// connect-src (there with wss: too). Nothing inline, no eval, no data: or blob:.
import { App } from './ui/app.js';
import { chooseLanguage, languages, rememberedLanguage, Words } from './ui/i18n.js';
import { parseHex } from './look/look.js';
import { markup } from './ui/markup.js';

const home = new URL('.', import.meta.url);

export class LacquerTryon extends HTMLElement {
    #words = new Words();
    #app = null;

    // A getter, for esbuild writes a class with a static field anew, its private ones as slow maps.
    static get observedAttributes() {
        return ['lang', 'color', 'finish'];
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
        else this.#wear();
    }

    // The parts, for pages that want more than the events.
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
            base: this.hasAttribute('server')
                ? new URL(this.getAttribute('server'), document.baseURI)
                : home,
            facing: this.getAttribute('camera'),
            stats:
                this.hasAttribute('stats') ||
                new URLSearchParams(location.search).has('stats'),
            tell: (type, detail) =>
                this.dispatchEvent(
                    new CustomEvent(type, { detail, bubbles: true, composed: true }),
                ),
        });
        this.#wear();
        this.#offerLanguages(root.getElementById('language'));
        this.#words.addEventListener('change', () => this.#translate());
        this.#translate();
        this.#speak();
    }

    // The style sheet's link. What the page put into the element shows until it has come.
    #styled(app) {
        const style = document.createElement('link');
        style.rel = 'stylesheet';
        style.href = new URL('style.css', import.meta.url);
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
            this.#words.use(select.value, { remember: true }),
        );
    }

    #speak() {
        const own = [this.getAttribute('lang') || rememberedLanguage()];
        this.#words.use(chooseLanguage(own[0] ? own : navigator.languages)).catch(() => {
            /* its texts cannot be had: English stays */
        });
    }

    #translate() {
        const { language, direction } = this.#words;
        const app = this.shadowRoot.getElementById('app');
        app.lang = language;
        app.dir = direction;
        // The page that is nothing but this element speaks its language; a shop's page keeps its own.
        const page = document.documentElement;
        if (page.hasAttribute('data-lacquer')) Object.assign(page, { lang: language, dir: direction });
        this.shadowRoot.getElementById('language').value = language;
        this.#words.apply(app);
        this.#app.translate();
    }
}

customElements.define('lacquer-tryon', LacquerTryon);
