// The markup of <lacquer-tryon>. Texts are keys, which i18n.js replaces.
import { panel } from './markup-panel.js';
import { icon } from './markup-parts.js';

const icons = `
<svg class="defs" aria-hidden="true" focusable="false">
  <symbol id="i-camera" viewBox="0 0 24 24"><path d="M4.5 7.5h3L9 5.2h6l1.5 2.3h3A1.5 1.5 0 0 1 21
      9v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18V9a1.5 1.5 0 0 1
      1.5-1.5Z"/><circle cx="12" cy="13.2" r="3.6"/></symbol>
  <symbol id="i-stop" viewBox="0 0 24 24"><rect x="6" y="6" width="12" height="12"
      rx="2.4"/></symbol>
  <symbol id="i-photo" viewBox="0 0 24 24"><rect x="3.5" y="4.5" width="17" height="15"
      rx="2"/><circle cx="8.6" cy="9.4" r="1.6"/><path d="m4 17 4.6-4.4 3.2 2.9 3.8-4.3 4.9
      5.3"/></symbol>
  <symbol id="i-flip" viewBox="0 0 24 24"><path d="M4.5 10.5a7.7 7.7 0 0 1 13.9-3.2M19.5 13.5a7.7
      7.7 0 0 1-13.9 3.2"/><path d="M18.8 3.6v4h-4M5.2 20.4v-4h4"/></symbol>
  <symbol id="i-compare" viewBox="0 0 24 24"><path d="M12 3.5v17M9 6.5H5A1.5 1.5 0 0 0 3.5 8v8A1.5
      1.5 0 0 0 5 17.5h4M15 6.5h4A1.5 1.5 0 0 1 20.5 8v8a1.5 1.5 0 0 1-1.5 1.5h-4"/></symbol>
  <symbol id="i-save" viewBox="0 0 24 24"><path d="M12 4v10.5M7.8 10.6 12 14.8l4.2-4.2M4.5
      16.5V19A1.5 1.5 0 0 0 6 20.5h12a1.5 1.5 0 0 0 1.5-1.5v-2.5"/></symbol>
  <symbol id="i-share" viewBox="0 0 24 24"><path d="M12 15V4.2M7.8 8 12 3.8 16.2 8M7 11.5H6A1.5 1.5
      0 0 0 4.5 13v6A1.5 1.5 0 0 0 6 20.5h12a1.5 1.5 0 0 0 1.5-1.5v-6a1.5 1.5 0 0
      0-1.5-1.5h-1"/></symbol>
  <symbol id="i-close" viewBox="0 0 24 24"><path d="m6.5 6.5 11 11m0-11-11 11"/></symbol>
  <symbol id="i-arrows" viewBox="0 0 24 24"><path d="M9 7.5 4.5 12 9 16.5M15 7.5l4.5 4.5-4.5
      4.5"/></symbol>
  <symbol id="i-heart" viewBox="0 0 24 24"><path d="M12 20s-7.6-4.6-7.6-10.3A4.3 4.3 0 0 1 12 7a4.3
      4.3 0 0 1 7.6 2.7C19.6 15.4 12 20 12 20Z"/></symbol>
  <symbol id="i-tick" viewBox="0 0 24 24"><path d="m5 12.8 4.6 4.6L19.5 7"/></symbol>
  <symbol id="i-back" viewBox="0 0 24 24"><path d="M14.5 6 8.5 12l6 6"/></symbol>
  <symbol id="i-on" viewBox="0 0 24 24"><path d="m9.5 6 6 6-6 6"/></symbol>
  <symbol id="i-reset" viewBox="0 0 24 24"><path d="M5.2 9.2A7.6 7.6 0 1 1 4.4 13"/><path
      d="M4.6 4.4v5h5"/></symbol>
  <symbol id="i-copy" viewBox="0 0 24 24"><path d="m13.4 8.2 2.4 2.4L8 18.4l-3.2.8.8-3.2ZM15.2
      6.4l1.6-1.6a1.7 1.7 0 0 1 2.4 2.4l-1.6 1.6"/></symbol>
  <symbol id="i-search" viewBox="0 0 24 24"><circle cx="10.8" cy="10.8" r="6.3"/><path
      d="m15.6 15.6 4.4 4.4"/></symbol>
</svg>`;

const tool = (id, name, extra = '') => `
<button type="button" id="${id}" ${extra}>${icon(name)}<span id="${id}-text"
    data-t="tool.${id}"></span></button>`;

