// Runs kernels that need no library over made numbers and prints what comes out, a number a line:
// tests/e2e/test_arm64.py builds it for this processor and for ARM64, and compares.
#include <stdio.h>
#include <stdlib.h>

#include "engine/f16.h"
#include "engine/u8.h"
#include "image/image.h"
#include "image/resize.h"
#include "image/box.h"
#include "nail/upsample.h"

enum { WIDTH = 61, HEIGHT = 47, SIDE = 32, COUNT = SIDE * SIDE * 3 };

static uint32_t seed = 1;

static uint32_t next(void)
{
    return seed = seed * 1664525u + 1013904223u, seed >> 16;
}

static void print(const char *name, const float *values, int count)
{
    for (int i = 0; i < count; i++)
        printf("%s %.9g\n", name, (double)values[i]);
}

static void resize(float tensor[COUNT])
{
    static uint8_t pixels[WIDTH * HEIGHT * 3];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)next();
    const struct lq_image picture = {pixels, WIDTH, HEIGHT, 3, 8, WIDTH * 3, NULL};
    const struct lq_resize_target target = {
        tensor, SIDE, SIDE, true, 0, 3, SIDE, 25, 0.5f, {1, 2, 3}, {0, -1, 0.25f}};
    struct lq_resizer *resizer;
    struct lq_error err;
    if (lq_resizer_new(&resizer) != LQ_OK ||
        lq_resizer_run(resizer, &picture, &target, &err) != LQ_OK)
        exit(1);
    lq_resizer_free(resizer);
    print("resize", tensor, COUNT);
}

static void convert(const float tensor[COUNT])
{
    static uint16_t halves[COUNT];
    static float back[COUNT];
    static uint8_t bytes[COUNT];
    const struct lq_u8_rule rule = {true, {255, 127.5f, 85}, {0, 127.5f, -21.25f}};
    lq_f16_from_f32(halves, tensor, COUNT);
    lq_f16_to_f32(back, halves, COUNT);
    lq_u8_from_f32(bytes, tensor, COUNT, &rule);
    print("half", back, COUNT);
    for (int i = 0; i < COUNT; i++)
        printf("byte %d\n", bytes[i]);
}

static void spread(const float tensor[COUNT])
{
    static float means[SIDE * SIDE], scratch[SIDE + 1], row[SIDE * 5];
    lq_box_mean(&(struct lq_plane){tensor, SIDE, SIDE, 1}, means, 3, scratch);
    lq_upsample_rows(means, SIDE, 1, -0.4f, 0.21f, row, SIDE * 5);
    print("mean", means, SIDE * SIDE);
    print("upsample", row, SIDE * 5);
}

int main(void)
{
    static float tensor[COUNT];
    resize(tensor);
    convert(tensor);
    spread(tensor);
    return 0;
}
