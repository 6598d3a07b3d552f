#include "image/resize.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unit/allocations.h"
#include "unit/image/resize_pil.h"
#include "unit/unit.h"

// The filter by its definition, in double and one pixel at a time.
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

// PIL rounds to 8 bits after each direction, so that it may be one level off the exact value.
static void agrees_with_pil(void **state)
{
    (void)state;
    struct lq_resizer *resizer;
    struct lq_buf buf;
    static float tensor[13 * 8 * 3];
    lq_buf_init(&buf, 1 << 20);
    assert_ok(lq_resizer_new(&resizer));
    for (size_t test = 0; test < LQ_COUNT(resize_pil); test++) {
        int width = resize_pil[test].from[0], height = resize_pil[test].from[1];
        uint32_t noise = (uint32_t)(width * 1000 + height);
        struct lq_image source;
        assert_ok(lq_image_alloc(&source, &buf, width, height, 3, 8));
        for (int i = 0; i < width * height * 3; i++) {
            noise = noise * 1664525 + 1013904223;
            lq_image_row(&source, i / (width * 3))[i % (width * 3)] = (uint8_t)(noise >> 24);
        }
        struct lq_resize_target target = {
            .data = tensor, .tensor_width = resize_pil[test].to[0],
            .tensor_height = resize_pil[test].to[1], .width = resize_pil[test].to[0],
            .height = resize_pil[test].to[1], .scale = {255, 255, 255}};
        int count = target.width * target.height * 3;
        assert_true((size_t)count <= LQ_COUNT(tensor));
        assert_ok(lq_resizer_run(resizer, &source, &target, NULL));
        for (int i = 0; i < count; i++)
            assert_true(fabsf(tensor[i] - resize_pil[test].pixels[i]) <= 1.01f);
    }
    lq_resizer_free(resizer);
    lq_buf_release(&buf);
}

static void leaves_equal_sizes_alone(void **state)
{
    (void)state;
    struct lq_resizer *resizer;
    struct lq_buf buf;
    static float tensor[31 * 17 * 3];
    struct lq_image source;
    lq_buf_init(&buf, 1 << 20);
    assert_ok(lq_resizer_new(&resizer));
    make_source(&source, &buf, 31, 17, 3, 8);
    struct lq_resize_target target = {.data = tensor, .tensor_width = 31, .tensor_height = 17,
                                      .width = 31, .height = 17, .scale = {255, 255, 255}};
    assert_ok(lq_resizer_run(resizer, &source, &target, NULL));
    for (int y = 0; y < 17; y++) {
        for (int i = 0; i < 31 * 3; i++)
            assert_int_equal(lrintf(tensor[y * 31 * 3 + i]), lq_image_row(&source, y)[i]);
    }
    lq_resizer_free(resizer);
    lq_buf_release(&buf);
}

// Rows of any stride from any address: a view into a larger picture.
static void reads_views(void **state)
{
    (void)state;
    struct lq_resizer *resizer;
    struct lq_buf buf;
    static float tensor[20 * 10 * 3];
    struct lq_image source;
    lq_buf_init(&buf, 1 << 20);
    assert_ok(lq_resizer_new(&resizer));
    make_source(&source, &buf, 67, 45, 3, 8);
    source.data += 3 * source.stride + 5 * 3;
    source.width = 51;
    source.height = 37;
    struct lq_resize_target target = {.data = tensor, .tensor_width = 20, .tensor_height = 10,
                                      .channels_first = true, .width = 20, .height = 10,
                                      .scale = {1, 1, 1}};
    assert_ok(lq_resizer_run(resizer, &source, &target, NULL));
    compare(&source, &target);
    lq_resizer_free(resizer);
    lq_buf_release(&buf);
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct lq_resizer *resizer;
    struct lq_buf buf;
    struct lq_image source;
    struct lq_error error;
    float tensor[4 * 4 * 3] = {0};
    lq_buf_init(&buf, 1 << 20);
    assert_ok(lq_resizer_new(&resizer));
    make_source(&source, &buf, 8, 8, 3, 8);
    static const int bad[][4] = {{0, 0, 5, 4}, {0, 0, 4, 5}, {1, 0, 4, 4}, {-1, 0, 2, 2},
                                 {0, -1, 2, 2}, {0, 0, 0, 4}, {0, 0, 4, 0}, {2147483647, 0, 1, 1}};
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        struct lq_resize_target target = {.data = tensor, .tensor_width = 4, .tensor_height = 4,
                                          .x = bad[i][0], .y = bad[i][1], .width = bad[i][2],
                                          .height = bad[i][3], .bias = {1, 1, 1}};
        assert_int_equal(lq_resizer_run(resizer, &source, &target, &error), LQ_ERR_ARGUMENT);
        assert_true(tensor[0] == 0);
    }
    struct lq_resize_target target = {.data = tensor, .tensor_width = 4, .tensor_height = 4,
                                      .width = 4, .height = 4};
    source.channels = 1;
    assert_int_equal(lq_resizer_run(resizer, &source, &target, &error), LQ_ERR_ARGUMENT);
    lq_resizer_free(resizer);
    lq_buf_release(&buf);
}

static void allocates_nothing_once_warm(void **state)
{
    (void)state;
    struct lq_resizer *resizer;
    struct lq_buf buf;
    struct lq_image source;
    static float tensor[64 * 64 * 3];
    lq_buf_init(&buf, 1 << 20);
    assert_ok(lq_resizer_new(&resizer));
    make_source(&source, &buf, 160, 120, 3, 8);
    struct lq_resize_target target = {.data = tensor, .tensor_width = 64, .tensor_height = 64,
                                      .y = 8, .width = 64, .height = 48, .scale = {1, 1, 1}};
    assert_ok(lq_resizer_run(resizer, &source, &target, NULL));
    size_t before = allocations_own + allocations_foreign;
    for (int i = 0; i < 10; i++)
        assert_ok(lq_resizer_run(resizer, &source, &target, NULL));
    assert_int_equal(allocations_own + allocations_foreign - before, 0);
    lq_resizer_free(resizer);
    lq_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_its_definition),
        cmocka_unit_test(agrees_with_pil),
        cmocka_unit_test(leaves_equal_sizes_alone),
        cmocka_unit_test(reads_views),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(allocates_nothing_once_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
