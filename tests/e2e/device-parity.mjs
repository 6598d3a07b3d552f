// lacquer.wasm against the native build: the pictures of a recording (tests/device/record.c) are
// processed by it, the networks' recorded outputs are returned to it, and inputs and replies are
// compared.
//
//   node device-parity.mjs LACQUER.wasm RECORDING      → one line of JSON
import fs from 'node:fs';
import { load } from './device-modules.mjs';

const { Mirror } = await load('device/host.js');
const { readReply } = await load('live/nails.js');

class Recording {
  #bytes;
  #at = 0;

  constructor(file) {
    const bytes = fs.readFileSync(file);
    this.#bytes = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  }

  get ended() {
    return this.#at >= this.#bytes.byteLength;
  }
  word() {
    this.#at += 4;
    return new DataView(this.#bytes).getUint32(this.#at - 4, true);
  }
  bytes(count) {
    this.#at += count + ((4 - (count % 4)) % 4);
    return this.#bytes.slice(this.#at - count - ((4 - (count % 4)) % 4)).slice(0, count);
  }
  expect(letter) {
    const found = String.fromCharCode(this.word());
    if (found !== letter) throw new Error(`the recording has ${found} where ${letter} is expected`);
  }
  floats() {
    return new Float32Array(this.bytes(4 * this.word()));
  }
}

const worst = { input: 0, number: 0, crop: 0, cover: 0, covered: 0, samples: 0 };
const count = { pictures: 0, runs: 0, nails: 0, identical: 0 };

function most(a, b) {
  if (a.length !== b.length) return Infinity;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference = Math.max(difference, Math.abs(a[i] - b[i]));
  return difference;
}

// A crop ends where the coverage rounds to 0, so it may be a row or column larger in one build.
function compareCrops(ours, theirs) {
  const ends = (crop) => [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height];
  worst.crop = Math.max(worst.crop, most(ends(ours), ends(theirs)));
  if (ours.scale !== theirs.scale || worst.crop > 1)
    throw new Error(`picture ${count.pictures}: another crop, ${ends(ours)}, not ${ends(theirs)}`);
  const cover = (crop, x, y) => {
    const [column, row] = [x - crop.x, y - crop.y];
    const inside = column >= 0 && column < crop.width && row >= 0 && row < crop.height;
    return inside ? crop.cover[row * crop.width + column] : 0;
  };
  const bottom = Math.max(ends(ours)[3], ends(theirs)[3]);
  const right = Math.max(ends(ours)[2], ends(theirs)[2]);
  for (let y = Math.min(ours.y, theirs.y); y < bottom; y++)
    for (let x = Math.min(ours.x, theirs.x); x < right; x++) {
      const apart = Math.abs(cover(ours, x, y) - cover(theirs, x, y));
      worst.cover = Math.max(worst.cover, apart);
      worst.covered += apart > 0;
      worst.samples++;
    }
}

function compareNails(ours, theirs) {
  for (const key of ['id', 'finger', 'tipKnown'])
    if (ours[key] !== theirs[key])
      throw new Error(`picture ${count.pictures}: ${key} is ${ours[key]}, not ${theirs[key]}`);
  const numbers = (nail) => [
    ...nail.center,
    ...nail.axis,
    nail.length,
    nail.width,
    ...nail.shading,
    nail.level,
    nail.grey,
    ...nail.bed,
    nail.confidence,
    nail.edge,
  ];
  worst.number = Math.max(worst.number, most(numbers(ours), numbers(theirs)));
  compareCrops(ours.crop, theirs.crop);
  count.nails++;
}

// All values except times, which differ between the builds.
const body = (reply) => Buffer.from(reply).subarray(64);

function compare(ours, theirs) {
  const [mine, native] = [readReply(ours), readReply(theirs)];
  if (mine.nails !== native.nails || mine.id !== native.id)
    throw new Error(`picture ${native.id}: ${mine.nails} nails, not ${native.nails}`);
  const light = ({ light: { exposure, tint, direction, level } }) => [
    exposure,
    ...tint,
    ...direction,
    level,
  ];
  worst.number = Math.max(worst.number, most(light(mine.scene), light(native.scene)));
  mine.scene.nails.forEach((nail, i) => compareNails(nail, native.scene.nails[i]));
  count.identical += body(ours).equals(body(theirs));
}

const [wasm, file] = process.argv.slice(2);
const recording = new Recording(file);
const run = async (network, input, width, height) => {
  await new Promise((resolve) => setImmediate(resolve)); // asynchronous, as in a browser
  recording.expect('R');
  for (const [what, value] of Object.entries({ network, width, height })) {
    const recorded = recording.word();
    if (recorded !== value) throw new Error(`a run with ${what} ${value} instead of ${recorded}`);
  }
  const sampled = input.filter((v, i) => i % 5 === 0);
  worst.input = Math.max(worst.input, most(sampled, recording.floats()));
  count.runs++;
  return [recording.floats(), recording.floats(), recording.floats()];
};
const sizes = [
  [384, 288],
  [288, 384],
  [320, 320],
];
const module = await WebAssembly.compile(fs.readFileSync(wasm));
const mirror = await Mirror.open(module, run, { sizes, threshold: 0.5, hand: true });
const times = [];
while (!recording.ended) {
  recording.expect('P');
  const [id, still, us, width, height] = Array.from({ length: 5 }, () => recording.word());
  const pixels = new Uint8Array(recording.bytes(4 * width * height));
  const fill = (into) => into.set(pixels);
  const look = { id, still: still === 1, takenAt: us / 1000, width, height, fill };
  const reply = await mirror.find(look);
  recording.expect('A');
  compare(reply, recording.bytes(recording.word()));
  const { prepare, nails, paint } = readReply(reply).server;
  if (!still) times.push({ prepare, nails, paint });
  count.pictures++;
}
const median = (key) => times.map((t) => t[key]).sort((a, b) => a - b)[times.length >> 1];
const ms = { prepare: median('prepare'), nails: median('nails'), paint: median('paint') };
console.log(JSON.stringify({ ...count, worst, ms, bytes: mirror.bytes }));
