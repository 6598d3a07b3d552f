// Node's own fetch and FormData, as pages and servers use them: node fetch.mjs URL HAND.jpg
// Prints {"checks": N}; throws at the first failure.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

const [url, path] = process.argv.slice(2);
const hand = await readFile(path);
const text = hand.toString('base64');
let checks = 0;

async function post(where, options) {
  const reply = await fetch(url + where, { method: 'POST', ...options });
  const answer = await reply.json();
  assert.equal(reply.status, 200, answer.error);
  assert.ok(answer.success && answer.nails.length > 0, 'nails');
  checks++;
  return answer;
}

const json = { 'content-type': 'application/json' };
const image = `data:image/jpeg;base64,${text}`;
await post('/api/process_base64', { headers: json, body: JSON.stringify({ image }) });
// A text body without an explicit type is text/plain.
await post('/api/process_base64', { body: JSON.stringify({ image: text }) });
await post('/api/process_base64', { body: image });
await post('/api/process', { body: new URLSearchParams({ image, color: '#00ff00' }) });

const form = new FormData();
form.append('color', 'red');
form.append('image', new Blob([hand], { type: 'image/jpeg' }), 'händ "1".jpg');
form.append('texture', '0.3');
await post('/api/process', { body: form });
const fields = new FormData();
fields.append('image', image);
await post('/api/process', { body: fields });
await post('/api/v1/nails', { body: hand, headers: { 'content-type': 'image/jpeg' } });
await post('/api/v1/nails', { body: new Blob([hand]) });

const picture = await fetch(`${url}/api/process`, {
  method: 'POST',
  body: form,
  headers: { accept: 'image/jpeg' },
});
assert.equal(picture.headers.get('content-type'), 'image/jpeg');
assert.equal(Buffer.from(await picture.arrayBuffer()).readUInt16BE(0), 0xffd8);
checks++;
console.log(JSON.stringify({ checks }));
