// What the page says: one message over the picture, the state in the top line, a line for readers,
// and that something is in work.

const $ = (id) => document.getElementById(id);

// One message at a time, known by its key; kind: 'info', 'warn' or 'bad'.
let noticeTimer = 0;

export function notify(text, { kind = 'info', action = '', run = null, key = '', forMs = 0 } = {}) {
    clearTimeout(noticeTimer);
    const box = $('notice');
    box.dataset.kind = kind;
    box.dataset.key = key;
    box.hidden = false;
    if ($('notice-text').textContent !== text) $('notice-text').textContent = text;
    $('notice-action').hidden = !action;
    $('notice-action').textContent = action;
    $('notice-action').onclick = run;
    if (forMs) noticeTimer = setTimeout(() => quiet(key), forMs);
}

export function quiet(key) {
    const box = $('notice');
    if (key !== undefined && box.dataset.key !== key) return;
    box.hidden = true;
    box.dataset.key = '';
    $('notice-text').textContent = '';
}

export function link(state, text) {
    $('link').dataset.state = state;
    if ($('link-text').textContent !== text) $('link-text').textContent = text;
}

export function say(text) {
    if ($('live').textContent !== text) $('live').textContent = text;
}

export function busy(text) {
    $('busy').hidden = !text;
    if (text) $('busy-text').textContent = text;
}
