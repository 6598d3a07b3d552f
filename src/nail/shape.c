#include "nail/shape.h"

#include <math.h>
#include <stdbool.h>

struct row_sums {
    int64_t weight, x, xx, area;
};

// x is below 2^14 and alpha below 2^8, so 64 terms of alpha * x * x easily fit 64 bits, and sums of
// alpha * x over a block fit 32.
LQ_HOT static void sum_row(const uint8_t *restrict alpha, int width, struct row_sums *sums)
{
    int64_t weight = 0, first = 0, second = 0;
    int32_t area = 0;
    for (int x = 0; x < width; x++) {
        int32_t a = alpha[x];
        weight += a;
        first += (int64_t)(a * x);
        second += (int64_t)(a * x) * x;
        area += a >= 128;
    }
    *sums = (struct row_sums){weight, first, second, area};
}

void lq_shape_measure(struct lq_nail *nail)
{
    double w = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    nail->area = 0;
    for (int j = 0; j < nail->crop.height; j++) {
        struct row_sums row;
        sum_row(nail->alpha + (size_t)j * nail->alpha_stride, nail->crop.width, &row);
        double rw = (double)row.weight, rx = (double)row.x;
        w += rw;
        x += rx;
        y += rw * j;
        xx += (double)row.xx;
        xy += rx * j;
        yy += rw * j * j;
        nail->area += row.area;
    }
    w = w > 0.0 ? w : 1.0;
    x /= w;
    y /= w;
    xx = xx / w - x * x;
    xy = xy / w - x * y;
    yy = yy / w - y * y;
    nail->center_x = (float)(nail->crop.x + x + 0.5);
    nail->center_y = (float)(nail->crop.y + y + 0.5);
    double middle = (xx + yy) / 2.0, spread = hypot((xx - yy) / 2.0, xy);
    double angle = 0.5 * atan2(2.0 * xy, xx - yy);
    nail->axis_x = (float)cos(angle);
    nail->axis_y = (float)sin(angle);
    // An ellipse's full axis is four standard deviations; pixels are squares with a size of their
    // own.
    nail->length = (float)(4.0 * sqrt(fmax(middle + spread, 1.0 / 12.0)));
    nail->width = (float)(4.0 * sqrt(fmax(middle - spread, 1.0 / 12.0)));
}

// Sums over a nail of u^0..u^4 and of w * u^0..u^2, by coverage; u and w in half lengths.
struct bend_sums {
    float u[5], w[3];
};

// The ends are excluded: there a bent nail shows more of its outer side.
static const float BEND_REACH = 0.7f;

// A row of pixels in the nail's frame: u along it, w across, of the first pixel's centre; du and dw
// from one pixel to the next. In half lengths.
struct frame_row {
    float u, w, du, dw;
};

static void bend_row(const uint8_t *alpha, int width, const struct frame_row *row,
                     struct bend_sums *sums)
{
    const float u = row->u, w = row->w, du = row->du, dw = row->dw;
    for (int x = 0; x < width; x++) {
        float s = u + du * (float)x, t = w + dw * (float)x;
        if (!alpha[x] || fabsf(s) > BEND_REACH)
            continue;
        float term = alpha[x];
        for (int k = 0; k < 5; k++, term *= s) {
            sums->u[k] += term;
            if (k < 3)
                sums->w[k] += term * t;
        }
    }
}

// The last coefficient of w = a + b u + c u^2 by least squares (Cramer's rule), 0 when undefined.
static float bend_of(const struct bend_sums *sums)
{
    float n = sums->u[0] > 0.0f ? sums->u[0] : 1.0f;
    float p = sums->u[1] / n, q = sums->u[2] / n, r = sums->u[3] / n, s = sums->u[4] / n;
    float x = sums->w[0] / n, y = sums->w[1] / n, z = sums->w[2] / n;
    float all = q * s - r * r - p * (p * s - r * q) + q * (p * r - q * q);
    float last = q * z - r * y - p * (p * z - q * y) + x * (p * r - q * q);
    return all > 1e-6f ? last / all : 0.0f;
}

void lq_shape_bend(struct lq_nail *nail)
{
    float scale = 2.0f / fmaxf(nail->length, 1.0f);
    float ux = nail->axis_x * scale, uy = nail->axis_y * scale;
    struct bend_sums sums = {0};
    for (int j = 0; j < nail->crop.height; j++) {
        const uint8_t *alpha = nail->alpha + (size_t)j * nail->alpha_stride;
        float x = (float)nail->crop.x + 0.5f - nail->center_x;
        float y = (float)(nail->crop.y + j) + 0.5f - nail->center_y;
        const struct frame_row row = {ux * x + uy * y, ux * y - uy * x, ux, -uy};
        bend_row(alpha, nail->crop.width, &row, &sums);
    }
    // The middle line turns by 2 c over each half length.
    nail->curvature = 4.0f * bend_of(&sums);
}

// Widens [*left, *right] to hold the covered part of a row; false when there is none.
static bool row_span(const uint8_t *alpha, int width, int *left, int *right)
{
    int first = 0, last = width - 1;
    while (first < width && !alpha[first])
        first++;
    if (first == width)
        return false;
    while (!alpha[last])
        last--;
    *left = first < *left ? first : *left;
    *right = last > *right ? last : *right;
    return true;
}

void lq_shape_trim(struct lq_nail *nail)
{
    struct lq_pixel_box *crop = &nail->crop;
    int left = crop->width, right = -1, top = -1, bottom = -1;
    for (int j = 0; j < crop->height; j++)
        if (row_span(nail->alpha + (size_t)j * nail->alpha_stride, crop->width, &left, &right)) {
            top = top < 0 ? j : top;
            bottom = j;
        }
    if (top < 0)
        return;
    int margin = 2 + (int)(nail->width * 0.06f);
    left = left > margin ? left - margin : 0;
    top = top > margin ? top - margin : 0;
    right = right + margin < crop->width ? right + margin : crop->width - 1;
    bottom = bottom + margin < crop->height ? bottom + margin : crop->height - 1;
    nail->alpha += (size_t)top * nail->alpha_stride + (size_t)left;
    *crop = (struct lq_pixel_box){crop->x + left, crop->y + top, right - left + 1,
                                  bottom - top + 1};
}

void lq_shape_turn(struct lq_nail *nail, float x, float y)
{
    float along = nail->axis_x * x + nail->axis_y * y;
    float across = nail->axis_x * y - nail->axis_y * x;
    float length = hypotf(nail->length * along, nail->width * across);
    nail->width = hypotf(nail->length * across, nail->width * along);
    nail->length = length;
    nail->axis_x = x;
    nail->axis_y = y;
}
