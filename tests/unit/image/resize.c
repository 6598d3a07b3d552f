#include "image/resize.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

// The filter written as its definition says, in double and one pixel at a time.
static double filtered(const struct lq_image *source, int width, int height, int x, int y, int c)
{
    double rx = (double)source->width / width, ry = (double)source->height / height;
    double sx = rx > 1 ? rx : 1, sy = ry > 1 ? ry : 1;
    double cx = (x + 0.5) * rx, cy = (y + 0.5) * ry;
    double sum = 0, total = 0;
    for (int j = 0; j < source->height; j++) {
        double wy = 1 - fabs(j + 0.5 - cy) / sy;
        for (int i = 0; i < source->width && wy > 0; i++) {
            double wx = 1 - fabs(i + 0.5 - cx) / sx;
            if (wx <= 0)
                continue;
            const uint8_t *row = lq_image_row(source, j);
            int at = i * source->channels + c;
            sum += wx * wy * (source->depth == 16 ? ((const uint16_t *)row)[at] / 65535.0
                                                  : row[at] / 255.0);
            total += wx * wy;
        }
    }
    return sum / total;
}

static void make_source(struct lq_image *image, struct lq_buf *buf, int width, int height,
                        int channels, int depth)
{
    uint32_t seed = (uint32_t)(width * 31 + height);
    assert_ok(lq_image_alloc(image, buf, width, height, channels, depth));
    for (size_t i = 0; i < buf->len; i++)
        buf->data[i] = (uint8_t)(unit_random(&seed) >> 11);
}

static float *value_at(const struct lq_resize_target *target, int x, int y, int c)
{
    size_t width = (size_t)target->tensor_width, height = (size_t)target->tensor_height;
    size_t at = target->channels_first ? ((size_t)c * height + (size_t)y) * width + (size_t)x
                                       : ((size_t)y * width + (size_t)x) * 3 + (size_t)c;
    return target->data + at;
}

static bool inside(const struct lq_resize_target *target, int x, int y)
{
    return x >= target->x && x < target->x + target->width && y >= target->y &&
           y < target->y + target->height;
}

static void compare(const struct lq_image *source, const struct lq_resize_target *target)
{
    for (int y = 0; y < target->tensor_height; y++) {
        for (int x = 0; x < target->tensor_width; x++) {
            for (int c = 0; c < 3; c++) {
                double pixel = (double)target->pad;
                if (inside(target, x, y))
                    pixel = filtered(source, target->width, target->height, x - target->x,
                                     y - target->y, c);
                double wanted = pixel * (double)target->scale[c] + (double)target->bias[c];
                double got = (double)*value_at(target, x, y, c);
                if (!(fabs(got - wanted) < 1e-5 * (1 + fabs(wanted))))
                    fail_msg("%dx%d to %dx%d at %d,%d,%d: %f, not %f", source->width,
                             source->height, target->width, target->height, x, y, c, got, wanted);
            }
        }
    }
}

static void matches_its_definition(void **state)
{
    (void)state;
    static const int sizes[][4] = {{1, 1, 1, 1},    {7, 5, 7, 5},     {5, 7, 13, 3},
                                   {33, 17, 19, 9}, {97, 61, 8, 5},   {3, 2, 31, 29},
                                   {64, 48, 38, 28}, {200, 3, 1, 1},  {1, 150, 17, 1},
                                   {101, 67, 60, 40}, {41, 23, 82, 46}, {73, 90, 12, 15}};
    struct lq_resizer *resizer;
    struct lq_buf buf;
    lq_buf_init(&buf, 1 << 24);
    assert_ok(lq_resizer_new(&resizer));
    for (size_t i = 0; i < LQ_COUNT(sizes); i++) {
        for (int form = 0; form < 8; form++) {
            struct lq_image source;
            make_source(&source, &buf, sizes[i][0], sizes[i][1], form & 1 ? 4 : 3,
                        form & 2 ? 16 : 8);
            struct lq_resize_target target = {
                .tensor_width = sizes[i][2] + 5, .tensor_height = sizes[i][3] + 3,
                .channels_first = form & 4, .x = 2, .y = 3,
                .width = sizes[i][2], .height = sizes[i][3], .pad = 0.5f,
                .scale = {1, 2, -0.5f}, .bias = {0, -0.4f, 3}};
            size_t count = 3 * (size_t)target.tensor_width * (size_t)target.tensor_height;
            target.data = malloc(count * sizeof(float));
            memset(target.data, 0xff, count * sizeof(float)); // not a number unless written
            assert_ok(lq_resizer_run(resizer, &source, &target, NULL));
            compare(&source, &target);
            free(target.data);
        }
    }
    lq_resizer_free(resizer);
    lq_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_its_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
