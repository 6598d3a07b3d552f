// The page in its environment: loading over slow networks, links to looks, sharing, installing, and
// events for the surrounding page.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  Server, artifacts, check, clean, golden, live, notice, open, patient, pictureSize, root, shade,
  shared, shot, sleep, software, text, until, withCamera,
} from './browser-harness.mjs';
import { load } from './browser-network.mjs';

export const tests = {};

// Each response is delayed by a second, so that requests of one wave can be told from later ones.
tests.page_loads_in_three_waves = async ({ browser, server }) => {
  const slow = { latencyMs: 1000, kbit: 1638 };
  const { requests, waves, bytes, firstPaintMs } = await load(browser, server.url, slow);
  const list = requests.map(({ url, wave }) => `${wave} ${url.replace(server.url, '/')}`);
  check(waves <= 3, `${waves} waves: ${list.join(', ')}`);
  check(requests.length <= 14, `${requests.length} requests: ${list.join(', ')}`);
  check(bytes <= 150000, `${bytes} bytes before the camera`);
  // Painted with the first wave's responses: no later one can have arrived by then.
  const later = requests.filter(({ wave, end }) => wave > 1 && end);
  const second = Math.min(...later.map(({ end }) => end));
  const secondMs = 1000 * (second - requests[0].start);
  check(firstPaintMs < secondMs, `painted after ${firstPaintMs} ms, the rest from ${secondMs}`);
  const hashed = requests.filter(({ url }) => /-\w{8,10}\.(js|css)$/.test(url));
  check(hashed.length >= 2, `no hashed files: ${list.join(', ')}`);
  return { waves, requests: requests.length, bytes };
};

// After an update, a cached stub may name a bundle that no longer exists: the single modules are
// loaded instead.
tests.an_update_breaks_no_page = async ({ browser, server }) => {
  const context = { locale: 'de-DE' };
  const gone = await (await fetch(`${server.url}tryon-00000000.js`)).status;
  check(gone === 404, `a request for an old bundle returned ${gone}`);
  const page = await open(browser, server.url, context);
  check(
    page.asked.some((url) => /lang|de-\w{8}\.js$/.test(url)),
    'no German was downloaded',
  );
  const asked = page.asked.length;
  await page.route(/tryon-\w{8}\.js/, (route) => route.fulfill({ status: 404, body: '' }));
  await page.reload();
  await page.waitForSelector('.swatch');
  const again = page.asked.slice(asked).filter((url) => url.endsWith('/ui/app.js'));
  check(again.length === 1, 'the modules were not loaded');
  check((await text(page, '#start span')) === 'Kamera starten', 'no German from the modules');
};

// A page that stayed open during an update, and whose parts are gone: it says what to do.
tests.parts_that_are_gone_are_reported = async ({ server }) => {
  const browser = await shared([...software, withCamera]);
  const page = await open(browser, `${server.url}?engine=device`);
  const parts = /(sheet|de|worker)-\w{8,10}\.js/;
  await page.route(parts, (route) => route.fulfill({ status: 404, body: '' }));
  const reported = async (what) => {
    await notice(page, /reload the page/);
    check((await text(page, '#notice-action')) === 'Reload', `${what}: no button`);
    await page.click('#notice-close');
  };
  await page.click('#share-look');
  await reported('sharing');
  await page.selectOption('#language', 'de');
  await reported('another language');
  check((await page.inputValue('#language')) === 'en', 'the menu names a language that is missing');
  await page.click('#start');
  await reported('the worker');
  clean(page, /404/);
};

// ---- links to looks

export const worn = (page) => page.evaluate(() => tryon().lookStore.main.json);

