// Which dropped and pasted files the element takes (web/photo/files.js), without a page.
//
//   node --test tests/e2e/files.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { takePhotos } from '../../web/photo/files.js';

const picture = { name: 'hand.jpg', type: 'image/jpeg' };

// An element in a page; own: the page contains only the element.
function page({ own = false } = {}) {
  const host = Object.assign(new EventTarget(), { contains: (node) => node === 'inside' });
  const document = Object.assign(new EventTarget(), {
    contains: (node) => node !== null,
    documentElement: { hasAttribute: (name) => own && name === 'data-lacquer' },
  });
  globalThis.document = document;
  const stage = { dataset: {}, getRootNode: () => ({ host }) };
  let choosers = 0;
  const file = Object.assign(new EventTarget(), { files: [], click: () => choosers++ });
  const button = new EventTarget();
  const opened = [];
  const attach = () => {
    const gone = new AbortController();
    takePhotos({
      find: (id) => ({ stage, file })[id],
      choose: [button],
      open: ({ name }) => opened.push(name),
      signal: gone.signal,
    });
    return () => gone.abort();
  };
  const choosersBy = (press) => {
    choosers = 0;
    press();
    return choosers;
  };
  return { document, host, stage, file, button, opened, attach, choosersBy };
}

// → the event, after it was dispatched.
function send(target, type, files, { prevented = false, ...more } = {}) {
  const event = new Event(type, { cancelable: true });
  const name = type === 'paste' ? 'clipboardData' : 'dataTransfer';
  Object.assign(event, { [name]: { files, types: ['Files'] }, ...more });
  if (prevented) event.preventDefault();
  target.dispatchEvent(event);
  return event;
}

for (const type of ['drop', 'paste']) {
  test(`a ${type} on the element opens the picture`, () => {
    const { host, opened, attach } = page();
    attach();
    const event = send(host, type, [picture]);
    assert.deepEqual(opened, ['hand.jpg']);
    assert.equal(event.defaultPrevented, true);
  });

  test(`a ${type} elsewhere on a shop's page is the shop's`, () => {
    const { document, opened, attach } = page();
    attach();
    const event = send(document, type, [picture]);
    assert.deepEqual(opened, []);
    assert.equal(event.defaultPrevented, false);
  });

  test(`a ${type} anywhere on the element's own page opens the picture`, () => {
    const { document, opened, attach } = page({ own: true });
    attach();
    send(document, type, [picture]);
    assert.deepEqual(opened, ['hand.jpg']);
  });

  test(`a ${type} that something else has handled is left alone`, () => {
    const { document, opened, attach } = page({ own: true });
    attach();
    send(document, type, [picture], { prevented: true });
    assert.deepEqual(opened, []);
  });

  test(`a ${type} opens pictures only`, () => {
    const { host, opened, attach } = page();
    attach();
    const letter = { name: 'letter.pdf', type: 'application/pdf' };
    send(host, type, [letter]);
    send(host, type, [{ name: 'letter', type: '' }]);
    assert.deepEqual(opened, []);
    send(host, type, [letter, picture]);
    send(host, type, [{ name: 'IMG_1.HEIC', type: '' }]);
    assert.deepEqual(opened, ['hand.jpg', 'IMG_1.HEIC']);
  });
}

test('the hint to drop a photo is shown only over the element', () => {
  const { document, host, stage, attach } = page();
  attach();
  send(document, 'dragover', []);
  assert.equal('drop' in stage.dataset, false);
  send(host, 'dragover', []);
  send(host, 'dragleave', [], { relatedTarget: 'inside' });
  assert.equal('drop' in stage.dataset, true);
  send(host, 'dragleave', [], { relatedTarget: 'outside' });
  assert.equal('drop' in stage.dataset, false);
});

test('an element that was moved takes a file once, and none when it is removed', () => {
  const { host, file, button, opened, attach, choosersBy } = page();
  const press = () => button.dispatchEvent(new Event('click'));
  const choose = () => {
    file.files = [picture];
    file.dispatchEvent(new Event('change'));
  };
  attach()();
  const leave = attach();
  send(host, 'paste', [picture]);
  choose();
  assert.deepEqual([choosersBy(press), opened.length], [1, 2]);
  leave();
  send(host, 'paste', [picture]);
  choose();
  assert.deepEqual([choosersBy(press), opened.length], [0, 2]);
});
