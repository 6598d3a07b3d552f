// The try-on in pages of others: the code that docs/integrations shows, taken from there, in a page
// of each kind on an origin of its own.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { check, clean, open, root, text, until } from './browser-harness.mjs';
import { withShop, worn } from './browser-ecosystem.mjs';

export const tests = {};

async function serve(pages) {
  const { createServer } = await import('node:http');
  const asked = [];
  const shop = createServer((request, response) => {
    const at = request.url.split('?')[0];
    asked.push(`${request.method} ${at}`);
    const [type, body] = pages[at] ?? ['text/plain', ''];
    response.setHeader('content-type', type);
    response.end(body);
  });
  await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${shop.address().port}`,
    asked,
    pages,
    close: () => shop.close(),
  };
}

// The code that a documentation page shows, by its language.
const shown = (name, language) =>
  new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(
    fs.readFileSync(path.join(root, 'docs/integrations', `${name}.md`), 'utf8'),
  )[1];
const html = (body) => [
  'text/html; charset=utf-8',
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><body>${body}`,
];
const bought = (page) => page.evaluate(() => document.body.dataset.basket);

async function inShop(browser, makePages, run) {
  const shop = await serve({});
  try {
    await withShop(
      ['--allow-origin', shop.origin, '--frame-ancestors', shop.origin],
      async (server) => {
        Object.assign(shop.pages, await makePages(server.url));
        await run(shop, server);
      },
    );
  } finally {
    shop.close();
  }
}

async function buysCherry(page) {
  await until('the looks', () => page.evaluate(() => tryon().catalogue.looks.length));
  await until('the look of the page', async () => (await worn(page)).color === '#f49ac1');
  await page.evaluate(() => tryon().lookStore.set({ color: '#b0122b' }));
  await page.click('#buy');
}

tests.plain_html_as_documented = ({ browser }) =>
  inShop(
    browser,
    (server) => ({
      '/': html(shown('html', 'html').replaceAll('https://polish.example/', server)),
    }),
    async (shop) => {
      const page = await open(browser, `${shop.origin}/`);
      await buysCherry(page);
      check(
        (await bought(page)) === 'ER-02' && (await page.title()) === 'Cherry Stem',
        'the page got no event',
      );
      clean(page, /favicon/);
    },
  );

