// A part of the page that is loaded later is missing: the network is gone, or the page was updated
// after it was opened and its host no longer has that version.

// app: App (notices); words: Words.
export function reportMissing({ notices }, { t }, key = 'page') {
    notices.notify(t('page.missing'), {
        kind: 'bad',
        key,
        action: t('reload'),
        run: () => location.reload(),
    });
}
