// The page's texts, in the user's language. English is always loaded; another language is
// downloaded when needed, and a key that it lacks falls back to English (a test forbids missing
// keys).
import english from '../lang/en.js';

export const languages = { en: 'English', de: 'Deutsch', es: 'Español', ar: 'العربية' };

// Spelled out, so that the bundler makes each language a file of its own.
const fetched = {
    de: () => import('../lang/de.js'),
    es: () => import('../lang/es.js'),
    ar: () => import('../lang/ar.js'),
};

const storageKey = 'lacquer.language';

// The first of the wanted languages ("de-AT", "ar") that is available.
export function chooseLanguage(wanted) {
    for (const tag of wanted) {
        const language = String(tag).toLowerCase().split('-')[0];
        if (Object.hasOwn(languages, language)) return language;
    }
    return 'en';
}

export function rememberedLanguage() {
    try {
        return localStorage.getItem(storageKey);
    } catch {
        return null; // storage may be blocked
    }
}

function emphasised(text) {
    return text.split('*').map((part, i) => {
        if (i % 2 === 0) return part;
        const em = document.createElement('em');
        em.textContent = part;
        return em;
    });
}

export class Words extends EventTarget {
    #texts = english;
    #plural = new Intl.PluralRules('en');
    #number = new Intl.NumberFormat('en');
    language = 'en';

    get direction() {
        return this.#texts.direction;
    }

    // Emits "change" once the language's texts are loaded.
    async use(language, { remember = false } = {}) {
        if (!Object.hasOwn(languages, language)) return;
        this.#texts = language === 'en' ? english : (await fetched[language]()).default;
        this.language = language;
        this.#plural = new Intl.PluralRules(language);
        this.#number = new Intl.NumberFormat(language);
        try {
            if (remember) localStorage.setItem(storageKey, language);
        } catch {
            /* not remembered */
        }
        this.dispatchEvent(new Event('change'));
    }

    has(key) {
        return key in english;
    }

    // Whether this is the key's English text.
    means(key, text) {
        return english[key] === text;
    }

    // t('nails', {count: 2}) uses 'nails.one', 'nails.few', …, by the language's plural rules.
    t = (key, values = {}) => {
        const own = 'count' in values ? `${key}.${this.#plural.select(values.count)}` : key;
        const text = this.#texts[own] ?? english[own] ?? english[`${key}.other`] ?? key;
        return text.replace(/\{(\w+)\}/g, (whole, name) => {
            const value = values[name];
            if (value === undefined) return whole;
            return typeof value === 'number' ? this.#number.format(value) : value;
        });
    };

    // Fills every element below root that refers to a text: data-t="key" for its content (*…* is
    // emphasis), data-t-aria-label, data-t-title, data-t-placeholder for that attribute.
    apply(root) {
        for (const node of root.querySelectorAll('[data-t]'))
            node.replaceChildren(...emphasised(this.t(node.dataset.t)));
        for (const name of ['aria-label', 'title', 'placeholder'])
            for (const node of root.querySelectorAll(`[data-t-${name}]`))
                node.setAttribute(name, this.t(node.getAttribute(`data-t-${name}`)));
    }
}
