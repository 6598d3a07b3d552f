// Shows what the shop says about the current shade: brand, price, and a buy button. The surrounding
// page first gets "lacquer-buy" and may cancel it to put the shade into a cart of its own.
import { offerOf } from './detail.js';

function priceText({ price, currency }, language) {
    if (!price) return '';
    if (!currency) return price;
    try {
        return new Intl.NumberFormat(language, { style: 'currency', currency }).format(price);
    } catch {
        return `${price} ${currency}`;
    }
}

export class Offer {
    #app;
    #words;
    #line = document.createElement('p');
    #text = document.createElement('span');
    #buy = document.createElement('a');

    // find: id → element; dispatch: (type, detail, init) → false if the page cancelled the
    // event.
    constructor({ app, find, words, dispatch }) {
        this.#app = app;
        this.#words = words;
        Object.assign(this.#line, { className: 'offer', id: 'offer', hidden: true });
        Object.assign(this.#buy, { id: 'buy', target: '_blank', rel: 'noopener' });
        this.#line.append(this.#text, this.#buy);
        find('favourite').parentElement.after(this.#line);
        this.#buy.addEventListener('click', (event) => {
            const { fields, json } = app.lookStore;
            const detail = { ...offerOf(app.catalogue, fields.color), look: json };
            if (!dispatch('lacquer-buy', detail, { cancelable: true })) event.preventDefault();
        });
        for (const [source, type] of [
            [app.lookStore, 'change'],
            [app.lookStore, 'choice'],
            [app.catalogue, 'change'],
            [words, 'change'],
        ])
            source.addEventListener(type, () => this.show());
    }

    show() {
        const { t, language } = this.#words;
        const { fields } = this.#app.lookStore;
        const offer = offerOf(this.#app.catalogue, fields.color);
        const soldOut = offer.stock === 0;
        const parts = [offer.brand, priceText(offer, language), soldOut && t('offer.soldOut')];
        this.#text.textContent = parts.filter(Boolean).join(' · ');
        this.#buy.hidden = !offer.url || soldOut;
        this.#buy.href = offer.url ?? '';
        this.#buy.textContent = t('offer.buy');
        this.#buy.setAttribute('aria-label', t('offer.buyShade', { shade: offer.shade ?? '' }));
        this.#line.hidden = !this.#text.textContent && this.#buy.hidden;
    }
}
