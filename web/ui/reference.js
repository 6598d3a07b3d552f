// "Copy from a photo": reads the manicure of a picture and applies it (look/reference.js).
import { lookOf, readManicure } from '../look/reference.js';

function pixelsOf(bitmap, { width, height }) {
    const context = new OffscreenCanvas(width, height).getContext('2d', {
        willReadFrequently: true,
    });
    context.drawImage(bitmap, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
}

export class Reference {
    #app;
    #words;

    constructor({ app, find, words }) {
        this.#app = app;
        this.#words = words;
        const file = find('copy-file');
        find('copy').addEventListener('click', () => file.click());
        file.addEventListener('change', () => {
            if (file.files[0]) this.#copy(file.files[0]);
            file.value = '';
        });
    }

    async #copy(file) {
        const { t } = this.#words;
        const { notices } = this.#app;
        notices.busy(t('copy.busy'));
        let look;
        try {
            const bitmap = await createImageBitmap(file);
            const scene = await this.#app.photo.sceneOf(bitmap);
            look = lookOf(readManicure(pixelsOf(bitmap, scene), scene));
            bitmap.close();
        } catch {
            notices.notify(t('copy.failed'), { kind: 'bad', key: 'copy' });
            return;
        } finally {
            notices.busy('');
        }
        if (!look) notices.notify(t('copy.none'), { kind: 'warn', key: 'copy' });
        else this.#wear(look);
    }

    #wear(look) {
        const { t } = this.#words;
        const { lookStore, notices } = this.#app;
        const before = lookStore.json;
        lookStore.wear(look);
        const worn = [look, ...Object.values(look.fingers ?? {})];
        const names = worn.map(({ color, finish }) => {
            const near = this.#app.catalogue.nearestTo(color);
            return this.#app.polishName(near?.color ?? color, finish);
        });
        const shades = new Intl.ListFormat(this.#words.language).format(new Set(names));
        notices.notify(t('copy.done', { shades }), {
            key: 'copy',
            action: t('undo'),
            run: () => {
                notices.quiet('copy');
                lookStore.wear(before);
            },
        });
    }
}
