// "Start over": the whole hand in plain polish, with undo.

const wayBackMs = 8000;

export class Reset {
    constructor({ app, find, words }) {
        const { lookStore, notices } = app;
        find('reset').addEventListener('click', () => {
            const before = lookStore.json;
            lookStore.wear({});
            notices.notify(words.t('say.reset'), {
                key: 'reset',
                action: words.t('undo'),
                run: () => {
                    notices.quiet('reset');
                    lookStore.wear(before);
                },
                forMs: wayBackMs,
            });
        });
    }
}
