// Finds a patch of one frame in a later one, with subpixel accuracy: translation, rotation and
// scale, by the inverse compositional method (Baker and Matthews, "Lucas-Kanade 20 Years On",
// 2004). Brightness and contrast may change. Pure functions on grey pictures.

// A pose moves a point q of the patch (from its centre) to (m q.x - n q.y + x, n q.x + m q.y + y)
// from that same centre: {m, n, x, y}; m = 1 and the rest 0 leaves it where it is.
export const still = { m: 1, n: 0, x: 0, y: 0 };

function sampleAt({ data, width, height }, x, y) {
    // Coordinates refer to pixels' corners: a pixel's centre is at +0.5.
    const px = Math.min(width - 1.001, Math.max(0, x - 0.5));
    const py = Math.min(height - 1.001, Math.max(0, y - 0.5));
    const ix = px | 0;
    const iy = py | 0;
    const at = iy * width + ix;
    const fx = px - ix;
    const top = data[at] + (data[at + 1] - data[at]) * fx;
    const low = data[at + width] + (data[at + width + 1] - data[at + width]) * fx;
    return top + (low - top) * (py - iy);
}

// Solves the symmetric system a x = b of four equations by Gauss; null if it is singular.
function solve4(a, b) {
    const rows = a.map((row, i) => [...row, b[i]]);
    for (let i = 0; i < 4; i++) {
        let best = i;
        for (let r = i + 1; r < 4; r++)
            if (Math.abs(rows[r][i]) > Math.abs(rows[best][i])) best = r;
        [rows[i], rows[best]] = [rows[best], rows[i]];
        if (Math.abs(rows[i][i]) < 1e-6) return null;
        for (let r = 0; r < 4; r++) {
            if (r === i) continue;
            const factor = rows[r][i] / rows[i][i];
            for (let k = i; k < 5; k++) rows[r][k] -= factor * rows[i][k];
        }
    }
    return rows.map((row, i) => row[4] / row[i]);
}

// Cuts the patch of `luma` around (x, y): a disc of that radius, with more weight in the middle.
export function cutPatch(luma, x, y, radius) {
    const reach = Math.max(3, Math.ceil(radius));
    const points = [];
    for (let dy = -reach; dy <= reach; dy++)
        for (let dx = -reach; dx <= reach; dx++) {
            const far = (dx * dx + dy * dy) / (radius * radius);
            if (far < 1) points.push([dx, dy, (1 - far) * (1 - far)]);
        }
    const n = points.length;
    const patch = {
        x, y, n,
        qx: new Float32Array(n),
        qy: new Float32Array(n),
        weight: new Float32Array(n),
        value: new Float32Array(n),
        steep: [0, 1, 2, 3].map(() => new Float32Array(n)),
        hessian: [0, 1, 2, 3].map(() => [0, 0, 0, 0]),
    };
    points.forEach(([dx, dy, weight], i) => {
        patch.qx[i] = dx;
        patch.qy[i] = dy;
        patch.weight[i] = weight;
        patch.value[i] = sampleAt(luma, x + dx, y + dy);
        const gx = (sampleAt(luma, x + dx + 1, y + dy) - sampleAt(luma, x + dx - 1, y + dy)) / 2;
        const gy = (sampleAt(luma, x + dx, y + dy + 1) - sampleAt(luma, x + dx, y + dy - 1)) / 2;
        const d = [gx * dx + gy * dy, gy * dx - gx * dy, gx, gy];
        for (let r = 0; r < 4; r++) {
            patch.steep[r][i] = d[r];
            for (let c = 0; c < 4; c++) patch.hessian[r][c] += weight * d[r] * d[c];
        }
    });
    // Regularisation: parameters that the picture does not determine do not change.
    for (let r = 0; r < 4; r++) patch.hessian[r][r] = patch.hessian[r][r] * 1.01 + 1;
    Object.assign(patch, moments(patch.value, patch.weight));
    return patch;
}

