#include "nail/blend.h"

#include <math.h>
#include <string.h>

static const float SHARPEN = 0.25f; // maximum, for an outline that was moved by half a pixel

// Position in the last frame of a point of this frame: the inverse motion, to first order.
struct way_back {
    float x, y;           // of the first pixel's centre
    float dx_x, dx_y;     // per pixel to the right
    float dy_x, dy_y;     // per pixel down
};

static struct way_back way_back(const struct lq_shown_mask *mask, const struct lq_motion *motion,
                                float x, float y)
{
    float cx = mask->center_x, cy = mask->center_y;
    float a = 1.0f + motion->scale, b = motion->turn, det = a * a + b * b;
    a /= det;
    b /= det;
    float ox = x - cx - motion->x, oy = y - cy - motion->y;
    return (struct way_back){cx + a * ox + b * oy, cy + a * oy - b * ox, a, -b, b, a};
}

bool lq_shown_mask_moved_box(const struct lq_shown_mask *mask, const struct lq_motion *motion,
                             const struct lq_image *picture, struct lq_pixel_box *box)
{
    float left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
    for (int k = 0; k < 4; k++) {
        float ox = (float)(mask->box.x + (k & 1 ? mask->box.width : 0)) - mask->center_x;
        float oy = (float)(mask->box.y + (k & 2 ? mask->box.height : 0)) - mask->center_y;
        float x = mask->center_x + motion->x + ox + motion->scale * ox - motion->turn * oy;
        float y = mask->center_y + motion->y + oy + motion->turn * ox + motion->scale * oy;
        left = fminf(left, x);
        right = fmaxf(right, x);
        top = fminf(top, y);
        bottom = fmaxf(bottom, y);
    }
    left = fmaxf(floorf(left), 0.0f);
    top = fmaxf(floorf(top), 0.0f);
    right = fminf(ceilf(right), (float)picture->width);
    bottom = fminf(ceilf(bottom), (float)picture->height);
    if (!(right > left) || !(bottom > top))
        return false;
    *box = (struct lq_pixel_box){(int)left, (int)top, (int)(right - left), (int)(bottom - top)};
    return true;
}

// Interpolates the four samples around (ix, iy); samples outside the mask are 0.
static inline int sample_at_edge(const struct lq_shown_mask *mask, int ix, int iy, int fx, int fy)
{
    bool left = ix >= 0, right = ix + 1 < mask->box.width;
    bool above = iy >= 0, below = iy + 1 < mask->box.height;
    const uint8_t *p = mask->alpha + (ptrdiff_t)iy * (ptrdiff_t)mask->stride + ix;
    int p00 = left && above ? p[0] : 0, p10 = right && above ? p[1] : 0;
    int p01 = left && below ? p[mask->stride] : 0;
    int p11 = right && below ? p[mask->stride + 1] : 0;
    int upper = p00 * (256 - fx) + p10 * fx, lower = p01 * (256 - fx) + p11 * fx;
    return (upper * (256 - fy) + lower * fy + 32768) >> 16;
}

// Draws row j; `from`: where its first row begins, in the mask's own pixels.
static void move_row(const struct lq_shown_mask *mask, const struct way_back *from, int j,
                     int width, uint8_t *out)
{
    float x = from->x + from->dy_x * (float)j, y = from->y + from->dy_y * (float)j;
    const float dx = from->dx_x, dy = from->dx_y;
    const int last_x = mask->box.width - 1, last_y = mask->box.height - 1;
    const size_t stride = mask->stride;
    for (int i = 0; i < width; i++, x += dx, y += dy) {
        int ix = (int)x - (x < 0.0f), iy = (int)y - (y < 0.0f); // floor, or less where all is 0
        if (ix < -1 || iy < -1 || ix > last_x || iy > last_y) {
            out[i] = 0;
            continue;
        }
        int fx = (int)((x - (float)ix) * 256.0f), fy = (int)((y - (float)iy) * 256.0f);
        if ((unsigned)ix >= (unsigned)last_x || (unsigned)iy >= (unsigned)last_y) {
            out[i] = (uint8_t)sample_at_edge(mask, ix, iy, fx, fy);
            continue;
        }
        const uint8_t *p = mask->alpha + (size_t)iy * stride + ix;
        int upper = p[0] * (256 - fx) + p[1] * fx;
        int lower = p[stride] * (256 - fx) + p[stride + 1] * fx;
        out[i] = (uint8_t)((upper * (256 - fy) + lower * fy + 32768) >> 16);
    }
}

void lq_shown_mask_move(const struct lq_shown_mask *mask, const struct lq_motion *motion,
                        const struct lq_pixel_box *box, uint8_t *out, size_t stride)
{
    struct way_back from = way_back(mask, motion, (float)box->x + 0.5f, (float)box->y + 0.5f);
    from.x = from.x - (float)mask->box.x - 0.5f;
    from.y = from.y - (float)mask->box.y - 0.5f;
    for (int j = 0; j < box->height; j++)
        move_row(mask, &from, j, box->width, out + (size_t)j * stride);
}

LQ_HOT float lq_blend_agreement(const uint8_t *restrict a, const uint8_t *restrict b, size_t n)
{
    uint32_t lesser = 0, greater = 0;
    uint64_t all_lesser = 0, all_greater = 0;
    for (size_t from = 0; from < n; from += 4096) {
        size_t to = n - from < 4096 ? n : from + 4096;
        for (size_t i = from; i < to; i++) {
            lesser += a[i] < b[i] ? a[i] : b[i];
            greater += a[i] > b[i] ? a[i] : b[i];
        }
        all_lesser += lesser;
        all_greater += greater;
        lesser = greater = 0;
    }
    return all_greater ? (float)all_lesser / (float)all_greater : 1.0f;
}

float lq_blend_softening(const struct lq_motion *motion)
{
    float x = motion->x - floorf(motion->x), y = motion->y - floorf(motion->y);
    return 2.0f * (x * (1.0f - x) + y * (1.0f - y));
}

LQ_HOT void lq_blend(const uint8_t *restrict a, const uint8_t *restrict b, uint8_t *restrict out,
                     size_t n, float share, float softening)
{
    int of_b = (int)(share * 256.0f + 0.5f), of_a = 256 - of_b;
    int gain = 256 + (int)(SHARPEN * softening * (float)of_a);
    for (size_t i = 0; i < n; i++) {
        int mixed = a[i] * of_a + b[i] * of_b; // 0..65280
        int sharp = 32640 + ((mixed - 32640) * gain >> 8);
        sharp = sharp < 0 ? 0 : sharp > 65280 ? 65280 : sharp;
        out[i] = (uint8_t)((sharp + 128) >> 8);
    }
}