// Every look of the catalogue, and looks with every kind of field, survive the way through a link
// unchanged; random texts do not break the parser.
tests.links_hold_whole_looks = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const result = await page.evaluate(async () => {
    const { readLook, writeLook } = await import('/share/link.js');
    const { Look } = await import('/look/look.js');
    const { catalogue } = tryon();
    const sorted = (value) =>
      JSON.stringify(value, (key, part) =>
        part && typeof part === 'object' && !Array.isArray(part)
          ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
          : part,
      );
    const looks = catalogue.looks.map(({ look }) => look);
    const plain = { color: '#5a1118', finish: 'gloss' };
    looks.push(
      { ...plain, texture: 0.25, opacity: 0.8, sheen: false, coats: 3, gloss: 0.35 },
      {
        ...plain,
        ombre: { color: '#ffffff', from: 0.1, to: 0.95 },
        shape: { kind: 'coffin', length: 0.7 },
      },
      {
        ...plain,
        french: { color: '#fbf8f2', width: 0.3, curve: 0.5, shape: 'chevron' },
        fingers: {
          ring: {
            color: '#d4af37',
            finish: { name: 'cat-eye', angle: -30, colors: ['#aa0011'] },
            french: null,
          },
          thumb: { color: '#000000', pattern: { image: 'hearts', opacity: 0.5 } },
        },
      },
    );
    const wrong = [];
    let longest = 0;
    for (const look of looks) {
      const before = new Look('test.before');
      before.wear(look);
      const said = writeLook(before.json);
      longest = Math.max(longest, said.length);
      const read = readLook(new URLSearchParams(`look=${said}`).get('look'), catalogue);
      const after = new Look('test.after');
      after.wear(read?.look ?? {});
      if (!read || read.lost.length || sorted(after.json) !== sorted(before.json))
        wrong.push(`${said}: ${JSON.stringify(after.json)} not ${JSON.stringify(before.json)}`);
      if (encodeURI(said) !== said) wrong.push(`${said} needs escaping in an address`);
    }
    const names = catalogue.looks.map(({ name, look }) => [name, writeLook(look, catalogue.looks)]);
    return {
      wrong,
      longest,
      unnamed: names.filter(([name, said]) => said !== name),
      count: looks.length,
    };
  });
  check(result.wrong.length === 0, result.wrong.slice(0, 3).join(' | '));
  check(result.unnamed.length === 0, `looks without their name: ${result.unnamed}`);
  check(result.longest < 400, `a link of ${result.longest} characters`);
  return { looks: result.count, longest: result.longest };
};

tests.any_text_in_a_link_is_a_look_or_none = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const looks = await page.evaluate(async () => {
    const { readLook } = await import('/share/link.js');
    const { Look } = await import('/look/look.js');
    const odd = 'c*5a1118~f\'gloss(!)n-.0_%{}"abR';
    let random = 1;
    let count = 0;
    const next = (limit) => (random = (random * 48271) % 2147483647) % limit;
    for (let i = 0; i < 20000; i++) {
      const letters = Array.from({ length: next(40) }, () => odd[next(odd.length)]);
      const read = readLook(letters.join(''), tryon().catalogue);
      if (!read) continue;
      new Look('test.odd').wear(read.look);
      count++;
    }
    return count;
  });
  check(looks > 0 && looks < 20000, `${looks} of 20000 random texts were read as looks`);
  clean(page);
};

tests.a_link_opens_its_look = async ({ browser, server }) => {
  const page = await open(
    browser,
    `${server.url}?look=c*1f4fb5~f'matte~n(R(c*d4af37))&second=valentine`,
  );
  await until('the look', async () => (await worn(page)).color === '#1f4fb5');
  const look = await worn(page);
  check(look.finish === 'matte' && look.fingers.ring.color === '#d4af37', JSON.stringify(look));
  check(look.fingers.ring.finish === 'matte', "the finger does not inherit the hand's finish");
  const second = await page.evaluate(() => tryon().lookStore.second.json);
  check(second.fingers.ring.pattern.image === 'hearts', 'no second look');
  clean(page);
  // An invalid link changes nothing and shows a message; a link with an unknown part shows one too.
  await page.goto(`${server.url}?look=<script>`);
  await notice(page, /does not contain a look/);
  check((await worn(page)).color === '#1f4fb5', 'a broken link changed the look');
  await page.goto(`${server.url}?look=c*00ff00~p'of-another-server~h(d'square~l7)`);
  await notice(page, /left out/);
  const rest = await worn(page);
  check(rest.color === '#00ff00' && !rest.pattern && !rest.shape?.length, JSON.stringify(rest));
};

