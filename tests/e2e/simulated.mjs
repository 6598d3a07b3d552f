// What the page's modules need of a browser to run in Node: workers, graphics that may be
// withdrawn, pictures.

// Lets everything that waits for nothing else proceed.
export const settled = () => new Promise(setImmediate);

// A worker's reply without nails; it has the frame's size.
export function reply({ id, width, height }) {
  const bytes = new DataView(new ArrayBuffer(64 + 4 + 28));
  bytes.setUint8(0, 3);
  bytes.setUint16(2, 64, true);
  bytes.setUint32(4, id, true);
  bytes.setUint16(52, width, true);
  bytes.setUint16(54, height, true);
  bytes.setUint16(64, 1, true);
  bytes.setUint16(66, 28, true);
  return { type: 'reply', id, reply: bytes.buffer, bytes: 5 };
}

export class SimulatedWorker {
  sent = [];
  ended = false;

  get frames() {
    return this.sent.filter(({ type }) => type === 'frame');
  }
  postMessage(message) {
    this.sent.push(message);
  }
  terminate() {
    this.ended = true;
  }
  says(data) {
    this.onmessage({ data });
  }
  opens(backend = 'wasm') {
    this.says({ type: 'open', backend, ms: 90, why: '' });
  }
}

// A WebGL context whose calls do nothing.
function contextOf(state) {
  const known = {
    isContextLost: () => state.lost,
    getParameter: () => 'simulated',
    getProgramParameter: (program, name) => (name === 'LINK_STATUS' ? true : 0),
  };
  const isConstant = /^[A-Z0-9_]+$/;
  return new Proxy(known, {
    get: (_, name) => known[name] ?? (isConstant.test(name) ? name : () => ({})),
  });
}

// Replaces a browser's globals for one test.
export class Simulated {
  workers = [];
  contexts = []; // of WebGL: {lost}
  graphics = true; // whether the browser provides any

  constructor(t) {
    const { workers } = this;
    this.#replace(t, {
      Worker: class extends SimulatedWorker {
        constructor() {
          super();
          workers.push(this);
        }
      },
      document: { createElement: () => this.#canvas(), addEventListener() {} },
      createImageBitmap: async ({ width = 80, height = 60 }) => ({ width, height, close() {} }),
      OffscreenCanvas: class {
        getContext = () => ({ drawImage() {} });
        convertToBlob = async () => new Blob(['picture']);
      },
    });
  }

  #replace(t, globals) {
    const before = Object.fromEntries(Object.keys(globals).map((name) => [name, globalThis[name]]));
    Object.assign(globalThis, globals);
    t.after(() => Object.assign(globalThis, before));
  }

  #canvas() {
    const getContext = () => {
      if (!this.graphics) return null;
      const state = { lost: false };
      this.contexts.push(state);
      return contextOf(state);
    };
    return { width: 0, height: 0, getContext };
  }
}
