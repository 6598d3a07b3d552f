// "Your own picture": a design for all nails or the chosen one, kept on this device.
import { keepDesign, keptDesigns } from '../look/designs.js';

export class OwnDesign {
    #app;
    #words;
    #take;
    designs = []; // {name, image}, as painters take patterns

    // take: patterns → promise, resolved when the painters have them.
    constructor({ app, find, words, take }) {
        this.#app = app;
        this.#words = words;
        this.#take = take;
        const file = find('design-file');
        find('design').addEventListener('click', () => file.click());
        file.addEventListener('change', () => {
            if (file.files[0]) this.#wear(file.files[0]);
            file.value = '';
        });
        this.ready = this.#load();
    }

    async #load() {
        this.designs = await keptDesigns();
    }

    async #wear(file) {
        const { t } = this.#words;
        const { notices, lookStore } = this.#app;
        if (!this.#app.draws) {
            notices.notify(t('design.cannot'), { kind: 'warn', key: 'design' });
            return;
        }
        try {
            const design = await keepDesign(file);
            this.designs.push(design);
            await this.#take([design]);
            notices.quiet('design');
            lookStore.set({
                french: undefined,
                ombre: undefined,
                pattern: { image: design.name, opacity: 1 },
            });
        } catch {
            notices.notify(t('design.failed'), { kind: 'bad', key: 'design' });
        }
    }
}
