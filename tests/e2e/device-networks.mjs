// The page's networks in the page's ONNX Runtime Web: every size that the manifest names must run,
// in portrait and landscape.
//
//   node device-networks.mjs DEVICE_FOLDER      → one line of JSON
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder] = process.argv.slice(2);
const { files, nails } = JSON.parse(fs.readFileSync(path.join(folder, 'device.json')));
const fileOf = (name) => path.join(path.resolve(folder), files[name].file);
const { env, InferenceSession, Tensor } = await import(fileOf('ort.mjs'));
env.wasm.numThreads = 1;
env.wasm.wasmPaths = { mjs: pathToFileURL(fileOf('ort.glue')).href };
env.wasm.wasmBinary = fs.readFileSync(fileOf('ort.wasm'));
const open = (name) =>
  InferenceSession.create(fs.readFileSync(fileOf(name)), { executionProviders: ['wasm'] });

async function run(session, shape) {
  const count = shape.reduce((a, b) => a * b);
  const input = Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(i * 0.01));
  const outputs = await session.run({
    [session.inputNames[0]]: new Tensor('float32', input, shape),
  });
  return session.outputNames.map((name) => outputs[name].data);
}

const session = await open('nail.onnx');
const maps = [];
for (const [width, height] of nails.sizes) {
  const [map] = await run(session, [1, 3, height, width]);
  const inside = map.every((value) => value >= 0 && value <= 1);
  maps.push({ width, height, count: map.length, inside });
}
const hand = files['hand.onnx'] ? await run(await open('hand.onnx'), [1, 224, 224, 3]) : [];
console.log(JSON.stringify({ maps, hand: hand.slice(0, 3).map(({ length }) => length) }));
