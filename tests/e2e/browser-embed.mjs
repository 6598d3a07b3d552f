// The element in pages of other origins: on another origin, under that page's own policy, and the
// example page.
import http from 'node:http';
import {
  Server, check, clean, frames, live, open, patient, saved, shade, shot, text, until,
} from './browser-harness.mjs';
import { audit } from './browser-access.mjs';
import { openPhoto } from './browser-shop.mjs';

export const tests = {};

// A shop's page on another origin: the element, its style, texts and socket come from the server.
// Its policy is that of web/embed.html.
tests.works_in_a_shops_page = async ({ browser }) => {
  let server;
  const shop = http.createServer((request, response) => {
    const from = server.url.slice(0, -1);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader(
      'content-security-policy',
      `default-src 'none'; script-src ${from}; style-src ${from}; img-src ${from}; ` +
        `connect-src ${from} ${from.replace('http', 'ws')}`,
    );
    response.end(`<!doctype html><html lang="en"><title>Shop</title><main><h1>Polish</h1>
      <script type="module" src="${server.url}tryon.js"></script>
      <lacquer-tryon color="#1a9a9a" finish="gloss" lang="es"></lacquer-tryon></main></html>`);
  });
  await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${shop.address().port}`;
  server = await new Server([...patient, '--allow-origin', origin]).start();
  try {
    const page = await open(browser, `${origin}/`);
    await page.evaluate(() => {
      window.violations = [];
      document.addEventListener('securitypolicyviolation', (event) =>
        window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`),
      );
    });
    await until('Spanish', async () => (await text(page, '#start span')) === 'Abrir la cámara');
    check((await text(page, '#shade-name')) === 'Laguna', 'the shade is not the requested one');
    await page.evaluate(() => {
      window.told = [];
      document.addEventListener('lacquer-look', ({ detail }) => window.told.push(detail.color));
    });
    await shade(page, 'Cobalto');
    const told = await page.evaluate(() => window.told.at(-1));
    check(told === '#1f4fb5', `the shop got ${told}`);
    await live(page);
    await frames(page, 3);
    await saved(page);
    await openPhoto(page);
    await shot(page, 'embedded');
    const violations = await page.evaluate(() => window.violations);
    check(violations.length === 0, `the shop's policy was violated: ${violations.join(', ')}`);
    const stopped = await page.evaluate(() => {
      document.querySelector('lacquer-tryon').remove();
      return true;
    });
    check(stopped, 'the element was not removed');
    clean(page, /favicon/);
  } finally {
    await server.kill();
    shop.close();
  }
};

