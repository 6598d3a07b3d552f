// The page's texts in each of its languages.
import fs from 'node:fs';
import path from 'node:path';
import { check, clean, frames, live, open, root, shot, text, until } from './browser-harness.mjs';

export const tests = {};

// Every language has every text of the English file, with the same placeholders and its own
// plurals.
tests.languages_are_complete = async () => {
  const folder = path.join(root, 'web/lang');
  const load = async (file) => {
    const code = fs.readFileSync(path.join(folder, file), 'utf8');
    const url = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
    return (await import(url)).default;
  };
  const english = await load('en.js');
  const stems = new Set();
  for (const key of Object.keys(english)) if (key.endsWith('.one')) stems.add(key.slice(0, -4));
  const files = fs.readdirSync(folder);
  check(files.length >= 4, `only ${files}`);
  const gaps = (line) => [...line.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort();
  for (const file of files) {
    const texts = await load(file);
    for (const [key, line] of Object.entries(english)) {
      check(typeof texts[key] === 'string' && texts[key], `${file} lacks ${key}`);
      const plural = stems.has(key.replace(/\.\w+$/, ''));
      check(plural || String(gaps(texts[key])) === String(gaps(line)), `${file}: gaps in ${key}`);
    }
    const { pluralCategories } = new Intl.PluralRules(file.slice(0, 2)).resolvedOptions();
    for (const stem of stems)
      for (const category of pluralCategories)
        check(texts[`${stem}.${category}`], `${file} lacks ${stem}.${category}`);
    for (const key of Object.keys(texts)) {
      const known = key in english || stems.has(key.replace(/\.\w+$/, ''));
      check(known, `${file}: nothing uses ${key}`);
    }
  }
};

// A language is listed in four more places: what the page offers, what it downloads, the token
// page, and the types.
tests.languages_are_listed_everywhere = async () => {
  const read = (file) => fs.readFileSync(path.join(root, 'web', file), 'utf8');
  const files = fs.readdirSync(path.join(root, 'web/lang')).map((file) => file.slice(0, -3));
  const all = (text, pattern) => [...text.matchAll(pattern)].map(([, code]) => code);
  const i18n = read('ui/i18n.js');
  const [offered] = i18n.match(/languages = \{[^}]*\}/);
  const [type] = read('tryon.d.ts').match(/lang\?: [^;]*/);
  for (const [place, codes] of Object.entries({
    'languages in ui/i18n.js': all(offered, /(\w+): '/g),
    'imported in ui/i18n.js': ['en', ...all(i18n, /(\w+): \(\) => import/g)],
    'token.js': all(read('token.js'), /^ {4}(\w\w): \{/gm),
    'tryon.d.ts': all(type, /'(\w+)'/g),
    'tryon.js': all(read('tryon.js').match(/^\/\/ {3}lang {5}.*/m)[0], /"(\w\w)"/g),
  }))
    check(String(codes.sort()) === String(files.sort()), `${place} has ${codes}, not ${files}`);
};

// Every text that the page's code refers to exists, and every text that exists is used.
tests.texts_are_used = async () => {
  const folder = path.join(root, 'web');
  const english = fs.readFileSync(path.join(folder, 'lang/en.js'), 'utf8');
  const keys = [...english.matchAll(/^ {4}'?([\w.]+)'?:/gm)].map(([, key]) => key);
  const code = fs
    .readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.js') && !file.startsWith('lang'))
    .map((file) => fs.readFileSync(path.join(folder, file), 'utf8'))
    .join('\n');
  for (const [, key] of code.matchAll(/\bt\('([\w.]+)'|data-t(?:-[\w-]+)?="([\w.]+)"/g))
    check(!key || keys.includes(key) || keys.includes(`${key}.other`), `no text for ${key}`);
  const families =
    /^(tab|swatch|miss|group|art|shape|finger|finish|title|part|link|hud|camera|settings|tool|nails|shades)\.|\.(low|high)$/;
  for (const key of keys) {
    if (key === 'direction' || key === 'name' || families.test(key)) continue;
    check(code.includes(`'${key}'`) || code.includes(`"${key}"`), `nothing uses ${key}`);
  }
};

// Built-in looks are named in the user's language; a shop's own look keeps the shop's title.
tests.looks_are_named_in_every_language = async ({ browser, server }) => {
  const { looks } = await (await fetch(`${server.url}api/looks`)).json();
  const page = await open(browser, server.url);
  const titles = () =>
    page.$$eval('#looks label', (labels) =>
      labels.map((label) => [label.querySelector('input').value, label.textContent]),
    );
  await until('the looks', () => page.locator('input[name=look]').count());
  for (const [language, gold] of [
    ['de', 'Goldakzent'],
    ['es', 'Acento dorado'],
    ['ar', 'لمسة ذهبية'],
    ['en', 'Gold accent'],
  ]) {
    await page.selectOption('#language', language);
    await until(gold, async () => (await titles())[0][1] === gold);
    const said = await page.evaluate(
      async (file) => (await import(file)).default,
      `/lang/${language}.js`,
    );
    for (const [name, title] of await titles())
      check(title === said[`title.${name}`], `${language}: ${name} is named ${title}`);
  }
  const english = Object.fromEntries(await titles());
  for (const { name, title } of looks) check(english[name] === title, `${name}: ${english[name]}`);

  const [first] = looks;
  await page.route('**/api/looks.json', async (route) => {
    const answer = await route.fetch();
    const catalogue = await answer.json();
    catalogue.looks = [
      { ...first, title: 'House gold' },
      { ...first, name: 'house', title: 'House red' },
    ];
    await route.fulfill({ response: answer, json: catalogue });
  });
  await page.reload();
  await page.selectOption('#language', 'de');
  const own = 'House gold,House red';
  await until('own titles', async () => (await titles()).map(([, title]) => title).join() === own);
};

tests.uses_the_users_language = async ({ browser, server }) => {
  const page = await open(browser, server.url, { locale: 'de-AT' });
  await until('German', async () => (await text(page, '#start span')) === 'Kamera starten');
  await page.selectOption('#language', 'ar');
  await until('Arabic', async () => /الكاميرا/.test(await text(page, '#start span')));
  check((await page.getAttribute('#app', 'dir')) === 'rtl', 'Arabic is laid out from the left');
  check((await page.getAttribute('#app', 'lang')) === 'ar', 'the language is not marked');
  const sides = await page.evaluate(() =>
    ['stage', 'panel'].map((id) => part(id).getBoundingClientRect().left),
  );
  check(sides[0] > sides[1], 'the picture does not change sides');
  await live(page);
  await frames(page, 2);
  await shot(page, 'desktop-arabic');
  await page.reload();
  await until('Arabic again', async () => /الكاميرا/.test(await text(page, '#start span')));
  await page.setViewportSize({ width: 390, height: 844 });
  const [inner, outer] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    innerWidth,
  ]);
  check(inner <= outer, `${inner} wide`);
  await shot(page, 'phone-arabic-start');
  clean(page);
};
