// Code that browser-site.mjs runs in the page itself.

// In the page: transports that detect nails in the same hand, each picture a few pixels to the
// right of the last.
export async function startLooking([base, text, counts]) {
  const { DeviceTransport } = await import(`${base}device/transport.js`);
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const hand = await createImageBitmap(new Blob([bytes]));
  const [width, height] = [hand.width, hand.height];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  window.lookers = counts.map((threads) => {
    const transport = new DeviceTransport(`${base}device/`, { backend: 'wasm', threads });
    const looker = { transport, states: [] };
    transport.onstate = (state) => looker.states.push(state);
    transport.onerror = ({ error }) => looker.states.push(error);
    transport.open();
    return looker;
  });
  window.look = (which, id) => {
    const { transport } = window.lookers[which];
    context.drawImage(hand, 3 * id, 0);
    return new Promise((resolve) => {
      transport.onreply = ({ scene, server }) =>
        resolve({ at: scene.nails.map(({ center }) => center), ms: server.infer });
      createImageBitmap(canvas).then((frame) => transport.send(id, { frame, width, height }));
    });
  };
}

// In the page, before its scripts: delays replies by four seconds.
export function holdBack() {
  window.sentFrames = 0;
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', (event) => {
        if (typeof event.data === 'string' || event.late) return;
        event.stopImmediatePropagation();
        const late = new MessageEvent('message', { data: event.data });
        late.late = true;
        setTimeout(() => this.dispatchEvent(late), 4000);
      });
    }
    send(data) {
      if (typeof data !== 'string') window.sentFrames++;
      super.send(data);
    }
  };
}

// Before the page's scripts: delays the worker's replies by what `played` says and replaces the
// battery API.
export function playTheDevice() {
  window.played = { serverMs: 3000, deviceMs: 0 };
  window.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', (event) => {
        if (event.late || event.data.type !== 'reply' || !window.played.deviceMs) return;
        event.stopImmediatePropagation();
        const late = new MessageEvent('message', { data: event.data });
        late.late = true;
        setTimeout(() => this.dispatchEvent(late), window.played.deviceMs);
      });
    }
  };
  window.battery = Object.assign(new EventTarget(), {
    charging: true,
    level: 1,
    change(how) {
      Object.assign(this, how);
      this.dispatchEvent(new Event('levelchange'));
    },
  });
  navigator.getBattery = async () => window.battery;
}

// In the page: both transports behind one, the device's own and a simulated server, which get ten
// pictures a second of the same hand.
export async function startChoosing([base, text]) {
  const parts = ['live/transport-auto.js', 'live/engine-choice.js', 'device/transport.js'];
  const modules = await Promise.all(parts.map((path) => import(`${base}${path}`)));
  const { AutoTransport, EngineChoice, DeviceTransport } = Object.assign({}, ...modules);
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const hand = await createImageBitmap(new Blob([bytes]));
  const { width, height } = hand;
  const frame = async () => ({ frame: await createImageBitmap(hand), width, height });
  const server = {
    ready: true,
    limit: 64,
    send(id) {
      const reply = () => this.onreply({ id, nails: 0, scene: { nails: [] } });
      setTimeout(reply, window.played.serverMs);
      return 0;
    },
  };
  for (const name of ['open', 'close', 'watch', 'look']) server[name] = () => {};
  const auto = new AutoTransport({
    choice: new EngineChoice({ retryMs: 1000 }),
    server,
    device: new DeviceTransport(`${base}device/`, { backend: 'wasm' }),
    inputs: { server: async () => ({}), device: frame },
    offered: () => true,
  });
  window.engines = [];
  window.nailsFound = 0;
  auto.canDraw = true;
  auto.onengine = (engine) => window.engines.push(engine);
  auto.onreply = ({ nails }) => (window.nailsFound = nails);
  auto.open();
  let id = 0;
  setInterval(async () => {
    const picture = auto.takesFrames ? await frame() : {};
    if (auto.ready) auto.send(++id, picture, true);
  }, 100);
  setInterval(() => auto.watch(), 250);
}
