// Which finger's polish each nail wears (same rule as src/paint/accent.c): if no finger of a hand
// is known, its nails take them by their order across the hand.
import { handsOf } from '../paint/extend.js';

const order = ['thumb', 'index', 'middle', 'ring', 'little'];
const first = { 2: 2, 3: 1, 4: 1, 5: 0 };

// Indices of a hand's nails along the main axis of their centres, from the left, with their
// positions.
function across(nails, hand) {
    const mean = [0, 1].map(
        (k) => hand.reduce((sum, i) => sum + nails[i].center[k], 0) / hand.length,
    );
    let [xx, xy, yy] = [0, 0, 0];
    for (const i of hand) {
        const dx = nails[i].center[0] - mean[0];
        const dy = nails[i].center[1] - mean[1];
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    const turn = 0.5 * Math.atan2(2 * xy, xx - yy);
    return hand
        .map((i) => ({
            i,
            along: nails[i].center[0] * Math.cos(turn) + nails[i].center[1] * Math.sin(turn),
        }))
        .sort((a, b) => a.along - b.along);
}

// nails: of a scene, in the reply's pixels. → a finger's name or null for each.
export function fingersWorn(nails) {
    const worn = nails.map(({ finger }) => finger);
    for (const hand of handsOf(nails)) {
        const { length } = hand;
        if (!(length in first) || hand.some((i) => nails[i].finger)) continue;
        const row = across(nails, hand);
        const gap = (a, b) => row[b].along - row[a].along;
        if (length === 5 && gap(3, 4) > gap(0, 1)) row.reverse();
        row.forEach(({ i }, at) => {
            worn[i] = order[first[length] + at];
        });
    }
    return worn;
}