// A QR reader decodes the code on the screen to the link, and the link opens the look.
tests.a_qr_code_opens_the_look_on_a_phone = async ({ browser, server }) => {
  const page = await open(browser, server.url, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await until('the looks', () => page.evaluate(() => tryon().catalogue.looks.length));
  await page.evaluate(() => {
    window.shared = [];
    document.addEventListener('lacquer-share', ({ detail }) => window.shared.push(detail));
    tryon().lookStore.main.set({
      finish: 'matte',
      french: { color: '#fbf8f2', width: 0.25, curve: 0.5, shape: 'smile' },
    });
    tryon().lookStore.main.set({ color: '#d4af37' }, 'ring');
  });
  check(!page.asked.some((url) => /sheet/.test(url)), 'the sheet was downloaded too early');
  await page.click('#share-look');
  await page.waitForSelector('#share-sheet[open]');
  const link = await page.inputValue('#share-link');
  await shot(page, 'desktop-share-sheet');
  const file = path.join(artifacts, 'code.png');
  await page.locator('#share-sheet canvas').screenshot({ path: file });
  const read = execFileSync('zbarimg', ['-q', '--raw', '--nodbus', file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  check(String(read).trim() === link, `the code contains ${read}, the link is ${link}`);
  await page.click('#share-copy');
  await until(
    'the copy',
    async () => (await page.evaluate(() => navigator.clipboard.readText())) === link,
  );
  check((await page.evaluate(() => window.shared[0].how)) === 'copy', 'the page got no event');
  await page.keyboard.press('Escape');
  await until('the sheet to close', async () => !(await page.locator('#share-sheet').count()));
  const before = await worn(page);
  const phone = await open(browser, link, { viewport: { width: 390, height: 844 } });
  await until('the look', async () => (await worn(phone)).finish === 'matte');
  check(
    JSON.stringify(await worn(phone)) === JSON.stringify(before),
    'the phone shows another look',
  );
  await phone.click('#share-look');
  await phone.waitForSelector('#share-sheet[open]');
  await shot(phone, 'phone-share-sheet');
  clean(page);
  clean(phone);
};

// The system's share sheet gets the picture, a text and the link.
tests.a_picture_is_shared_with_its_link = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  await page.addInitScript(() => {
    navigator.canShare = () => true;
    navigator.share = async ({ files, text, url }) => {
      window.shared = { files: files.length, text, url };
    };
    window.told = [];
    document.addEventListener('lacquer-share', ({ detail }) => window.told.push(detail.how));
  });
  await page.goto(`${server.url}?look=valentine`);
  await until('the look', async () => (await worn(page)).color === '#f49ac1');
  await page.setInputFiles('#file', path.join(golden, 'light.jpg'));
  await until('the photo', () => page.evaluate(() => !part('share').disabled));
  await page.click('#share');
  const shared = await until('the picture', () => page.evaluate(() => window.shared));
  check(
    shared.files === 1 && shared.url === `${server.url}?look=valentine`,
    JSON.stringify(shared),
  );
  check(/on your own nails/.test(shared.text), shared.text);
  check((await page.evaluate(() => String(window.told))) === 'picture', 'the page got no event');
};

// ---- events and the shop's offer

const exports = path.join(root, 'tests/fuzz/corpus/shop');

export async function withShop(args, run) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'looks-'));
  const binary = process.env.LACQUER ?? path.join(root, 'build/lacquer');
  execFileSync(
    binary,
    [
      'looks',
      'import',
      path.join(exports, 'shopify.csv'),
      '--out',
      folder,
      '--force',
      '--currency',
      'EUR',
      '--shop',
      'http://127.0.0.1:9/shop',
    ],
    { stdio: 'ignore' },
  );
  const shades = JSON.parse(fs.readFileSync(path.join(folder, 'shades.json')));
  for (const one of shades) if (one.sku === 'ER-02') delete one.stock;
  fs.writeFileSync(path.join(folder, 'shades.json'), JSON.stringify(shades));
  const server = await new Server([...patient, '--looks', folder, ...args]).start();
  try {
    return await run(server);
  } finally {
    await server.kill();
    fs.rmSync(folder, { recursive: true });
  }
}

tests.a_shade_is_bought = ({ browser }) =>
  withShop([], async (server) => {
    const page = await open(browser, server.url);
    await until('the looks', () => page.evaluate(() => tryon().catalogue.looks.length));
    check(await page.isHidden('#offer'), 'an offer for a shade without a shop');
    await page.evaluate(() => {
      window.bought = [];
      document.addEventListener('lacquer-buy', (event) => {
        window.bought.push(event.detail);
        if (window.keep) event.preventDefault();
      });
    });
    await page.evaluate(() => tryon().lookStore.set({ color: '#b0122b' }));
    check(/Lacquer & Co · €12.90/.test(await text(page, '#offer')), await text(page, '#offer'));
    await shot(page, 'desktop-offer');
    const [shopPage] = await Promise.all([page.context().waitForEvent('page'), page.click('#buy')]);
    const href = await page.getAttribute('#buy', 'href');
    check(href === 'http://127.0.0.1:9/shop/products/evening-reds', `it leads to ${href}`);
    await shopPage.close();
    await page.evaluate(() => {
      window.keep = true;
    });
    await page.click('#buy');
    await sleep(300);
    check(page.context().pages().length === 1, 'a page was opened although the shop cancelled');
    const [detail] = await page.evaluate(() => window.bought);
    check(
      detail.sku === 'ER-02' &&
        detail.shade === 'Cherry Stem' &&
        detail.price === '12.90' &&
        detail.look.color === '#b0122b',
      JSON.stringify(detail),
    );
    await page.selectOption('#language', 'de');
    await until('German', async () => /12,90/.test(await text(page, '#offer')));
    await page.setViewportSize({ width: 390, height: 844 });
    await shot(page, 'phone-offer');
    clean(page, /favicon/);
  });

