// The page for a screen reader: Tab goes from control to control, and Chromium's accessibility tree
// gives the name and state of each; also what is announced, and when.
import path from 'node:path';
import { check, frameId, frames, golden, notice, open, shade, until } from './browser-harness.mjs';

export const tests = {};

// "role name", followed by its value, states and description if it has any.
function spoken({ role, name, value, description, properties = [] }) {
  const states = properties
    .filter((property) => ['checked', 'pressed', 'expanded'].includes(property.name))
    .map((property) => `${property.name}=${property.value.value}`);
  const said = value?.value === undefined || value.value === '' ? [] : [`= ${value.value}`];
  const more = description?.value ? [`(${description.value})`] : [];
  return [role.value, name?.value ?? '', ...said, ...states, ...more].join(' ');
}

// Everything that Tab reaches, from the top of the page.
async function tabThrough(page, cdp) {
  await page.focus('#skip'); // the first: keyboard_alone
  const list = [];
  for (; list.length < 60; await page.keyboard.press('Tab')) {
    if (await page.evaluate(() => focused() === document.body)) return list;
    const { result } = await cdp.send('Runtime.evaluate', { expression: 'focused()' });
    const { nodes } = await cdp.send('Accessibility.getPartialAXTree', {
      objectId: result.objectId,
      fetchRelatives: false,
    });
    list.push(spoken(nodes[0]));
  }
  throw new Error('Tab does not come to an end');
}

const tree = async (cdp) =>
  (await cdp.send('Accessibility.getFullAXTree')).nodes.filter(({ ignored }) => !ignored);
const same = (found, wanted, where) =>
  wanted.forEach((line, i) => check(found[i] === line,
                                    `${where}, stop ${i}: "${found[i]}", not "${line}"`));

const looks = [
  'combobox Group of looks = All expanded=false',
  'button More looks',
  'radio Gold accent checked=false',
  'button Copy from a photo',
];
const polish = [
  'button Favourite: Fuchsia Run pressed=false',
  'button Share this look',
  'textbox Colour code = #c71585',
  'searchbox Search shades',
  'combobox Group of shades = All expanded=false',
  'radio Fuchsia Run, Pinks checked=true',
  'ColorWell Any colour = #c71585',
  'radio Crème checked=true',
  'combobox Nail art = None expanded=false',
  'button Your own picture',
  'radio Natural checked=true',
  'radio 1 checked=true',
  'slider Texture = 50 (Smooth Natural)',
  'slider Coverage = 100 (Sheer Full)',
  'switch Sheen checked=true (Keep highlights and add shine)',
  'button Start over',
  'DisclosureTriangle Camera expanded=false',
];
const tools = ['button Photo', 'button Save'];
const top = ['button Skip to the colours', 'combobox Language = English expanded=false'];

tests.a_screen_reader_finds_every_control = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Accessibility.enable');
  same(
    await tabThrough(page, cdp),
    [...top, 'button Start camera', 'button Use a photo', ...looks, ...polish],
    'at the start',
  );

  await page.setInputFiles('#file', path.join(golden, 'light.jpg'));
  await until('the photo', async () => (await frameId(page)) > 0);
  await page.click('#compare');
  await page.check('input[name=versus][value=second]', { force: true });
  const left = [
    'slider Where the left picture ends and the right one begins = 50',
    'radio Second look checked=true',
    'button Camera',
    ...tools,
    'button Compare pressed=true',
    'radio Right look checked=true',
  ];
  const nail = 'radio All nails checked=true';
  same(
    await tabThrough(page, cdp),
    [...top, ...left, ...looks, nail, ...polish],
    'with a photo',
  );

  await page.click('#compare');
  await page.click('#stop');
  await until('a frame', async () => (await page.getAttribute('#stage', 'data-mode')) === 'live');
  await frames(page, 2);
  const live = await tabThrough(page, cdp);
  same(live.slice(2), ['button Stop', ...tools, 'button Compare pressed=false'], 'live');
};

// Names are not spelled in capitals, nothing hidden is in the tree, and only the two lines for
// announcements are live regions.
tests.changes_are_announced_to_screen_readers = async ({ browser, server }) => {
  const page = await open(browser, server.url);
  const cdp = await page.context().newCDPSession(page);
  await page.setInputFiles('#file', path.join(golden, 'light.jpg'));
  await until('the photo', async () => (await frameId(page)) > 0);
  const nodes = await tree(cdp);
  const named = nodes.filter(({ role }) => /group|region|form|combobox|slider/i.test(role.value));
  for (const { role, name } of named)
    check(
      name?.value !== name?.value.toUpperCase() || !name.value,
      `${role.value} "${name?.value}" is spelled in capitals`,
    );
  const roles = nodes.map(({ role }) => role.value);
  check(!roles.includes('Video'), 'the hidden video is in the accessibility tree');
  check(roles.filter((role) => role === 'status').length === 1, 'more than one live region');
  const image = nodes.find(({ role }) => role.value === 'image');
  check(
    image.name.value === 'Your photo, 5 nails painted Fuchsia Run',
    `the picture is "${image.name.value}"`,
  );
  const said = () => page.textContent('#live');
  check(/5 nails/.test(await said()), `after the photo: "${await said()}"`);
  await page.check('#nail-list input[value=ring]', { force: true });
  await shade(page, 'Cobalt');
  await until('the nail to be named', async () => (await said()) === 'Ring painted Cobalt.');
  await page.setInputFiles('#file', {
    name: 'not.jpg',
    mimeType: 'image/jpeg',
    buffer: Buffer.from('hello'),
  });
  await notice(page, /was not painted/);
  const alerts = (await tree(cdp)).filter(({ role }) => role.value === 'alert');
  check(alerts.length === 1, `${alerts.length} alerts`);
};
