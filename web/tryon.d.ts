// Types of <lacquer-tryon> for TypeScript and editors:
//
//   import type {} from './tryon';     a copy of this file, which the server has as /tryon.d.ts

export type Hex = `#${string}`;
export type Finger = 'thumb' | 'index' | 'middle' | 'ring' | 'little';

/** A look as docs/LOOKS.md describes it. */
export interface Polish {
    color: Hex;
    finish: string | { name: string; [number: string]: unknown };
    texture?: number;
    opacity?: number;
    sheen?: boolean;
    coats?: number;
    gloss?: number | null;
    ombre?: { color: Hex; from?: number; to?: number } | null;
    french?: { color: Hex; width?: number; curve?: number; shape?: string } | null;
    pattern?: string | { image: string; opacity?: number } | null;
}
export interface Look extends Polish {
    shape?: { kind: string; length?: number };
    fingers?: Partial<Record<Finger, Partial<Polish>>>;
}

/** Data from the catalogue and the shop about a shade. */
export interface Offer {
    /** Its display name; null: a custom colour. */
    shade: string | null;
    sku?: string;
    gtin?: string;
    brand?: string;
    /** A decimal number: "12.90". */
    price?: string;
    /** ISO 4217. */
    currency?: string;
    stock?: number;
    url?: string;
}

export interface WornLook extends Polish, Offer {
    finish: string;
    /** Fingers with their own polish. */
    fingers: Partial<Record<Finger, Polish & Offer>>;
    /** Everything as one look, for POST /api/process or the attribute `look`. */
    look: Look;
}

export type Source = 'camera' | 'photo';

export interface LacquerEvents {
    /** Shades and looks have loaded. */
    'lacquer-ready': { looks: number; shades: number };
    'lacquer-start': { source: Source };
    'lacquer-stop': { source: Source };
    /** kind: 'camera', 'photo', 'server', 'link', …; message: the text that the user sees. */
    'lacquer-error': { kind: string; message: string };
    /** After each change. second: the other look while two are compared. */
    'lacquer-look': WornLook & { second: WornLook | null };
    /** The number of visible nails has changed. */
    'lacquer-nails': { count: number };
    /** Detection in live pictures has moved there. */
    'lacquer-engine': { engine: 'server' | 'device' };
    /** A picture was saved or shared. */
    'lacquer-picture': { blob: Blob };
    /** The look's link, or a picture with it, was shared. */
    'lacquer-share': { how: 'copy' | 'sheet' | 'picture'; url?: string; blob?: Blob };
    /** The buy button was pressed. preventDefault() keeps the product page closed. */
    'lacquer-buy': Offer & { look: Look };
}

export class LacquerTryon extends HTMLElement {
    addEventListener<K extends keyof LacquerEvents>(
        type: K,
        listener: (this: LacquerTryon, event: CustomEvent<LacquerEvents[K]>) => unknown,
        options?: boolean | AddEventListenerOptions,
    ): void;
    addEventListener(
        type: string,
        listener: EventListenerOrEventListenerObject,
        options?: boolean | AddEventListenerOptions,
    ): void;
    removeEventListener<K extends keyof LacquerEvents>(
        type: K,
        listener: (this: LacquerTryon, event: CustomEvent<LacquerEvents[K]>) => unknown,
        options?: boolean | EventListenerOptions,
    ): void;
    removeEventListener(
        type: string,
        listener: EventListenerOrEventListenerObject,
        options?: boolean | EventListenerOptions,
    ): void;
}

export interface LacquerAttributes {
    server?: string;
    color?: string;
    finish?: string;
    look?: string;
    camera?: 'user' | 'environment';
    engine?: 'server' | 'device';
    device?: string;
    lang?: 'en' | 'de' | 'es' | 'ar';
    stats?: boolean | '';
    'deep-links'?: boolean | '';
    installable?: boolean | '';
}

declare global {
    interface HTMLElementTagNameMap {
        'lacquer-tryon': LacquerTryon;
    }
}
