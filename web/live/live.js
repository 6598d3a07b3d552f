// The live pipeline: camera → encoder → transport → stage. At most two frames are in flight, the
// newest is sent, and no reply is shown after a newer one. If the browser has WebGL 2, replies are
// nails, which are drawn here on every camera frame; else they are painted pictures. With detection
// on the device (device/transport.js), frames are not encoded, and replies are always nails.
import { DeviceTransport } from '../device/transport.js';
import { EngineChoice } from './engine-choice.js';
import { FrameBudget } from './frame-budget.js';
import { Encoder, sentSize, sideMax } from './encoder.js';
import { Follower } from '../follow/follower.js';
import { LivePicture } from './live-picture.js';
import { Graphics } from '../paint/graphics.js';
import { Redraw } from './redraw.js';
import { BitmapPicture } from '../ui/picture.js';
import { AutoTransport } from './transport-auto.js';
import { Base64Transport } from './transport-base64.js';
import { WsTransport } from './transport-ws.js';

const bytesPerSecond = 2e6;
const qualityMin = 0.5;
const qualityMax = 0.82;

// The video's newest frame itself, at the size for detection.
async function frameOf(video) {
    const [width, height] = sentSize(video.videoWidth, video.videoHeight, sideMax);
    const frame =
        typeof VideoFrame === 'function' ? new VideoFrame(video) : await createImageBitmap(video);
    return { frame, width, height };
}

// Whether the user pays for data or wants to save it.
const sparing = ({ connection } = navigator) =>
    Boolean(connection?.saveData) || connection?.type === 'cellular';

export class Live {
    #base;
    #camera;
    #device;
    #deviceTransport;
    #engine;
    #stage;
    #stats;
    #encoder = new Encoder();
    #beside = new Encoder(); // for the server while it is compared with the device
    #transport = null;
    #kind = 'ws';
    #flight = new Map(); // id → what the stats need and the JPEG sent
    #id = 0;
    #shownId = 0;
    #shownJpeg = null;
    #graphics = new Graphics();
    #undrawn = false; // the device's nails cannot be drawn here
    #picture = null; // drawn here, or null: request painted pictures
    #redraw;
    #lookStore;
    #encoding = false;
    #running = false;
    #round = 0; // a new number per start: late replies of an old start are ignored
    #quality = qualityMax;
    #budget = bytesPerSecond / 4;
    #budgetAt = 0;
    #dueAt = 0; // when the server wants the next frame
    frameBudget = new FrameBudget();
    choiceOptions = {}; // of EngineChoice, in place of its own
    onstate = () => {};
    onengine = () => {}; // ('server' or 'device'): it detects the nails from now on
    deviceOffered = false; // whether the server offers the on-device runtime
    onframe = () => {}; // ({id, nails, widths}) after it was drawn
    onerror = () => {}; // (why), nothing when the reply's picture could not be read

