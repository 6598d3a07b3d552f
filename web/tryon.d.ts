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

/** What the catalogue and the shop say of a shade. */
export interface Offer {
    /** Its name for people; null: a colour of the reader's own. */
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
    /** Fingers that wear something of their own. */
    fingers: Partial<Record<Finger, Polish & Offer>>;
    /** The same as one look: for POST /api/process, or the attribute look. */
    look: Look;
}

export type Source = 'camera' | 'photo';

export interface LacquerEvents {
    /** Shades and looks are there. */
    'lacquer-ready': { looks: number; shades: number };
    'lacquer-start': { source: Source };
    'lacquer-stop': { source: Source };
    /** kind: 'camera', 'photo', 'server', 'link', …; message: what the reader sees. */
    'lacquer-error': { kind: string; message: string };
    /** After each change. second: the look beside it while two are compared. */
    'lacquer-look': WornLook & { second: WornLook | null };
    /** Another number of nails is seen. */
    'lacquer-nails': { count: number };
    /** Live pictures are looked at there from now on. */
    'lacquer-engine': { engine: 'server' | 'device' };
    /** A picture is saved or shared. */
    'lacquer-picture': { blob: Blob };
    /** The look's link, or a picture with it, has gone out. */
    'lacquer-share': { how: 'copy' | 'sheet' | 'picture'; url?: string; blob?: Blob };
    /** The buy button. preventDefault(): the page does it, no product page is opened. */
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