function moments(values, weights) {
    let sum = 0;
    let total = 0;
    for (let i = 0; i < values.length; i++) {
        sum += weights[i] * values[i];
        total += weights[i];
    }
    const mean = sum / total;
    let squares = 0;
    for (let i = 0; i < values.length; i++) squares += weights[i] * (values[i] - mean) ** 2;
    return { mean, deviation: Math.sqrt(squares / total), total };
}

// pose after a step of the patch's own parameters, inverted (the method's composition).
function compose({ m, n, x, y }, [a, b, tx, ty]) {
    const det = (1 + a) * (1 + a) + b * b;
    const im = (1 + a) / det;
    const in_ = -b / det;
    const ix = -(im * tx - in_ * ty);
    const iy = -(in_ * tx + im * ty);
    return {
        m: m * im - n * in_,
        n: n * im + m * in_,
        x: m * ix - n * iy + x,
        y: n * ix + m * iy + y,
    };
}

// → {pose, score}: score is the weighted correlation, 1 for the same picture. rigid: only
// translation.
export function findPatch(patch, luma, guess, { steps = 12, rigid = false } = {}) {
    const seen = new Float32Array(patch.n);
    const look = (pose) => {
        for (let i = 0; i < patch.n; i++)
            seen[i] = sampleAt(
                luma,
                patch.x + pose.m * patch.qx[i] - pose.n * patch.qy[i] + pose.x,
                patch.y + pose.n * patch.qx[i] + pose.m * patch.qy[i] + pose.y,
            );
        return moments(seen, patch.weight);
    };
    let pose = guess;
    for (let step = 0; step < steps; step++) {
        const { mean, deviation } = look(pose);
        const gain = patch.deviation / Math.max(deviation, 1);
        const b = [0, 0, 0, 0];
        for (let i = 0; i < patch.n; i++) {
            const error = patch.weight[i] * ((seen[i] - mean) * gain + patch.mean - patch.value[i]);
            for (let r = rigid ? 2 : 0; r < 4; r++) b[r] += patch.steep[r][i] * error;
        }
        const hessian = rigid
            ? patch.hessian.map((row, r) =>
                  row.map((v, c) => (r < 2 || c < 2 ? (r === c ? 1 : 0) : v)),
              )
            : patch.hessian;
        const change = solve4(hessian, b);
        if (!change) break;
        pose = compose(pose, change);
        if (Math.hypot(change[2], change[3]) < 0.01) break;
    }
    const { mean, deviation } = look(pose);
    let both = 0;
    for (let i = 0; i < patch.n; i++)
        both += patch.weight[i] * (seen[i] - mean) * (patch.value[i] - patch.mean);
    const score = both / (patch.total * Math.max(deviation * patch.deviation, 1e-3));
    return { pose, score };
}

// Searches the patch at whole-pixel shifts up to `reach` in each direction from guess, using every
// other point of it; → the best pose.
export function searchPatch(patch, luma, guess, reach) {
    let best = { cost: Infinity, pose: guess };
    for (let dy = -reach; dy <= reach; dy++)
        for (let dx = -reach; dx <= reach; dx++) {
            const pose = { ...guess, x: guess.x + dx, y: guess.y + dy };
            let cost = 0;
            let sum = 0;
            let total = 0;
            for (let i = 0; i < patch.n; i += 2) {
                const x = Math.round(patch.x + patch.qx[i] + pose.x - 0.5);
                const y = Math.round(patch.y + patch.qy[i] + pose.y - 0.5);
                const at =
                    Math.min(luma.height - 1, Math.max(0, y)) * luma.width +
                    Math.min(luma.width - 1, Math.max(0, x));
                const error = luma.data[at] - patch.value[i];
                cost += patch.weight[i] * error * error;
                sum += patch.weight[i] * error;
                total += patch.weight[i];
            }
            cost -= (sum * sum) / total; // differences in brightness are ignored
            if (cost < best.cost) best = { cost, pose };
        }
    return best.pose;
}

// Whether a pose is plausible for a nail within a second.
export function isLikely({ m, n }) {
    const size = Math.hypot(m, n);
    return size > 0.75 && size < 1.33 && Math.abs(Math.atan2(n, m)) < 0.5;
}