    // device: URL of the folder with the on-device runtime; engine: 'server', 'device', or null for
    // the better of both.
    constructor({ camera, stage, stats, lookStore, base, device, deviceOptions, engine = null }) {
        this.#camera = camera;
        this.#device = device ?? new URL('device/', base);
        this.#deviceTransport = new DeviceTransport(this.#device, deviceOptions);
        this.#engine = engine;
        this.#kind = engine === 'device' ? 'device' : 'ws';
        this.#base = base;
        this.#stage = stage;
        this.#stats = stats;
        this.#lookStore = lookStore;
        this.#redraw = new Redraw(() => stage.draw());
        lookStore.addEventListener('change', () => {
            this.#transport?.look();
            this.#picture?.restyle();
            if (this.#picture) stage.draw();
        });
    }

    get running() {
        return this.#running;
    }

    get kind() {
        return this.#kind;
    }
    set kind(kind) {
        if (kind === this.#kind) return;
        this.#kind = kind;
        if (this.#running) this.#connect();
    }

    // The picture drawn here on the camera's video, or null if pictures arrive painted.
    get picture() {
        return this.#picture;
    }

    start() {
        this.stop({ keep: true });
        this.#lookStore.forgetNumbers();
        this.#running = true;
        document.addEventListener('visibilitychange', this.#seen);
        this.#seen();
        this.#provide();
        this.#connect();
        this.#next(this.#round);
    }

    // keep: the device's worker, for a start that follows at once.
    stop({ keep = false } = {}) {
        this.#running = false;
        this.#round++;
        document.removeEventListener('visibilitychange', this.#seen);
        for (const encoder of [this.#encoder, this.#beside]) encoder.close();
        this.#transport?.close({ keep });
        if (!keep) this.#deviceTransport.close();
        this.#transport = null;
        this.#flight.clear();
    }

    #seen = () => this.frameBudget.restart();

    // Whether a frame that was sent has no reply yet.
    get waiting() {
        return this.#flight.size > 0;
    }

    // Whether the browser withdrew the graphics that it had provided.
    get painterLost() {
        return this.#graphics.lost;
    }

    get #painter() {
        return this.#graphics.painter;
    }

    // → whether there are new graphics
    #provide() {
        if (!this.#graphics.make()) return false;
        if (this.#painter.software) this.frameBudget.propagates = true;
        return true;
    }

    // Graphics were lost, and only the page can draw the device's nails: while the browser provides
    // no others, nothing is detected.
    #restore() {
        const provided = this.#provide();
        if (provided === this.#undrawn) this.#connect();
        else this.#picture = null; // the next one has the new painter
    }

    // Called from time to time: a server that keeps the socket open but is silent also counts as
    // gone.
    watch() {
        this.#transport?.watch(this.#flight.size);
    }

    retryNow() {
        this.#transport?.retryNow();
    }

    // The original of the frame on the screen.
    async before() {
        return this.#shownJpeg ? createImageBitmap(new Blob([this.#shownJpeg])) : null;
    }

    #connect() {
        this.#transport?.close();
        this.#flight.clear();
        this.#stats.reset();
        const transport = this.#makeTransport();
        this.#transport = transport;
        const mine =
            (call) =>
            (...args) => {
                if (transport === this.#transport) call(...args);
            };
        transport.onreply = mine((reply) => this.#reply(reply, transport));
        transport.onerror = mine((error) => this.#failed(error, transport));
        transport.onreplaced = mine((id) => this.#flight.delete(id));
        transport.onstate = mine((state, detail) => {
            if (state === 'gone' || state === 'busy') this.#flight.clear();
            this.onstate(state, detail);
        });
        this.#picture = null;
        this.#undrawn = this.#kind === 'device' && !this.#graphics.able;
        if (this.#undrawn) this.onstate('undrawn');
        else transport.open();
    }

    #makeTransport() {
        const { main } = this.#lookStore;
        if (this.#kind === 'device') return this.#deviceTransport;
        if (this.#kind === 'base64') return new Base64Transport(main, this.#base);
        const server = new WsTransport(main, this.#base);
        // Nails that cannot be drawn here are useless here.
        return this.#engine === 'server' || !this.#painter ? server : this.#makeAuto(server);
    }

    #makeAuto(server) {
        const { video } = this.#camera;
        const transport = new AutoTransport({
            choice: new EngineChoice({ sparing: sparing(), ...this.choiceOptions }),
            server,
            device: this.#deviceTransport,
            inputs: {
                server: () => this.#beside.encode(video, this.#quality),
                device: () => frameOf(video),
            },
            offered: () => this.deviceOffered,
        });
        transport.onengine = (engine) => {
            if (transport !== this.#transport) return;
            this.#flight.clear();
            this.onengine(engine);
        };
        return transport;
    }

    // Whether no server may be contacted: there is none, or pictures must stay here.
    get alone() {
        return this.#engine === 'device';
    }

    // Whether nails are detected on the device, so that no picture leaves the page.
    get onDevice() {
        return this.#transport?.takesFrames ?? this.#kind === 'device';
    }

    // URL of the folder with the device's runtime.
    get device() {
        return this.#device;
    }

    // The transport in use, or null.
    get transport() {
        return this.#transport;
    }

    // Pictures for nails (paint/painter.js), in the format of GET /api/looks.
    takePatterns(patterns) {
        return this.#graphics.takePatterns(patterns);
    }

    // Requests nails if they can be drawn here fast enough.
    #wantNails(transport) {
        if (!transport.sendsNails || !this.#graphics.able) return false;
        if (!this.frameBudget.here && this.#kind !== 'device') return false;
        const { main, second } = this.#lookStore;
        const known = (fields) => this.#painter.knows(fields);
        return [main, second].every((look) => look.all.every(known));
    }

    #next(round) {
        this.#camera.next((at) => {
            if (round !== this.#round || !this.#camera.running) return;
            this.#next(round);
            const start = performance.now();
            if (this.#kind === 'device' && this.painterLost) this.#restore();
            const wantNails = this.#wantNails(this.#transport);
            this.#transport.canDraw = wantNails;
            if (wantNails) this.#show(at);
            else this.#picture = null;
            this.#take(start, wantNails);
        });
    }

    // The camera's newest frame goes to the screen at once.
    #show(at) {
        if (!this.#camera.video.videoWidth) return;
        this.#picture ??= this.#makePicture();
        this.#picture.propagates = this.frameBudget.propagates;
        this.#picture.setFrame(this.#camera.video, at, this.frameBudget.side);
        this.#stage.show(this.#picture);
        this.#redraw.drawn();
        this.#shown();
    }

    #makePicture() {
        const picture = new LivePicture({
            painter: this.#painter,
            lookStore: this.#lookStore,
            follower: new Follower(),
        });
        picture.onready = () => {
            if (this.#stage.picture === picture) this.#stage.draw();
        };
        return picture;
    }

    #shown() {
        this.#stats.drawn();
        if (!this.#painter) return;
        const { width, height } = this.#stage.picture;
        this.frameBudget.shown(performance.now(), Math.max(width, height));
    }

    async #take(start, wantNails) {
        const transport = this.#transport;
        const video = this.#camera.video;
        if (this.#encoding || !transport.ready || this.#flight.size >= transport.limit) return;
        if (!video.videoWidth || !this.#affordable(start)) return;
        if (transport.takesFrames && !wantNails) return;
        const { fps = 60, width = sideMax, jpeg: quality = 100 } = transport.rate ?? {};
        if (start < this.#dueAt) return;
        // The rest of a period is kept, so that a rate between the camera's steps is reached on
        // average.
        this.#dueAt = Math.max(this.#dueAt + 1000 / fps, start);
        this.#encoder.side = Math.min(sideMax, width);
        const round = this.#round;
        const mark = wantNails ? this.#picture.mark() : null;
        this.#encoding = true;
        try {
            const frames = transport.takesFrames;
            const picture = frames
                ? await frameOf(video)
                : await this.#encoder.encode(video, Math.min(this.#quality, quality / 100));
            const same = round === this.#round && transport === this.#transport;
            if (!same || !transport.ready || frames !== transport.takesFrames) {
                picture.frame?.close();
                return;
            }
            const id = ++this.#id;
            const bytesUp = transport.send(id, picture, wantNails);
            const jpeg = picture.frame ? null : picture;
            this.#flight.set(id, { start, sent: performance.now(), bytesUp, jpeg, mark });
            this.#budget -= bytesUp;
            this.#stats.sent(bytesUp);
            this.#adapt();
        } catch (error) {
            if (round === this.#round) this.onerror(error.message);
        } finally {
            this.#encoding = false;
        }
    }

    // A token bucket of bytes that fills at the allowed rate.
    #affordable(now) {
        const passed = Math.min(1000, now - this.#budgetAt);
        this.#budgetAt = now;
        this.#budget = Math.min(
            bytesPerSecond / 4,
            this.#budget + (passed / 1000) * bytesPerSecond,
        );
        return this.#budget > 0;
    }

    #adapt() {
        const rate = this.#stats.rate();
        if (rate > bytesPerSecond * 0.85)
            this.#quality = Math.max(qualityMin, this.#quality - 0.02);
        else if (rate < bytesPerSecond * 0.6)
            this.#quality = Math.min(qualityMax, this.#quality + 0.01);
    }

    // Takes id out of flight; on an ordered transport everything older is settled with it.
    #settle(id, ordered) {
        const frame = this.#flight.get(id);
        this.#flight.delete(id);
        if (ordered) {
            for (const older of this.#flight.keys()) {
                if (older >= id) continue;
                this.#flight.delete(older);
                this.#stats.lost++;
            }
        }
        return frame;
    }

    async #reply(reply, transport) {
        const replied = performance.now();
        const frame = this.#settle(reply.id, transport.ordered);
        if (!frame) return;
        const shown = reply.scene
            ? await this.#drawNails(reply, frame)
            : await this.#showJpeg(reply, frame);
        if (!shown) return;
        this.#stats.add(
            {
                start: frame.start,
                sent: frame.sent,
                replied,
                shown: performance.now(),
                bytesUp: frame.bytesUp,
                bytesDown: reply.bytes,
            },
            reply.server,
            reply.nails,
        );
        const widths = reply.scene?.nails.map(({ width }) => width);
        this.onframe({ id: reply.id, nails: reply.nails, widths });
    }

    // Draws at once or, if polish is moved along, with the next frame.
    async #drawNails(reply, frame) {
        if (!this.#picture || !frame.mark || reply.id <= this.#shownId) return false;
        this.#shownId = reply.id;
        const round = this.#round;
        const picture = this.#picture;
        picture.setScene(reply.scene, frame.mark);
        if (picture.propagates) await this.#redraw.soon();
        else this.#stage.draw();
        // Meanwhile the camera may have stopped, or the graphics were lost.
        return round === this.#round && picture === this.#picture;
    }

    async #showJpeg(reply, frame) {
        const round = this.#round;
        let bitmaps;
        try {
            bitmaps = await Promise.all([
                createImageBitmap(reply.jpeg),
                this.#stage.wantsOriginal ? createImageBitmap(new Blob([frame.jpeg])) : null,
            ]);
        } catch {
            this.onerror();
            return false;
        }
        if (round !== this.#round || reply.id <= this.#shownId || this.#picture) {
            bitmaps.forEach((bitmap) => bitmap?.close());
            if (round === this.#round) this.#stats.lost++;
            return false;
        }
        this.#shownId = reply.id;
        this.#shownJpeg = frame.jpeg;
        this.#stage.show(new BitmapPicture(bitmaps[0], { original: bitmaps[1] }));
        this.#shown();
        return true;
    }

    #failed({ id, error, status }, transport) {
        if (id !== undefined) {
            if (this.#settle(id, transport.ordered)) this.#stats.lost++;
        }
        // A frame that was too late for its turn is not reported: the next one is on its way.
        if (error && status !== 'TIMEOUT') this.onerror(error);
    }
}
