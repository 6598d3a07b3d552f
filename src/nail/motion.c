#include "nail/motion.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/clamp.h"

enum { MARGIN = 3, SIDE = LQ_TEMPLATE_SIDE, WIDE = SIDE + 2 * MARGIN, TERMS = 4, ROUNDS = 4 };

// of length and width: the nail and a little of what is beside it
static const float REACH = 0.68f;

// Each block's mean of green; outside the picture its edge repeats. Rows of out are `stride` apart.
static void read_blocks(const struct lq_image *picture, const struct lq_blocks *blocks, float *out,
                        int stride)
{
    const int x = blocks->x, y = blocks->y, step = blocks->step, width = blocks->width;
    size_t pixel = lq_image_pixel_bytes(picture), at = picture->depth == 16 ? 3 : 1;
    int offset[WIDE * 64];
    int columns = width * step;
    for (int i = 0; i < columns; i++) {
        int column = x + i < 0 ? 0 : x + i < picture->width ? x + i : picture->width - 1;
        offset[i] = column * (int)pixel + (int)at;
    }
    float scale = 1.0f / (float)(step * step);
    for (int j = 0; j < blocks->height; j++) {
        int sums[WIDE] = {0};
        for (int k = 0; k < step; k++) {
            int line = y + j * step + k;
            line = line < 0 ? 0 : line < picture->height ? line : picture->height - 1;
            const uint8_t *row = lq_image_row(picture, line);
            for (int i = 0, c = 0; i < width; i++)
                for (int l = 0; l < step; l++, c++)
                    sums[i] += row[offset[c]];
        }
        for (int i = 0; i < width; i++)
            out[j * stride + i] = (float)sums[i] * scale;
    }
}

void lq_template_init(struct lq_template *template, const struct lq_image *picture,
                      const struct lq_nail *nail)
{
    float along = REACH * nail->length, across = REACH * nail->width;
    // Half the box around the ellipse.
    float half_x = hypotf(along * nail->axis_x, across * nail->axis_y);
    float half_y = hypotf(along * nail->axis_y, across * nail->axis_x);
    float most = 2.0f * fmaxf(half_x, half_y) + 2.0f;
    int step = (int)ceilf(most / (float)SIDE);
    step = step < 1 ? 1 : step > 64 ? 64 : step;
    int width = (int)ceilf((2.0f * half_x + 2.0f) / (float)step);
    int height = (int)ceilf((2.0f * half_y + 2.0f) / (float)step);
    struct lq_blocks *blocks = &template->blocks;
    blocks->step = step;
    blocks->width = width < 5 ? 5 : width > SIDE ? SIDE : width;
    blocks->height = height < 5 ? 5 : height > SIDE ? SIDE : height;
    blocks->x = (int)floorf(nail->center_x) - blocks->width * step / 2;
    blocks->y = (int)floorf(nail->center_y) - blocks->height * step / 2;
    template->center_x = (nail->center_x - (float)blocks->x) / (float)step - 0.5f;
    template->center_y = (nail->center_y - (float)blocks->y) / (float)step - 0.5f;
    template->reach_x = fmaxf(half_x / (float)step, 2.0f);
    template->reach_y = fmaxf(half_y / (float)step, 2.0f);
    read_blocks(picture, blocks, template->level, SIDE);
}

// The samples that count, as lists of what the fit needs.
struct points {
    int count;
    int at[SIDE * SIDE]; // in the wide patch, without shift
    float level[SIDE * SIDE], term[TERMS][SIDE * SIDE];
    float inverse[TERMS][TERMS]; // of the Hessian
    float spread;                // sum of squares of level
};

// Gauss-Jordan with the diagonal as pivots: the matrix is symmetric and positive. false: singular.
static bool invert(double a[TERMS][TERMS], float out[TERMS][TERMS])
{
    double b[TERMS][TERMS] = {{0}};
    for (int i = 0; i < TERMS; i++)
        b[i][i] = 1.0;
    for (int i = 0; i < TERMS; i++) {
        double pivot = a[i][i];
        if (!(pivot > 1e-6))
            return false;
        for (int j = 0; j < TERMS; j++) {
            a[i][j] /= pivot;
            b[i][j] /= pivot;
        }
        for (int k = 0; k < TERMS; k++) {
            double factor = k == i ? 0.0 : a[k][i];
            for (int j = 0; j < TERMS; j++) {
                a[k][j] -= factor * a[i][j];
                b[k][j] -= factor * b[i][j];
            }
        }
    }
    for (int i = 0; i < TERMS; i++)
        for (int j = 0; j < TERMS; j++)
            out[i][j] = (float)b[i][j];
    return true;
}

