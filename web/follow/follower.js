// A reply's nails belong to a frame that is several frames old. The follower finds each nail's
// surroundings again in every newer frame, so that polish stays on a moving hand.
import { LumaReader } from './luma.js';
import { cutPatch, findPatch, isLikely, searchPatch, still } from './patch.js';

const scoreSure = 0.9; // below it, another position is searched
const searchReach = 7; // of half-size pixels: 28 of the picture's at 640
const scoreLeast = 0.7; // below it, the hand's common movement determines the position
const scoreSlack = 0.02; // a match better by this is another position
const lostMs = 150; // a nail not found for this long is not drawn

export class Follower {
    #reader = new LumaReader();
    #luma = null;
    #marked = false; // whether a reply to that picture will come
    #spare = null; // a picture that nobody needs any more
    #scene = null;
    #scale = 1; // luma pixels per pixel of the reply
    #seenAt = 0;
    #tracks = new Map(); // nail id → {patches, pose, speed in pixels a ms, foundAt}

    // Takes the newest frame, captured at that time in ms, and tracks every nail into it.
    see(video, at) {
        const spare = this.#marked ? this.#spare : this.#luma;
        this.#spare = null;
        this.#marked = false;
        this.#luma = this.#reader.read(video, spare);
        const passed = at - this.#seenAt;
        this.#seenAt = at;
        this.#follow(passed > 0 && passed < 500 ? passed : 0);
    }

    // Returns what take() needs if the newest frame is sent, once for each: its picture, and each
    // nail's position.
    mark() {
        const places = new Map();
        for (const nail of this.#scene?.nails ?? []) places.set(nail.id, this.now(nail).center);
        this.#marked = true;
        return { luma: this.#luma, places };
    }

    // Takes the nails of a marked frame and tracks them to the newest one. A mark is taken once.
    take(scene, mark) {
        const before = new Map();
        for (const nail of this.#scene?.nails ?? []) before.set(nail.id, this.now(nail).center);
        const speeds = new Map([...this.#tracks].map(([id, { speed }]) => [id, speed]));
        this.#scene = scene;
        this.#tracks.clear();
        this.#scale = mark.luma.width / scene.width;
        const moved = new Map();
        for (const { id } of scene.nails) {
            const [was, is] = [mark.places.get(id), before.get(id)];
            if (was && is) moved.set(id, [is[0] - was[0], is[1] - was[1]]);
        }
        const common = middle([...moved.values()]);
        for (const nail of scene.nails) {
            // Three guesses of its movement since then: its own track, all tracks, none. The best
            // match is taken, so a track that drifted off is not used again.
            const patches = this.#cut(nail, mark.luma);
            const tries = [moved.get(nail.id) ?? common, common, [0, 0]].map(([x, y]) =>
                find(patches, this.#luma, { ...still, x: x * this.#scale, y: y * this.#scale }),
            );
            const best = tries.reduce((a, b) => (b.score > a.score + scoreSlack ? b : a));
            this.#tracks.set(nail.id, {
                patches,
                pose: best.pose,
                speed: speeds.get(nail.id) ?? [0, 0],
                foundAt: this.#seenAt,
            });
        }
        if (mark.luma !== this.#luma) this.#spare = mark.luma;
    }

    // The position of a nail of the scene in the newest frame: back is the affine map from this
    // frame's pixels to the reply's, both at the reply's size.
    now(nail) {
        const track = this.#tracks.get(nail.id);
        const { m, n, x, y } = track?.pose ?? still;
        const [cx, cy] = nail.center;
        const tx = x / this.#scale;
        const ty = y / this.#scale;
        const det = m * m + n * n;
        const [a, b] = [m / det, n / det];
        const fade = track && this.#seenAt - track.foundAt > lostMs ? 0 : 1;
        if (m === 1 && n === 0 && x === 0 && y === 0)
            return { back: [1, 0, 0, 0, 1, 0], center: nail.center, fade };
        return {
            back: [
                a, b, cx - a * (cx + tx) - b * (cy + ty),
                -b, a, cy + b * (cx + tx) - a * (cy + ty),
            ],
            center: [cx + tx, cy + ty],
            fade,
        };
    }

    // Patches of the nail and its surroundings, at full and at half size.
    #cut(nail, luma) {
        const [x, y] = nail.center.map((v) => v * this.#scale);
        const radius = (0.75 * Math.max(nail.length, nail.width) + 6) * this.#scale;
        return {
            fine: cutPatch(luma, x, y, radius),
            coarse: cutPatch(luma.half, x / 2, y / 2, Math.max(5, (radius * 1.3) / 2)),
        };
    }

    // passed: ms since the frame that the poses are of.
    #follow(passed) {
        const found = [];
        const lost = [];
        for (const track of this.#tracks.values()) {
            const { pose, speed } = track;
            const guess = { ...pose, x: pose.x + speed[0] * passed, y: pose.y + speed[1] * passed };
            const { pose: next, score } = find(track.patches, this.#luma, guess);
            if (score < scoreLeast) {
                lost.push([track, guess]);
                continue;
            }
            if (passed) track.speed = [(next.x - pose.x) / passed, (next.y - pose.y) / passed];
            found.push([next.x - pose.x, next.y - pose.y]);
            track.pose = next;
            track.foundAt = this.#seenAt;
        }
        // Fingers move similarly: a nail that is not found moves with the others.
        const [x, y] = middle(found);
        for (const [track, guess] of lost)
            track.pose = found.length
                ? { ...track.pose, x: track.pose.x + x, y: track.pose.y + y }
                : guess;
    }
}

// Searches at half size first, from the expected position; if that fails, from any similar place.
function find({ fine, coarse }, luma, guess) {
    const half = { ...guess, x: guess.x / 2, y: guess.y / 2 };
    let near = findPatch(coarse, luma.half, half, { steps: 8, rigid: true });
    if (near.score < scoreSure) {
        const from = searchPatch(coarse, luma.half, half, searchReach);
        const other = findPatch(coarse, luma.half, from, { steps: 8, rigid: true });
        if (other.score > near.score) near = other;
    }
    const start =
        near.score > scoreLeast ? { ...guess, x: near.pose.x * 2, y: near.pose.y * 2 } : guess;
    const found = findPatch(fine, luma, start);
    return isLikely(found.pose) ? found : { pose: guess, score: 0 };
}

// The median of each coordinate.
function middle(vectors) {
    if (!vectors.length) return [0, 0];
    return [0, 1].map((k) => vectors.map((v) => v[k]).sort((a, b) => a - b)[vectors.length >> 1]);
}
