// The server and the device behind one transport: engine-choice.js decides whose nails are shown,
// and while it compares them, both get the same frames. The page sees the transport in use.
import { watchDevice } from './senses.js';
import { Transport } from './transport.js';

const settleMs = 3000; // from the first reply on, so that the page's own start is not slowed down
const failuresMost = 3; // consecutive failures of the runtime after which it is not used
const engines = ['server', 'device'];

export class AutoTransport extends Transport {
    ordered = true;
    onengine = () => {}; // (engine): 'server' or 'device' detects the nails from now on
    canDraw = false; // whether nails of the current look can be drawn here; the device provides
                     // nothing else
    #choice;
    #transports;
    #inputs;
    #offered;
    #taken = { server: new Map(), device: new Map() }; // id → capture time of the frame
    #open = { server: false, device: false };
    #repliedAt = 0; // when the server first replied
    #failures = 0;
    #shadowAt = 0;
    #shadowing = false;
    #closed = false;
    #stopSensing = () => {};
    #told = 'server'; // the engine that the page knows of

    // server, device: transports that are not open yet; inputs: {server, device}: () → promise of
    // what that one's `send` takes, for the newest frame; offered: () → whether the server offers a
    // runtime.
    constructor({ choice, server, device, inputs, offered }) {
        super();
        this.#choice = choice;
        this.#transports = { server, device };
        this.#inputs = inputs;
        this.#offered = offered;
        for (const engine of engines) this.#listen(engine);
    }

    get engine() {
        return this.canDraw ? this.#choice.engine : 'server';
    }

    get #active() {
        return this.#transports[this.engine];
    }

    get ready() {
        return this.#active.ready;
    }
    get limit() {
        return this.#active.limit;
    }
    get rate() {
        return this.#active.rate;
    }
    get sendsNails() {
        return this.#active.sendsNails;
    }
    get takesFrames() {
        return this.#active.takesFrames;
    }

    open() {
        document.addEventListener('visibilitychange', this.#seen);
        this.#stopSensing = watchDevice((signals) =>
            this.#choice.sense(signals, performance.now()),
        );
        this.#keep();
    }

    close(how) {
        this.#closed = true;
        document.removeEventListener('visibilitychange', this.#seen);
        this.#stopSensing();
        for (const engine of engines) this.#close(engine, how);
    }

    retryNow() {
        this.#active.retryNow();
    }

    look() {
        this.#transports.server.look();
    }

    send(id, picture, wantNails) {
        const engine = picture.frame ? 'device' : 'server';
        this.#taken[engine].set(id, performance.now());
        if (this.#choice.racing && wantNails) this.#shadow(id, engine);
        return this.#transports[engine].send(id, picture, wantNails);
    }

    // Called a few times a second.
    watch() {
        for (const engine of engines)
            if (this.#open[engine]) this.#transports[engine].watch(this.#taken[engine].size);
        if (document.hidden) return;
        if (this.canDraw) this.#choice.tick(performance.now());
        this.#changed();
        this.#keep();
    }

    #seen = () => this.#choice.restart(performance.now());

    // Sends the same frame to the engine that is not in use.
    async #shadow(id, engine) {
        const other = engine === 'device' ? 'server' : 'device';
        const transport = this.#transports[other];
        const now = performance.now();
        const { fps = 60 } = transport.rate ?? {};
        if (this.#shadowing || !transport.ready || now - this.#shadowAt < 1000 / fps - 2) return;
        if (other === 'server' && this.#taken.server.size >= transport.limit) return;
        this.#shadowAt = now;
        this.#shadowing = true;
        try {
            const picture = await this.#inputs[other]();
            if (this.#closed || !transport.ready) {
                picture.frame?.close();
                return;
            }
            this.#taken[other].set(id, now);
            transport.send(id, picture, true);
        } catch {
            /* the camera has just ended */
        } finally {
            this.#shadowing = false;
        }
    }

    // Opens and closes transports as needed: an idle session would occupy a place on the server.
    #keep() {
        const { engine, racing } = this.#choice;
        const server = engine === 'server' || racing || !this.canDraw;
        if (server !== this.#open.server) this.#set('server', server);
        if (!this.#open.device && this.#wantsDevice) this.#set('device', true);
    }

    get #wantsDevice() {
        if (!this.#choice.wantsRuntime || !this.#offered() || !this.canDraw) return false;
        if (this.#failures >= failuresMost) return false;
        return this.#repliedAt && performance.now() - this.#repliedAt > settleMs;
    }

    #set(engine, open) {
        if (!open) this.#close(engine);
        else {
            this.#open[engine] = true;
            this.#transports[engine].open();
        }
    }

    #close(engine, how) {
        this.#open[engine] = false;
        this.#taken[engine].clear();
        this.#transports[engine].close(how);
    }

    #listen(engine) {
        const transport = this.#transports[engine];
        const inUse = () => !this.#closed && this.engine === engine;
        transport.onreply = (reply) => {
            this.#replied(engine, reply);
            if (inUse()) this.onreply(reply);
        };
        transport.onerror = (error) => {
            this.#taken[engine].delete(error.id);
            if (inUse()) this.onerror(error);
        };
        transport.onreplaced = (id) => {
            this.#taken[engine].delete(id);
            if (inUse()) this.onreplaced(id);
        };
        transport.onstate = (state, detail) => {
            if (engine === 'server') this.#serverState(state);
            else this.#deviceState(state);
            if (!this.#changed() && inUse()) this.onstate(state, detail);
        };
    }

    #replied(engine, { id, scene }) {
        const now = performance.now();
        const taken = this.#taken[engine].get(id);
        for (const older of this.#taken[engine].keys())
            if (older <= id) this.#taken[engine].delete(older);
        if (engine === 'server') this.#repliedAt ||= now;
        else this.#failures = 0;
        if (scene && taken !== undefined) this.#choice.replied(engine, now, taken);
    }

    #serverState(state) {
        const now = performance.now();
        if (state === 'open') this.#choice.serverBack(now);
        if (state !== 'gone' && state !== 'busy') return;
        this.#taken.server.clear();
        this.#repliedAt ||= now; // the device need not wait for the server
        this.#choice.serverGone(now);
    }

    #deviceState(state) {
        const now = performance.now();
        if (state === 'open') this.#choice.deviceReady(now);
        if (state !== 'gone') return;
        this.#taken.device.clear();
        this.#choice.deviceGone(now);
        if (++this.#failures >= failuresMost) this.#close('device');
    }

    // Another engine is in use: the page now sees its state.
    #changed() {
        const { engine } = this;
        if (engine === this.#told || this.#closed) return false;
        this.#told = engine;
        this.#keep();
        this.onstate(this.#active.ready ? 'open' : 'connecting', {});
        this.onengine(engine);
        return true;
    }
}