static bool gather(struct points *points, const struct lq_template *template)
{
    double hessian[TERMS][TERMS] = {{0}};
    int n = 0;
    float mean = 0.0f;
    for (int j = 1; j + 1 < template->blocks.height; j++)
        for (int i = 1; i + 1 < template->blocks.width; i++) {
            float ox = (float)i - template->center_x, oy = (float)j - template->center_y;
            float ex = ox / template->reach_x, ey = oy / template->reach_y;
            if (ex * ex + ey * ey > 1.0f)
                continue;
            const float *p = template->level + j * SIDE + i;
            float gx = 0.5f * (p[1] - p[-1]), gy = 0.5f * (p[SIDE] - p[-SIDE]);
            const float term[TERMS] = {gx, gy, gx * ox + gy * oy, gy * ox - gx * oy};
            for (int k = 0; k < TERMS; k++) {
                points->term[k][n] = term[k];
                for (int l = 0; l < TERMS; l++)
                    hessian[k][l] += (double)(term[k] * term[l]);
            }
            points->at[n] = (j + MARGIN) * WIDE + i + MARGIN;
            points->level[n] = *p;
            mean += *p;
            n++;
        }
    points->count = n;
    if (n < 12)
        return false;
    points->spread = 0.0f;
    for (int k = 0; k < n; k++) {
        points->level[k] -= mean / (float)n;
        points->spread += points->level[k] * points->level[k];
    }
    // Regularised: if rotation and scale are hardly visible, both stay near 0.
    for (int k = 0; k < TERMS; k++)
        hessian[k][k] *= k < 2 ? 1.001 : 1.02;
    return invert(hessian, points->inverse);
}

// One Gauss-Newton step at a shift of (x, y) samples, |x| and |y| below MARGIN. Returns the sum of
// squared differences.
static float step_at(const struct points *points, const float *wide, float x, float y,
                     float delta[TERMS])
{
    int ix = (int)floorf(x), iy = (int)floorf(y), n = points->count;
    float fx = x - (float)ix, fy = y - (float)iy;
    float w00 = (1 - fx) * (1 - fy), w10 = fx * (1 - fy), w01 = (1 - fx) * fy, w11 = fx * fy;
    const float *base = wide + iy * WIDE + ix;
    float seen[SIDE * SIDE], mean = 0.0f, total = 0.0f, sums[TERMS] = {0};
    for (int k = 0; k < n; k++) {
        const float *p = base + points->at[k];
        seen[k] = w00 * p[0] + w10 * p[1] + w01 * p[WIDE] + w11 * p[WIDE + 1];
        mean += seen[k];
    }
    mean /= (float)n;
    for (int k = 0; k < n; k++) {
        float off = seen[k] - mean - points->level[k];
        total += off * off;
        for (int t = 0; t < TERMS; t++)
            sums[t] += off * points->term[t][k];
    }
    for (int i = 0; i < TERMS; i++) {
        delta[i] = 0.0f;
        for (int j = 0; j < TERMS; j++)
            delta[i] += points->inverse[i][j] * sums[j];
    }
    return total;
}

struct lq_motion lq_motion_find(const struct lq_template *template, const struct lq_image *picture,
                                float guess_x, float guess_y)
{
    struct lq_motion motion = {.x = guess_x, .y = guess_y};
    struct points points;
    float wide[WIDE * WIDE], delta[TERMS];
    int step = template->blocks.step;
    if (!(fabsf(guess_x) < 16384.0f) || !(fabsf(guess_y) < 16384.0f) || !gather(&points, template))
        return motion;
    int whole_x = (int)lroundf(guess_x), whole_y = (int)lroundf(guess_y);
    const struct lq_blocks around = {template->blocks.x + whole_x - MARGIN * step,
                                     template->blocks.y + whole_y - MARGIN * step, step,
                                     template->blocks.width + 2 * MARGIN,
                                     template->blocks.height + 2 * MARGIN};
    read_blocks(picture, &around, wide, WIDE);
    const float most = (float)MARGIN - 1.01f;
    float x = lq_clamp((guess_x - (float)whole_x) / (float)step, -most, most);
    float y = lq_clamp((guess_y - (float)whole_y) / (float)step, -most, most);
    float best = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        float left = step_at(&points, wide, x, y, delta);
        if (left < best) {
            best = left;
            motion.x = (float)whole_x + x * (float)step;
            motion.y = (float)whole_y + y * (float)step;
            motion.scale = -lq_clamp(delta[2], -0.1f, 0.1f);
            motion.turn = -lq_clamp(delta[3], -0.15f, 0.15f);
        }
        // Inverse compositional: moving the template one way equals moving the picture the other
        // way.
        x = lq_clamp(x - lq_clamp(delta[0], -1.0f, 1.0f), -most, most);
        y = lq_clamp(y - lq_clamp(delta[1], -1.0f, 1.0f), -most, most);
        if (fabsf(delta[0]) + fabsf(delta[1]) < 0.01f)
            break;
    }
    motion.match = 1.0f - best / fmaxf(points.spread, 1.0f);
    return motion;
}
