// axios, as pages and servers use it: node axios.mjs URL HAND.jpg
// Prints {"checks": N}; throws at the first failure.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import axios from 'axios';

const [url, path] = process.argv.slice(2);
const hand = await readFile(path);
const api = axios.create({ baseURL: url, timeout: 60000 });
let checks = 0;

function check({ status, data }) {
  assert.ok(status === 200 && data.success && data.nails.length > 0, JSON.stringify(data));
  checks++;
}

const image = `data:image/jpeg;base64,${hand.toString('base64')}`;
check(await api.post('/api/process_base64', { image, finish: 'gloss' }));
check(await api.postForm('/api/process', { image: hand, color: '#00ff00' }));
const form = new FormData();
form.append('image', new Blob([hand]), 'hand.jpg');
check(await api.post('/api/process', form));
check(await api.post('/api/process', new URLSearchParams({ image })));
check(await api.post('/api/v1/nails', hand, { headers: { 'Content-Type': 'image/jpeg' } }));
const picture = await api.postForm(
  '/api/process',
  { image: hand },
  { responseType: 'arraybuffer', headers: { Accept: 'image/jpeg' } },
);
assert.equal(picture.data.readUInt16BE(0), 0xffd8);
checks++;
const refused = await api.post('/api/process_base64', {}).catch((error) => error.response);
assert.ok(refused.status === 422 && refused.data.error, 'a readable error');
checks++;
console.log(JSON.stringify({ checks }));
