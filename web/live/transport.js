// The interface that sends frames to the detector and returns replies, implemented by
// transport-*.js and device/transport.js, and used only by live.js. A transport overrides a default
// with a field or getter of the same name; tests/e2e/transports.test.mjs checks all of them.
export class Transport {
    // Set by whoever opens it.
    onreply = () => {}; // ({id, nails, server, replaced, bytes, and jpeg: Blob or scene})
    onerror = () => {}; // ({id?, error, status}): the frame came to nothing
    onreplaced = () => {}; // (id): a newer frame took its place
    onstate = () => {}; // ('connecting' | 'open' | 'gone' | 'busy', {retryMs})

    // Whether a reply settles every older frame too.
    get ordered() {
        return false;
    }
    // Whether `send` takes the video's newest frame itself, not a JPEG.
    get takesFrames() {
        return false;
    }
    // Whether replies may hold the nails alone, for the page to draw.
    get sendsNails() {
        return false;
    }
    // Frames in flight at most.
    get limit() {
        return 2;
    }
    // What the server asks for at most: {fps, width, jpeg}; null: no limit.
    get rate() {
        return null;
    }
    // Whether another frame may be sent now.
    get ready() {
        return false;
    }

    open() {}
    close() {}
    // The wait for another attempt is over, if there is one.
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
