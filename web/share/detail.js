// What the events report to the surrounding page about a look: its fields, its names, the shop's
// data.
import { finishName } from '../look/look.js';

const offerKeys = ['sku', 'gtin', 'brand', 'price', 'currency', 'stock', 'url'];

// The catalogue's shade of this colour: its name and the shop's data about it.
export function offerOf(catalogue, color) {
    const shade = catalogue.shades.find((one) => one.color === color);
    const offer = { shade: shade?.name ?? null };
    for (const key of offerKeys) if (shade?.[key] !== undefined) offer[key] = shade[key];
    return offer;
}

function describe(look, catalogue) {
    const { fingers = {}, ...hand } = look.json;
    const named = (fields) => ({ ...fields, ...offerOf(catalogue, fields.color) });
    return {
        ...named({ ...look.fields, finish: finishName(hand) }),
        fingers: Object.fromEntries(
            Object.entries(fingers).map(([finger, fields]) => [finger, named(fields)]),
        ),
        look: look.json,
    };
}

// app: App. second: the second look while two are compared, else null.
export function lookDetail({ lookStore, catalogue, stage }) {
    const second = stage.wantsSecond ? describe(lookStore.second, catalogue) : null;
    return { ...describe(lookStore.main, catalogue), second };
}
