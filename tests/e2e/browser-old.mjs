// Pages that are not ours, written for the usual Flask-SocketIO server: inline scripts and styles,
// a Socket.IO client from another host, the picture as the whole payload both ways. Served by
// --web.
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Server, check, patient, root, shot, until } from './browser-harness.mjs';

export const tests = {};

// How such pages send a picture and show the reply.
const ways = {
  binary: {
    send: `canvas.toBlob(
          (blob) => blob.arrayBuffer().then((bytes) => socket.emit('frame', bytes)),
          'image/jpeg',
          0.8,
        );`,
    show: "show(URL.createObjectURL(new Blob([data], { type: 'image/jpeg' })));",
  },
  base64: {
    send: "socket.emit('frame', canvas.toDataURL('image/jpeg', 0.8).split(',')[1]);",
    show: `var text = atob(data);
        var bytes = new Uint8Array(text.length);
        for (var i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
        show(URL.createObjectURL(new Blob([bytes], { type: 'image/jpeg' })));`,
  },
  dataurl: {
    send: "socket.emit('frame', canvas.toDataURL('image/jpeg', 0.8));",
    show: 'show(data);',
  },
};

const template = fs.readFileSync(path.join(root, 'tests/e2e/pages/page.html'), 'utf8');
const pageOf = ({ send, show }) =>
  template.replace('/* send */', () => send).replace('/* show */', () => show);

function writePages() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lacquer-pages-'));
  for (const [name, way] of Object.entries(ways))
    fs.writeFileSync(path.join(folder, `${name}.html`), pageOf(way));
  return folder;
}

const clients = path.join(root, 'tests/e2e/node_modules');
const client = (name) => path.join(clients, name, 'dist/socket.io.min.js');

// The original pages, with this Socket.IO client at the address where they load it.
async function visit(browser, url, script) {
  const context = await browser.newContext({ viewport: { width: 800, height: 700 } });
  await context.route('https://cdn.example/**', (route) => {
    route.fulfill({ contentType: 'text/javascript', body: fs.readFileSync(script) });
  });
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') page.faults.push(message.text());
  });
  await page.goto(url);
  return page;
}

// The number of a picture's points in the colour of the default polish.
const polished = (page, id) =>
  page.evaluate((name) => {
    const canvas = document.createElement('canvas');
    canvas.width = 640;
    canvas.height = 480;
    const graphics = canvas.getContext('2d');
    graphics.drawImage(document.getElementById(name), 0, 0, 640, 480);
    const { data } = graphics.getImageData(0, 0, 640, 480);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
      count += data[i] > 100 && data[i + 1] < data[i] / 2 && data[i + 2] > data[i + 1] + 20;
    }
    return count;
  }, id);

async function showsPolish(page, name, transport) {
  const said = () => page.textContent('#status');
  await until(`pictures over ${transport}: ${page.faults}`, async () => {
    const [, count, way] = /^(\d+) pictures over (\w+)/.exec(await said()) ?? [];
    return Number(count) >= 3 && way === transport;
  });
  // The first frames may have been captured before the camera started.
  await until('polish', async () => (await polished(page, 'result')) > 1000);
  await shot(page, `old-${name}`);
  // Between two pictures it is empty for a moment.
  const whole = () => page.evaluate(() => document.getElementById('result').naturalWidth === 640);
  await until('a picture of its whole size', whole);
  const bare = await polished(page, 'video');
  check(bare < 250, `${bare} points of the camera's own picture have the colour of the polish`);
  check(page.faults.length === 0, `errors on the page: ${page.faults.join(' | ')}`);
}

// Runs a test with a server that serves these pages.
async function withServer(more, run) {
  const pages = writePages();
  const server = await new Server([...patient, '--web', pages, ...more]).start();
  try {
    await run(server);
  } finally {
    await server.kill();
    fs.rmSync(pages, { recursive: true });
  }
}

const withPages = (browser, name, query, script, transport) =>
  withServer(['--max-wait', '60000'], async (server) => {
    const page = await visit(browser, `${server.url}${name}.html${query}`, script);
    await showsPolish(page, name + query.replace(/\W+/g, '-'), transport);
  });

for (const name of ['binary', 'base64', 'dataurl']) {
  tests[`old_page_with_${name}_frames`] = ({ browser }) =>
    withPages(browser, name, '', client('socket.io-client-4.5'), 'websocket');
}

tests.old_page_that_only_polls = ({ browser }) =>
  withPages(browser, 'binary', '?transports=polling', client('socket.io-client-4.5'), 'polling');

const second = path.join(clients, 'socket.io-client-2/dist/socket.io.js');
tests.old_page_with_socketio_2 = ({ browser }) =>
  withPages(browser, 'binary', '', second, 'websocket');
tests.old_page_with_socketio_2_that_only_polls = ({ browser }) =>
  withPages(browser, 'binary', '?transports=polling', second, 'polling');

tests.old_page_with_todays_client = ({ browser }) =>
  withPages(browser, 'binary', '?transports=websocket', client('socket.io-client'), 'websocket');

tests.old_page_gets_the_reason = ({ browser }) =>
  withServer(['--max-fps', '1'], async (server) => {
    const page = await visit(browser, `${server.url}binary.html`, client('socket.io-client-4.5'));
    const said = () => page.textContent('#status');
    await until('the reason', async () => /^Server error: \w/.test(await said()));
    check(!/undefined/.test(await said()), await said());
  });

// The page on one host, its Socket.IO server on another.
async function fromElsewhere(browser, script, query, transport) {
  const site = http.createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(pageOf(ways.binary));
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
  const server = await new Server([...patient, '--allow-origin', '*']).start();
  const home = `http://localhost:${site.address().port}`;
  const url = `${home}/?${query}server=http://127.0.0.1:${server.port}`;
  try {
    await showsPolish(await visit(browser, url, script), `elsewhere-${transport}`, transport);
  } finally {
    await server.kill();
    site.close();
    site.closeAllConnections();
  }
}

tests.old_page_of_another_origin = ({ browser }) =>
  fromElsewhere(browser, client('socket.io-client-4.5'), '', 'websocket');

// Socket.IO 2 sends credentials, and browsers then require further headers in the response.
tests.old_page_of_another_origin_with_socketio_2 = ({ browser }) =>
  fromElsewhere(browser, second, 'transports=polling&', 'polling');
