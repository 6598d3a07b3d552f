// Draws the icons for phones' home screens from web/favicon.svg with Chromium.
//
//   cd tests/e2e && node ../../tools/make_icons.mjs
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../tests/e2e/browser-harness.mjs';

const web = path.join(path.dirname(fileURLToPath(import.meta.url)), '../web');
const svg = fs.readFileSync(path.join(web, 'favicon.svg'), 'utf8');
// A system cuts a circle or another shape out of a maskable icon: only the middle 80 % are safe.
const icons = [['192', 192, svg], ['512', 512, svg],
  ['maskable-512', 512, svg.replace('viewBox="0 0 64 64"', 'viewBox="-6 -6 76 76"')
    .replace('<rect width="64" height="64" rx="16"',
             '<rect x="-6" y="-6" width="76" height="76"')]];

const browser = await launch();
for (const [name, size, picture] of icons) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body{margin:0}svg{display:block;width:100vw}</style>${picture}`);
  const file = path.join(web, 'icons', `${name}.png`);
  await page.screenshot({ path: file, omitBackground: true });
}
await browser.close();