const figure = (id, key) => `<div><dt data-t="hud.${key}"></dt><dd id="${id}">–</dd></div>`;

const intro = `
<div class="intro" id="intro">
  <svg class="fan" id="fan" viewBox="0 0 320 214" aria-hidden="true"></svg>
  <h2 data-t="intro.title"></h2>
  <p data-t="intro.text"></p>
  <div class="intro-actions">
    <button type="button" class="primary" id="start">${icon('camera')}<span
        data-t="camera.start"></span></button>
    <button type="button" class="ghost" id="choose">${icon('photo')}<span
        data-t="photo.choose"></span></button>
  </div>
  <p class="privacy" id="privacy" data-t="intro.privacy"></p>
</div>`;

const picture = `
<div class="picture" id="picture" hidden>
  <canvas id="canvas" role="img" data-t-aria-label="picture.painted"></canvas>
  <div class="divider" id="divider" hidden aria-hidden="true"><span>${icon('arrows')}</span></div>
  <span class="tag tag-before" id="tag-before" hidden></span>
  <span class="tag tag-after" id="tag-after" hidden></span>
  <input class="split" id="split" type="range" min="0" max="100" value="50" step="1" dir="ltr"
      hidden data-t-aria-label="compare.split">
</div>
<video id="video" muted playsinline aria-hidden="true"></video>
<fieldset class="versus" id="versus" hidden>
  <legend class="sr" data-t="compare.with"></legend>
  <label><input type="radio" name="versus" value="original" checked><span
      data-t="compare.original"></span></label>
  <label><input type="radio" name="versus" value="second"><span
      data-t="compare.second"></span></label>
</fieldset>`;

const hud = `
<details class="hud" id="hud" hidden>
  <summary><span class="sr" data-t="hud.open"></span> <b id="fps">–</b> <span
      data-t="hud.fps"></span><i></i><b id="p50">–</b> ms</summary>
  <div class="hud-card" tabindex="0" role="group" data-t-aria-label="hud.stages">
    <dl>
      ${figure('lat50', 'p50')}${figure('lat95', 'p95')}
      ${figure('server-ms', 'server')}${figure('replies', 'replies')}
      ${figure('nails', 'nails')}${figure('bytes-up', 'up')}${figure('bytes-down', 'down')}
      ${figure('rate-up', 'rate')}${figure('dropped', 'lost')}
    </dl>
    <div class="bar" id="bar" aria-hidden="true"></div>
    <ol class="stages" id="stages"></ol>
    <p class="fine" data-t="hud.fine"></p>
  </div>
</details>`;

const over = `
<div class="over">
  <p class="hold-hint" id="hold-hint" hidden data-t="hold"></p>
  <p class="busy" id="busy" hidden><span class="spinner" aria-hidden="true"></span><span
      id="busy-text"></span></p>
  <div class="notice" id="notice" hidden>
    <p id="notice-text" role="alert"></p>
    <button type="button" id="notice-action" hidden></button>
    <button type="button" class="icon" id="notice-close"
        data-t-aria-label="dismiss">${icon('close')}</button>
  </div>
</div>`;

const stage = `
<section class="stage" id="stage" data-mode="empty" data-t-aria-label="stage">
  ${intro}${picture}${hud}${over}
  <div class="tools" id="tools" role="group" data-t-aria-label="tools" hidden>
    <button type="button" id="stop"><svg aria-hidden="true"><use id="stop-icon"
        href="#i-stop"/></svg><span id="stop-text"></span></button>
    ${tool('photo', 'photo')}${tool('save', 'save', 'class="shutter"')}${tool('share',
      'share', 'hidden')}
    ${tool('compare', 'compare', 'aria-pressed="false"')}${tool('flip', 'flip')}
  </div>
  <p class="drop" aria-hidden="true"><span data-t="photo.drop"></span></p>
  <input id="file" type="file" accept="image/*" hidden>
</section>`;

export const markup = `
${icons}
<div class="app" id="app">
  <button type="button" class="skip" id="skip" data-t="skip"></button>
  <div class="top">
    <slot name="brand"></slot>
    <p class="link" id="link" data-state="idle"><span class="dot" aria-hidden="true"></span><span
        id="link-text"></span></p>
    <label class="language"><span class="sr" data-t="language"></span><select
        id="language"></select></label>
  </div>
  <div class="page">${stage}${panel}</div>
  <p class="sr" id="live" role="status" aria-live="polite"></p>
</div>`;
