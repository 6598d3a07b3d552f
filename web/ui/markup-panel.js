// The panel of <lacquer-tryon>: all controls of the polish. On a phone its parts are tabs of a dock
// under the picture (data-tab); on wider screens they are stacked.
import { icon, slider, toggle } from './markup-parts.js';

const tabNames = ['shade', 'looks', 'finish', 'art', 'shape', 'nail', 'more'];

const tabs = `
<div class="tabs" id="tabs" role="group" data-t-aria-label="tabs">
  ${tabNames.map((name, i) => `<button type="button" data-open="${name}" aria-pressed="${i === 0}"
      data-t="tab.${name}"></button>`).join('')}
</div>`;

const sides = `
<fieldset class="sides" id="sides" data-t-aria-label="look.edit" hidden>
  <legend class="label" data-t="look.edit"></legend>
  <div class="segments">
    <label><input type="radio" name="side" value="0"><span><i></i><b
        data-t="look.left"></b></span></label>
    <label><input type="radio" name="side" value="1" checked><span><i></i><b
        data-t="look.right"></b></span></label>
  </div>
</fieldset>`;

const looks = `
<fieldset class="looks" id="look-field" data-tab="looks" data-t-aria-label="looks" hidden>
  <legend class="label" data-t="looks"></legend>
  <div class="look-head">
    <label class="look-group"><span class="sr" data-t="looks.group"></span><select
        id="look-group"></select></label>
    <button type="button" class="step" id="looks-back"
        data-t-aria-label="looks.back">${icon('back')}</button>
    <button type="button" class="step" id="looks-on"
        data-t-aria-label="looks.on">${icon('on')}</button>
  </div>
  <div class="cards row" id="looks"></div>
  <button type="button" class="quiet" id="copy">${icon('copy')}<span data-t="copy"></span></button>
  <input id="copy-file" type="file" accept="image/*" hidden>
</fieldset>`;

const nail = `
<fieldset class="nails" id="nail-field" data-tab="nail" data-t-aria-label="nail" hidden>
  <legend class="label" data-t="nail"></legend>
  <div class="chips" id="nail-list"></div>
  <p class="fine"><span id="nail-hint"></span>
    <button type="button" class="plain" id="nail-same" hidden data-t="nail.same"></button></p>
</fieldset>`;

const shades = `
<fieldset class="shades" data-tab="shade">
  <legend class="sr" data-t="shade"></legend>
  <div class="shade-head">
    <p><span class="label" aria-hidden="true" data-t="shade"></span>
      <b class="shade-name" id="shade-name"></b></p>
    <button type="button" class="heart" id="favourite"
        aria-pressed="false">${icon('heart')}</button>
    <label class="hex"><span class="sr" data-t="shade.code"></span><input id="hex" type="text"
        maxlength="7" dir="ltr" spellcheck="false" autocomplete="off" autocapitalize="off"></label>
  </div>
  <div class="find">
    <label class="search">${icon('search')}<span class="sr" data-t="shade.search"></span><input
        id="search" type="search" spellcheck="false" autocomplete="off"
        data-t-placeholder="shade.search"></label>
    <label><span class="sr" data-t="shade.group"></span><select id="group"></select></label>
  </div>
  <div class="swatches" id="swatches"></div>
  <p class="fine" id="shades-none" hidden></p>
</fieldset>`;

const finish = `
<fieldset class="finish" data-tab="finish" data-t-aria-label="finish">
  <legend class="label" data-t="finish"></legend>
  <div class="cards" id="finishes"></div>
  <div class="sliders" id="finish-numbers">${slider('size')}${slider('angle', -90, 90)}</div>
</fieldset>`;

const art = `
<fieldset class="art" data-tab="art" data-t-aria-label="art">
  <legend class="label" data-t="art"></legend>
  <div class="art-row">
    <label class="field"><span class="sr" data-t="art"></span><select id="art"></select></label>
    <label class="dye"><input id="art-color" type="color"><span id="art-color-name"
        data-t="art.color"></span></label>
    <button type="button" class="plain" id="art-own-colors" data-t="art.ownColors" hidden></button>
    <button type="button" class="quiet" id="design">${icon('photo')}<span
        data-t="design"></span></button>
  </div>
  <div class="sliders" id="art-numbers">${slider('tip-width')}${slider('tip-curve')}${slider('ombre-from')}${slider('ombre-to')}</div>
  <p class="fine" id="design-hint" data-t="design.hint"></p>
  <input id="design-file" type="file" accept="image/png,image/webp,image/jpeg" hidden>
</fieldset>`;

const shape = `
<fieldset class="shape" data-tab="shape" data-t-aria-label="shape">
  <legend class="label" data-t="shape"></legend>
  <div class="shapes" id="shape"></div>
  <div class="sliders">${slider('length')}</div>
</fieldset>`;

const coats = `
<fieldset class="coats" data-t-aria-label="coats">
  <legend class="label" data-t="coats"></legend>
  <div class="segments" id="coats">
    ${[1, 2, 3, 4].map((n) => `<label><input type="radio" name="coats"
        value="${n}"><span>${n}</span></label>`).join('')}
  </div>
</fieldset>`;

const more = `
<details class="more" id="more" data-tab="more">
  <summary data-t="settings"></summary>
  <div class="more-body">
    <label class="field"><span data-t="settings.camera"></span><select
        id="cameras"></select></label>
    ${toggle('mirror', 'settings.mirror', 'settings.mirrorHint')}
    <fieldset class="transport" id="transport" hidden>
      <legend data-t="settings.connection"></legend>
      <div class="segments">
        <label><input type="radio" name="transport" value="ws" checked><span
            data-t="settings.ws"></span></label>
        <label><input type="radio" name="transport" value="base64"><span
            data-t="settings.base64"></span></label>
      </div>
      <p class="fine" id="transport-hint"></p>
    </fieldset>
  </div>
</details>`;

// Labels are shown in capitals, which some screen readers spell out: names are given beside them.
export const panel = `
<form class="panel" id="panel" data-t-aria-label="panel" data-open="shade" tabindex="-1">
  ${sides}${tabs}
  <div class="tab-body" id="tab-body">
    ${looks}${nail}${shades}${finish}${art}${shape}
    <div class="coat" data-tab="more">
      ${coats}
      <div class="sliders">${slider('texture')}${slider('opacity')}</div>
      ${toggle('sheen', 'sheen', 'sheen.hint')}
      <button type="button" class="quiet" id="reset">${icon('reset')}<span
          data-t="reset"></span></button>
    </div>
    ${more}
    <p class="about" id="about" data-tab="more"></p>
  </div>
</form>`;
