// The interface that sends frames to the detector and returns replies, implemented by
// transport-*.js and device/transport.js, and used only by live.js. A transport overrides a default
// with a field or getter of the same name; tests/e2e/transports.test.mjs checks all of them.
export class Transport {
    // Set by the owner.
    onreply = () => {}; // ({id, nails, server, replaced, bytes, and jpeg: Blob or scene})
    onerror = () => {}; // ({id?, error, status}): the frame failed
    onreplaced = () => {}; // (id): a newer frame replaced it
    onstate = () => {}; // ('connecting' | 'open' | 'gone' | 'busy', {retryMs, missing})
                         // missing: a part of the page itself cannot be loaded

    // Whether a reply also settles all older frames.
    get ordered() {
        return false;
    }
    // Whether `send` takes the video's newest frame itself instead of a JPEG.
    get takesFrames() {
        return false;
    }
    // Whether replies may contain only the nails, for the page to draw.
    get sendsNails() {
        return false;
    }
    // Maximum number of frames in flight.
    get limit() {
        return 2;
    }
    // Limits requested by the server: {fps, width, jpeg}; null: none.
    get rate() {
        return null;
    }
    // Whether another frame may be sent now.
    get ready() {
        return false;
    }

    open() {}
    close() {} // ({keep}): keep what another open() would need, on the device
    // Ends the wait for another attempt, if there is one.
    retryNow() {}
    // The look has changed.
    look() {}
    // Called a few times a second with how many frames are in flight.
    watch() {}
    // (id, picture, wantNails) → bytes that went over a network.
    send() {
        throw new Error('not open');
    }
}
