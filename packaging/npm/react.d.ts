import type { CSSProperties, ReactElement, ReactNode } from 'react';
import type { LacquerAttributes, LacquerEvents } from './tryon.js';

type Handler<K extends keyof LacquerEvents> = (
    detail: LacquerEvents[K],
    event: CustomEvent<LacquerEvents[K]>,
) => void;

export interface LacquerTryonProps
    extends Omit<LacquerAttributes, 'deep-links' | 'installable'> {
    /** Where the package's files are served: "/lacquer-tryon/". */
    assets?: string;
    deepLinks?: boolean;
    className?: string;
    style?: CSSProperties;
    id?: string;
    children?: ReactNode;
    onReady?: Handler<'lacquer-ready'>;
    onStart?: Handler<'lacquer-start'>;
    onStop?: Handler<'lacquer-stop'>;
    /** The event is null when the package's own files could not be loaded. */
    onError?: (
        detail: LacquerEvents['lacquer-error'],
        event: CustomEvent<LacquerEvents['lacquer-error']> | null,
    ) => void;
    onLook?: Handler<'lacquer-look'>;
    onNails?: Handler<'lacquer-nails'>;
    onEngine?: Handler<'lacquer-engine'>;
    onPicture?: Handler<'lacquer-picture'>;
    onShare?: Handler<'lacquer-share'>;
    /** event.preventDefault(): the product's page is not opened. */
    onBuy?: Handler<'lacquer-buy'>;
}

/** Without `server` nails are found on the visitor's device. */
export function LacquerTryon(props: LacquerTryonProps): ReactElement;
