// Times models in ONNX Runtime Web (WebAssembly, one thread), alternately, so that a busy machine
// slows all alike: node speed.mjs [--runs N] FIRST.onnx OTHER.onnx:1,3,160,224 …
// Prints the median and fastest time of each and its ratio to FIRST's median.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-web/wasm';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '15' },
    shape: { type: 'string', default: '1,3,288,384' },
    profile: { type: 'boolean', default: false },
  },
});
ort.env.wasm.numThreads = 1;
ort.env.wasm.proxy = false;

function picture(dims) {
  const data = new Float32Array(dims.reduce((a, b) => a * b));
  for (let i = 0; i < data.length; i++)
    data[i] = ((i * 2654435761) % 4294967296) / 4294967296;
  return new ort.Tensor('float32', data, dims);
}

async function open(path) {
  const [file, shape = values.shape] = path.split(':');
  const session = await ort.InferenceSession.create(readFileSync(file), {
    executionProviders: ['wasm'], graphOptimizationLevel: 'all', enableProfiling: values.profile,
  });
  const dims = shape.split(',').map(Number);
  return { path, session, feeds: { [session.inputNames[0]]: picture(dims) }, times: [] };
}

const models = [];
for (const path of positionals)
  models.push(await open(path));
for (let run = -2; run < Number(values.runs); run++) {
  for (const model of models) {
    const from = performance.now();
    await model.session.run(model.feeds);
    if (run >= 0)
      model.times.push(performance.now() - from);
  }
}
const median = times => times.sort((a, b) => a - b)[times.length >> 1];
const first = median(models[0].times);
for (const { path, times } of models) {
  const middle = median(times);
  console.log(`${path}  median ${middle.toFixed(1)} ms  fastest ${times[0].toFixed(1)} ms  ` +
              `${(middle / first).toFixed(2)} of the first`);
}
if (values.profile)
  for (const model of models)
    model.session.endProfiling();