// Bundles the documented code as a shop's bundler would.
function bundle(name, code, extension) {
  const folder = fs.mkdtempSync(path.join(root, 'tests/e2e', `.${name}-`));
  try {
    fs.copyFileSync(path.join(root, 'web/tryon.d.ts'), path.join(folder, 'lacquer.d.ts'));
    fs.writeFileSync(path.join(folder, `page.${extension}`), code);
    fs.writeFileSync(path.join(folder, 'shims.d.ts'), "declare module 'react-dom/client';\n");
    const modules = process.env.NODE_PATH ?? path.join(root, 'tests/e2e/node_modules');
    const tsc = path.join(modules, 'typescript/bin/tsc');
    fs.writeFileSync(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          target: 'es2022',
          module: 'esnext',
          moduleResolution: 'bundler',
          jsx: 'react-jsx',
          types: [],
          skipLibCheck: true,
          lib: ['es2022', 'dom', 'dom.iterable'],
          paths: { '*': [`${modules}/@types/*`, `${modules}/*`] },
        },
        include: ['*'],
      }),
    );
    execFileSync(process.execPath, [tsc, '-p', folder], { stdio: 'pipe' });
    return execFileSync(
      'esbuild',
      [
        path.join(folder, `page.${extension}`),
        '--bundle',
        '--minify',
        '--jsx=automatic',
        '--define:process.env.NODE_ENV="production"',
        '--define:__VUE_OPTIONS_API__=true',
        '--define:__VUE_PROD_DEVTOOLS__=false',
        '--define:__VUE_PROD_HYDRATION_MISMATCH_DETAILS__=false',
        '--log-level=error',
      ],
      { env: { ...process.env, NODE_PATH: modules } },
    );
  } catch (error) {
    throw new Error(`${error.message} ${error.stdout}`);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const app = (server) =>
  html(
    `<div id="app"></div><script type="module" src="${server}tryon.js"></script>` +
      '<script src="/page.js"></script>',
  );

const framework =
  (name, language, extension, mount) =>
  ({ browser }) =>
    inShop(
      browser,
      (server) => ({
        '/': app(server),
        '/page.js': [
          'text/javascript; charset=utf-8',
          bundle(name, shown(name, language) + mount, extension),
        ],
      }),
      async (shop) => {
        const page = await open(browser, `${shop.origin}/`);
        await buysCherry(page);
        await until('the basket', async () => (await bought(page)) === 'ER-02');
        check(
          (await text(page, 'output')) === 'Cherry Stem',
          `the shade is named ${await text(page, 'output')}`,
        );
        await page.evaluate(() => window.change('polka'));
        await until('another look', async () => (await worn(page)).pattern?.image === 'dots');
        clean(page, /favicon/);
      },
    );

tests.react_as_documented = framework(
  'react',
  'tsx',
  'tsx',
  `
import { createRoot } from 'react-dom/client';
const buy = (sku?: string) => { document.body.dataset.basket = sku; };
const tree = createRoot(document.getElementById('app')!);
const show = (look: string) => tree.render(<TryOn look={look} onBuy={buy} />);
Object.assign(window, { change: show });
show('valentine');
`,
);

tests.vue_as_documented = framework(
  'vue',
  'ts',
  'ts',
  `
import { createApp } from 'vue';
const look = ref('valentine');
const buy = (sku?: string) => { document.body.dataset.basket = sku; };
createApp({ render: () => h(TryOn, { look: look.value, onBuy: buy }) }).mount('#app');
Object.assign(window, { change: (name: string) => { look.value = name; } });
`,
);

// The section with Shopify's values filled in, and a replacement for its cart.
tests.shopify_as_documented = ({ browser }) =>
  inShop(
    browser,
    (server) => {
      const values = [
        ['{{ section.settings.server }}', server],
        ['{{ product.selected_or_first_available_variant.metafields.custom.hex }}', '#b0122b'],
        ['{{ request.locale.iso_code | slice: 0, 2 }}', 'de'],
        ['{{ product.variants | json }}', JSON.stringify([{ id: 1001, sku: 'ER-02' }])],
      ];
      const liquid = shown('shopify', 'liquid').replace(/\{% schema %\}[\s\S]*/, '');
      const section = values.reduce((all, [name, value]) => all.replaceAll(name, value), liquid);
      check(!/\{[{%]/.test(section), `unknown Liquid is left: ${section}`);
      return { '/': html(section), '/cart': html('<h1>Cart</h1>') };
    },
    async (shop) => {
      const page = await open(browser, `${shop.origin}/`);
      await until('the shade', async () => (await worn(page)).color === '#b0122b');
      await until('German', async () => (await text(page, '#buy')) === 'Kaufen');
      await page.click('#buy');
      await page.waitForURL('**/cart');
      check(shop.asked.includes('POST /cart/add.js'), `asked ${shop.asked}`);
    },
  );

tests.wordpress_as_documented = ({ browser }) =>
  inShop(
    browser,
    (server) => ({
      '/': html(shown('wordpress', 'html').replaceAll('https://polish.example/', server)),
    }),
    async (shop) => {
      const page = await open(browser, `${shop.origin}/`);
      await until('the look', async () => (await worn(page)).color === '#f49ac1');
      clean(page, /favicon/);
    },
  );

// In a frame on another origin to which the camera is delegated; other origins may not frame it.
tests.a_frame_as_documented = ({ browser }) =>
  inShop(
    browser,
    (server) => ({
      '/': html(shown('iframe', 'html').replaceAll('https://polish.example/', server)),
    }),
    async (shop) => {
      const stranger = await serve(shop.pages);
      try {
        const context = await browser.newContext({ permissions: ['camera'], locale: 'en-US' });
        const page = await context.newPage();
        await page.goto(`${shop.origin}/`);
        const frame = page.frameLocator('iframe');
        await frame.locator('#start').click();
        await until(
          'a picture',
          () => frame.locator('#canvas').evaluate((c) => Number(c.dataset.frame ?? 0)),
        );
        await page.goto(`${stranger.origin}/`);
        const inside = () => page.frames()[1]?.url() ?? '';
        await until('the frame to be refused', async () => inside().startsWith('chrome-error:'));
        check(!(await frame.locator('#start').count()), 'a foreign origin frames the page');
        await context.close();
      } finally {
        stranger.close();
      }
    },
  );