// The server below a path of the shop's own host, the script from another one, in a page that only
// accepts what is meant for other origins (COEP).
tests.works_below_a_path_in_an_isolated_page = async ({ browser }) => {
  let server;
  const pass = ({ url, headers }, response) => {
    const to = http.get(new URL(url.slice('/try/'.length), server.url), { headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    to.on('error', () => response.destroy());
  };
  const shop = http.createServer((request, response) => {
    if (request.url.startsWith('/try/')) {
      pass(request, response);
      return;
    }
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    response.end(`<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
      <script type="module" src="${server.url}tryon.js"></script>
      <lacquer-tryon server="/try" device="/runtime"></lacquer-tryon></html>`);
  });
  await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${shop.address().port}`;
  server = await new Server([...patient, '--allow-origin', origin]).start();
  try {
    const page = await open(browser, `${origin}/`);
    check(await page.evaluate(() => crossOriginIsolated), 'the page is not isolated');
    const device = await page.evaluate(() => String(tryon().live.device));
    check(device === `${origin}/runtime/`, `the runtime is looked for in ${device}`);
    const rules = await page.evaluate(() => {
      const { sheet } = document.querySelector('lacquer-tryon').shadowRoot.querySelector('link');
      return sheet.cssRules.length; // throws if the style sheet was blocked
    });
    check(rules > 0, 'the style sheet is empty');
  } finally {
    await server.kill();
    shop.close();
  }
};

// The example page is served and contains the element.
tests.example_page_works = async ({ browser, server }) => {
  const page = await open(browser, `${server.url}embed.html`);
  const named = async () => (await text(page, '#shade-name')) === 'Oxblood';
  await until("the example's shade, by its name", named);
  await shot(page, 'desktop-example');
  clean(page);
  await audit(page, 'example');
};

// An element that is removed while the browser still asks for the camera.
tests.a_camera_allowed_too_late_stays_off = async ({ browser, server }) => {
  const page = await open(browser, `${server.url}embed.html`, {
    permissions: ['camera'],
    beforePage: () => {
      const { mediaDevices } = navigator;
      const ask = mediaDevices.getUserMedia.bind(mediaDevices);
      window.asked = new Promise((asked) => {
        mediaDevices.getUserMedia = (wanted) => {
          asked();
          return new Promise((resolve) => {
            window.allow = async () => {
              const stream = await ask(wanted);
              resolve(stream);
              return stream;
            };
          });
        };
      });
    },
  });
  const seen = await page.evaluate(async () => {
    const element = document.querySelector('lacquer-tryon');
    const { app } = element;
    part('start').click();
    await window.asked;
    element.remove();
    const [track] = (await window.allow()).getTracks();
    await new Promise((resolve) => setTimeout(resolve));
    document.querySelector('main').append(element);
    return { track: track.readyState, mode: app.mode, live: app.live.running };
  });
  check(`${Object.values(seen)}` === 'ended,empty,false', JSON.stringify(seen));
  check(await page.isHidden('#busy'), 'the page still says that the camera starts');
  clean(page);
};

// A picture for another part of the shop's page is not opened; one for the element is.
tests.a_shop_keeps_its_own_files = async ({ browser, server }) => {
  const page = await open(browser, `${server.url}embed.html`);
  const opened = await page.evaluate(() => {
    const names = [];
    tryon().photo.load = ({ name }) => names.push(name);
    for (const [where, target] of Object.entries({ chat: document.body, stage: part('stage') }))
      for (const type of ['drop', 'paste']) {
        const transfer = new DataTransfer();
        transfer.items.add(new File(['…'], `${type} on ${where}`, { type: 'image/png' }));
        const init = { bubbles: true, composed: true, cancelable: true };
        target.dispatchEvent(
          type === 'drop'
            ? new DragEvent(type, { ...init, dataTransfer: transfer })
            : new ClipboardEvent(type, { ...init, clipboardData: transfer }),
        );
      }
    return names;
  });
  check(`${opened}` === 'drop on stage,paste on stage', `opened: ${opened}`);
  clean(page);
};

// Notes what an element leaves with the page around it: `held`, its listeners there; `waiting`, its
// timers to request the catalogue again, which is refused while `away` is set.
function watchAround() {
  window.held = new Set();
  for (const target of [window, document, navigator.mediaDevices]) {
    const { addEventListener: add, removeEventListener: remove } = target;
    target.addEventListener = (type, call, options) => {
      const one = { target, type, call };
      if (/\/tryon/.test(new Error().stack)) held.add(one); // the driver listens too
      options?.signal?.addEventListener('abort', () => held.delete(one));
      add.call(target, type, call, options);
    };
    target.removeEventListener = (type, call, options) => {
      for (const one of held)
        if (one.target === target && one.type === type && one.call === call) held.delete(one);
      remove.call(target, type, call, options);
    };
  }
  const { fetch, setTimeout: later } = window;
  window.asked = 0;
  window.waiting = [];
  window.fetch = (url, ...rest) => {
    if (!window.away || !String(url).endsWith('looks.json')) return fetch(url, ...rest);
    window.asked++;
    return Promise.reject(new TypeError('away'));
  };
  window.setTimeout = (call, ms, ...rest) =>
    window.away && ms === 3000 ? waiting.push(call) : later(call, ms, ...rest);
}

// An application mounts and unmounts the element as often as it likes.
tests.a_removed_element_leaves_nothing = async ({ browser, server }) => {
  const page = await open(browser, `${server.url}embed.html`, {
    permissions: ['camera'],
    beforePage: watchAround,
  });
  const heldNow = () => page.evaluate(() => [...held].map(({ type }) => type).sort().join());
  const mounted = await heldNow();
  check(mounted !== '', 'no listener is noted');
  await live(page);
  check(page.workers().length > 0, 'no worker encodes');
  await page.evaluate(() => {
    window.element = document.querySelector('lacquer-tryon');
    element.remove();
  });
  check((await heldNow()) === '', `left behind: ${await heldNow()}`);
  await until('the end of the workers', () => page.workers().length === 0);
  await page.evaluate(() => document.querySelector('main').append(element));
  check((await heldNow()) === mounted, `${await heldNow()} instead of ${mounted}`);
  clean(page);
};

tests.a_removed_element_asks_for_no_catalogue = async ({ browser, server }) => {
  const page = await open(browser, `${server.url}embed.html`, { beforePage: watchAround });
  const asked = await page.evaluate(async () => {
    window.away = true;
    const counts = [];
    const settle = () => new Promise((resolve) => setTimeout(resolve));
    const again = async () => {
      await settle();
      waiting.splice(0).forEach((call) => call());
      await settle();
      counts.push(window.asked);
    };
    const element = document.createElement('lacquer-tryon');
    document.body.append(element);
    await again();
    element.remove();
    await again();
    await again();
    document.body.append(element);
    await again();
    return counts;
  });
  check(`${asked}` === '2,2,2,4', `requests: ${asked}`);
  clean(page);
};
