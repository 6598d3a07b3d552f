// Accessibility: no violation of axe-core's rules, contrast, and motion that stops.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { check, frames, live, notice, open, shade, shot, until } from './browser-harness.mjs';
import { openPhoto } from './browser-shop.mjs';

export const tests = {};

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// On a phone the panel's parts are tabs.
async function openTab(page, name) {
  const tab = page.locator(`#tabs [data-open=${name}]`);
  if (await tab.isVisible()) await tab.click();
}

// only: names of axe's rules; default: all that axe applies.
export async function audit(page, state, only = null) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(
    (rules) => window.axe.run(document, rules ? { runOnly: rules } : {}),
    only,
  );
  const lines = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.flat().join(' ')).join(', ')}`,
  );
  check(violations.length === 0, `${state}: ${lines.join(' | ')}`);
}

const laptop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true };
const ofColours = ['color-contrast', 'link-in-text-block'];

// Every state of the page, with every user preference. Dark and forced colours differ from the
// first two in colours alone (style/access.css).
for (const [name, options, only] of [
  ['on_a_laptop', { ...laptop, colorScheme: 'light' }],
  ['on_a_phone', { ...phone, colorScheme: 'dark' }],
  ['in_high_contrast', { ...phone, contrast: 'more' }, ofColours],
  ['in_forced_colours', { ...laptop, forcedColors: 'active' }, ofColours],
])
  tests[`axe_finds_nothing_${name}`] = async ({ browser, server }) => {
    const calm = { ...options, reducedMotion: 'reduce' };
    const page = await open(browser, `${server.url}?stats`, calm);
    const look = (state) => audit(page, state, only);
    await look('start');
    await openTab(page, 'more');
    await page.click('#more summary');
    await look('settings open');
    for (const name of ['art', 'shape', 'looks', 'shade']) {
      await openTab(page, name);
      if (await page.isVisible('#tabs')) await look(name);
    }
    await page.fill('#search', 'zzz');
    await look('nothing found');
    await page.fill('#search', '');
    await openPhoto(page);
    await openTab(page, 'nail');
    const one = page.locator('#nail-list input').nth(1);
    await until('one nail chosen', async () => {
      await one.click({ force: true });
      return one.isChecked();
    });
    await openTab(page, 'shade');
    await shade(page, 'Cobalt');
    await page.fill('#search', 'blue');
    await look('photo, one nail, shades searched');
    await page.fill('#search', '');
    await page.click('#compare');
    await page.check('input[name=versus][value=second]', { force: true });
    await look('photo with two looks');
    await page.click('#compare');
    await page.click('#stop');
    await until('a frame', async () => (await page.getAttribute('#stage', 'data-mode')) === 'live');
    await frames(page, 2);
    await page.click('#hud summary');
    await look('live with figures');
    await page.click('#stop');
    await page.setInputFiles('#file', {
      name: 'not.jpg',
      mimeType: 'image/jpeg',
      buffer: Buffer.from('hello'),
    });
    await notice(page, /was not painted/);
    await look('a message');
    await page.selectOption('#language', 'ar');
    await until('Arabic', async () => (await page.getAttribute('#app', 'dir')) === 'rtl');
    await look('Arabic');
  };

// Contrast of text against its background, in both schemes: 4.5 to 1 or better.
tests.contrast_and_motion = async ({ browser, server }) => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await open(browser, server.url, { colorScheme, reducedMotion: 'reduce' });
    await page.click('#more summary');
    const low = await page.evaluate(() => {
      const parse = (text) => text.match(/[\d.]+/g).map(Number);
      const light = ([r, g, b]) =>
        [r, g, b]
          .map((v) => v / 255)
          .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
          .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const ground = (node) => {
        for (let n = node; n; n = n.parentElement) {
          const style = getComputedStyle(n);
          const [r, g, b, a = 1] = parse(style.backgroundColor);
          if (a > 0.9) return [r, g, b];
          if (n.id === 'stage') return [42, 33, 37];
        }
        throw new Error(`${node.id || node.className} stands on no ground`);
      };
      const bad = [];
      for (const node of parts(
        'p, span, b, small, legend, summary, output, button, input, select, h2',
      )) {
        const own =
          [...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) ||
          node.matches('#hex, select');
        if (
          !own ||
          !node.checkVisibility() ||
          node.closest('.sr, .skip, .drop, .tag, .hud, .busy, [hidden]')
        )
          continue;
        const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const value = ratio(light(parse(getComputedStyle(node).color)), light(ground(node)));
        if (value < 4.5)
          bad.push(`${node.id || node.className || node.textContent.trim()}: ${value.toFixed(2)}`);
      }
      return bad;
    });
    check(low.length === 0, `${colorScheme}: ${low.join(', ')}`);
    await live(page);
    const seconds = await page
      .locator('.dot')
      .evaluate((n) => parseFloat(getComputedStyle(n).animationDuration));
    check(seconds < 0.001, `motion goes on for ${seconds} s`);
    await shot(page, `desktop-${colorScheme}-live`);
  }
};
