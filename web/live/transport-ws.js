// lacquer.v1: binary frames over one WebSocket (docs/PROTOCOL.md).
import { Backoff, whyNot } from './backoff.js';
import { readReply } from './nails.js';
import { Transport } from './transport.js';

const headerUp = 16;
const queuedMax = 65536; // above this amount of unsent bytes, no further frame is sent
const reportMs = 1000; // how often the network time is reported to the server
const silenceMs = 6000; // frames in flight and no reply for this long: reconnect

export class WsTransport extends Transport {
    ordered = true; // a reply for id N settles every id up to N
    #socket = null;
    #open = false;
    #wanted = false;
    #backoff = new Backoff();
    #timer = 0;
    #base;
    #look;
    #lookTimer = 0;
    #waitingSince = 0;
    #reportedAt = 0;
    #network = []; // ms in the network, of the replies since
    limit = 2;
    rate = null;
    sendsNails = false; // until the server offers them

    // base: the server's URL.
    constructor(look, base) {
        super();
        this.#look = look;
        this.#base = base;
    }

    open() {
        this.#wanted = true;
        this.#connect();
    }

    close() {
        this.#wanted = false;
        clearTimeout(this.#timer);
        clearTimeout(this.#lookTimer);
        this.#lookTimer = 0;
        this.#drop();
    }

    retryNow() {
        if (!this.#wanted || this.#socket) return;
        clearTimeout(this.#timer);
        this.#connect();
    }

    get ready() {
        return this.#open && this.#socket.bufferedAmount < queuedMax;
    }

    // wantNails: request only the nails, not a painted picture.
    send(id, jpeg, wantNails) {
        const message = new Uint8Array(headerUp + jpeg.byteLength);
        const view = new DataView(message.buffer);
        view.setUint8(0, 1);
        view.setUint8(1, wantNails ? 1 : 0);
        view.setUint16(2, headerUp, true);
        view.setUint32(4, id, true);
        view.setBigUint64(8, BigInt(Math.round(performance.now() * 1000)), true);
        message.set(new Uint8Array(jpeg), headerUp);
        this.#socket.send(message);
        this.#waitingSince ||= performance.now();
        return message.byteLength;
    }

    // Sends the newest look at most every 40 ms, and always the last one.
    look() {
        if (this.#lookTimer) return;
        this.#sendLook();
        this.#lookTimer = setTimeout(() => {
            this.#lookTimer = 0;
            this.#sendLook();
        }, 40);
    }

    // A server that keeps the socket open but is silent also counts as gone.
    watch(inFlight) {
        if (!inFlight) this.#waitingSince = 0;
        if (this.#waitingSince && performance.now() - this.#waitingSince > silenceMs)
            this.#lost('gone');
    }

    #lastLook = '';
    #sendLook() {
        const text = JSON.stringify({ type: 'look', look: this.#look.served });
        if (!this.#open || text === this.#lastLook) return;
        this.#lastLook = text;
        this.#socket.send(text);
    }

    #connect() {
        this.onstate('connecting', {});
        const url = new URL('ws', this.#base);
        url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
        const socket = new WebSocket(url, 'lacquer.v1');
        socket.binaryType = 'arraybuffer';
        this.#socket = socket;
        socket.onopen = () => {
            if (socket !== this.#socket) return;
            this.#open = true;
            this.#waitingSince = 0;
            this.#lastLook = '';
            this.#sendLook();
            this.onstate('open', {});
        };
        socket.onmessage = ({ data }) => {
            if (socket !== this.#socket) return;
            if (typeof data === 'string') this.#text(data);
            else this.#frame(data);
        };
        socket.onclose = async ({ code }) => {
            if (socket !== this.#socket) return;
            const opened = this.#open;
            this.#drop();
            if (code === 1013 || code === 1008) this.#lost('busy');
            else this.#lost(opened ? 'gone' : await whyNot(this.#base));
        };
    }

    #drop() {
        const socket = this.#socket;
        this.#socket = null;
        this.#open = false;
        this.#waitingSince = 0;
        socket?.close();
    }

    #lost(why) {
        this.#drop();
        if (!this.#wanted) return;
        const retryMs = this.#backoff.next(why === 'busy' ? 2000 : 0);
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#connect(), retryMs);
        this.onstate(why, { retryMs });
    }

    #text(data) {
        let message;
        try {
            message = JSON.parse(data);
        } catch {
            return;
        }
        if (message.type === 'hello') {
            this.limit = Math.max(1, Math.min(2, message.in_flight ?? 2));
            this.sendsNails = message.replies?.includes('nails') ?? false;
            this.rate = null;
            this.#reportedAt = performance.now();
            this.#network = [];
            if (message.rate) this.#socket.send(JSON.stringify({ type: 'rate' }));
        }
        if (message.type === 'rate') this.rate = message;
        if (message.type === 'error') this.onerror(message);
    }

    // Reports once a second how long frames and replies were in the network.
    #report(sentAt, serverMs) {
        const now = performance.now();
        this.#network.push(Math.max(0, now - sentAt - serverMs));
        if (!this.rate || now - this.#reportedAt < reportMs) return;
        const mean = this.#network.reduce((sum, ms) => sum + ms, 0) / this.#network.length;
        this.#reportedAt = now;
        this.#network = [];
        const network_ms = Math.min(60000, Math.round(mean));
        this.#socket.send(JSON.stringify({ type: 'rate', network_ms }));
    }

    #frame(data) {
        this.#backoff.reset();
        this.#waitingSince = performance.now();
        let reply;
        try {
            reply = readReply(data);
        } catch (error) {
            this.onerror({ id: new DataView(data).getUint32(4, true), error: error.message });
            return;
        }
        if (!reply) return;
        this.#report(reply.sentAt, reply.server.total);
        this.onreply(reply);
    }
}
