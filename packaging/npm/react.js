// <lacquer-tryon> as a React component, for React 18 and 19.
import { createElement, useEffect, useRef } from 'react';
import { defineTryon } from './index.js';

const events = {
    onReady: 'lacquer-ready',
    onStart: 'lacquer-start',
    onStop: 'lacquer-stop',
    onError: 'lacquer-error',
    onLook: 'lacquer-look',
    onNails: 'lacquer-nails',
    onEngine: 'lacquer-engine',
    onPicture: 'lacquer-picture',
    onShare: 'lacquer-share',
    onBuy: 'lacquer-buy',
};
const attributes = [
    'server', 'engine', 'device', 'color', 'finish', 'look', 'camera', 'lang', 'stats', 'className',
    'style', 'id',
];

// React 18 writes `true` and `false` as strings.
const written = (value) => (value === true ? '' : value === false ? undefined : value);

export function LacquerTryon({ assets, deepLinks, children, ...props }) {
    const element = useRef(null);
    const latest = useRef(props);
    latest.current = props;
    useEffect(() => {
        defineTryon({ assets }).catch((error) => {
            const detail = { kind: 'assets', message: error.message };
            if (latest.current.onError) latest.current.onError(detail, null);
            else console.error(error);
        });
    }, [assets]);
    useEffect(() => {
        const node = element.current;
        const listeners = Object.entries(events).map(([name, type]) => {
            const listener = (event) => latest.current[name]?.(event.detail, event);
            node.addEventListener(type, listener);
            return () => node.removeEventListener(type, listener);
        });
        return () => listeners.forEach((leave) => leave());
    }, []);
    const { className, ...said } = Object.fromEntries(
        attributes.filter((name) => name in props).map((name) => [name, written(props[name])]),
    );
    if (!props.server) said.engine ??= 'device';
    return createElement(
        'lacquer-tryon',
        { ref: element, class: className, 'deep-links': written(deepLinks), ...said },
        children,
    );
}