tests.the_surrounding_page_gets_every_event = ({ browser }) =>
  withShop([], async (server) => {
    const page = await open(browser, server.url);
    await page.addInitScript(() => {
      window.told = [];
      for (const type of ['ready', 'start', 'stop', 'error', 'look', 'nails', 'picture'])
        document.addEventListener(`lacquer-${type}`, ({ detail }) =>
          window.told.push({ type, detail }),
        );
    });
    await page.reload();
    const told = (type) =>
      page.evaluate(
        (t) => window.told.filter((one) => one.type === t).map(({ detail }) => detail),
        type,
      );
    const [ready] = await until('ready', async () => (await told('ready')).length && told('ready'));
    check(ready.looks > 10 && ready.shades > 20, JSON.stringify(ready));
    await page.evaluate(() => {
      tryon().lookStore.set({ color: '#5a1118' });
      tryon().lookStore.main.set({ color: '#b0122b' }, 'ring');
    });
    const look = (await told('look')).at(-1);
    check(
      look.color === '#5a1118' && look.shade === 'Oxblood' && look.sku === 'ER-01',
      JSON.stringify(look),
    );
    check(
      look.fingers.ring.shade === 'Cherry Stem' && look.fingers.ring.sku === 'ER-02',
      JSON.stringify(look.fingers),
    );
    check(look.look.fingers.ring.color === '#b0122b' && look.second === null, JSON.stringify(look));
    await live(page);
    check((await told('start'))[0].source === 'camera', JSON.stringify(await told('start')));
    await until('nails', async () => (await told('nails')).some(({ count }) => count >= 0));
    await page.click('#stop');
    check((await told('stop'))[0].source === 'camera', JSON.stringify(await told('stop')));
    await page.setInputFiles('#file', {
      name: 'a.jpg',
      mimeType: 'image/jpeg',
      buffer: Buffer.from('no picture'),
    });
    const [error] = await until(
      'an error',
      async () => (await told('error')).length && told('error'),
    );
    check(error.kind === 'photo' && error.message.length > 10, JSON.stringify(error));
  });

// ---- on a phone's screen

tests.the_page_is_installed_and_opens_offline = async ({ browser, server }) => {
  const page = await open(browser, server.url, { serviceWorkers: 'allow' });
  const manifest = await (await fetch(`${server.url}manifest.webmanifest`)).json();
  for (const { src, sizes, type } of manifest.icons.filter(({ type }) => type === 'image/png')) {
    const response = await fetch(new URL(src, server.url));
    check(response.headers.get('content-type') === type, `${src} is no ${type}`);
    const size = pictureSize(Buffer.from(await response.arrayBuffer()));
    check(size.join('x') === sizes, `${src} is ${size}`);
  }
  check(
    manifest.icons.some(({ purpose }) => purpose === 'maskable'),
    'no maskable icon',
  );
  await until(
    'the worker',
    () => page.evaluate(() => navigator.serviceWorker.controller !== null),
  );
  const session = await page.context().newCDPSession(page);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  const faults = installabilityErrors.map(({ errorId }) => errorId);
  check(
    faults.every((id) => id === 'in-incognito'),
    `not installable: ${faults}`,
  );
  await page.evaluate(() => fetch('/api/looks').then((r) => r.text()));
  const kept = await page.evaluate(async () => {
    const all = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys()) all.push(new URL(url).pathname);
    return all;
  });
  check(kept.includes('/') && kept.some((name) => /tryon-\w{8}\.js/.test(name)), `kept: ${kept}`);
  check(
    !kept.some((name) => /^\/(api|ws|socket|metrics|readyz)/.test(name)),
    `API responses in the cache: ${kept}`,
  );
  await page.context().setOffline(true);
  await page.reload();
  await page.waitForSelector('#start');
  check((await text(page, '#start span')) === 'Start camera', 'the page does not load offline');
  await page.context().setOffline(false);
};
