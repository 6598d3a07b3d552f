// Times the image layer's stages on one core: median microseconds at the live frame's size.
// Usage: image [ROUNDS]    Threads: one.
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "image/codec.h"
#include "image/resize.h"

enum { WIDTH = 640, HEIGHT = 480, NET_WIDTH = 384, NET_HEIGHT = 288, ROUNDS_DEFAULT = 200 };

struct bench {
    struct lq_codec *codec;
    struct lq_resizer *resizer;
    struct lq_buf source_buf, pixels, jpeg, png, tensor, out;
    struct lq_image source;
    struct lq_resize_target target;
    struct lq_error err;
};

// Draws shading, some edges and a little noise, so that the picture compresses about as well as a
// photo.
static void paint_source(const struct lq_image *image)
{
    uint32_t noise = 1;
    for (int y = 0; y < image->height; y++) {
        uint8_t *row = lq_image_row(image, y);
        for (int x = 0; x < image->width; x++) {
            int patch = ((x / 56) * 7 + (y / 40) * 5) % 11 * 9;
            for (int c = 0; c < 3; c++) {
                noise = noise * 1664525u + 1013904223u; // Numerical Recipes' LCG
                int shade = 40 + patch + (x * (c + 1) + y) / 20;
                row[3 * x + c] = (uint8_t)(shade + (int)(noise >> 28));
            }
        }
    }
}

static int encode_jpeg(struct bench *b)
{
    lq_buf_clear(&b->jpeg);
    return lq_codec_encode_jpeg(b->codec, &b->source, 85, NULL, &b->jpeg, &b->err);
}

static int encode_jpeg_full(struct bench *b)
{
    lq_buf_clear(&b->out);
    return lq_codec_encode_jpeg(b->codec, &b->source, 95, NULL, &b->out, &b->err);
}

static int decode_jpeg(struct bench *b)
{
    struct lq_image image;
    const struct lq_picture_file file = {b->jpeg.data, b->jpeg.len, LQ_FRAME_PIXELS_MAX};
    return lq_codec_decode(b->codec, &file, &b->pixels, &image, NULL, &b->err);
}

static int encode_png(struct bench *b)
{
    lq_buf_clear(&b->png);
    return lq_codec_encode_png(b->codec, &b->source, NULL, &b->png, &b->err);
}

static int decode_png(struct bench *b)
{
    struct lq_image image;
    const struct lq_picture_file file = {b->png.data, b->png.len, LQ_FRAME_PIXELS_MAX};
    return lq_codec_decode(b->codec, &file, &b->pixels, &image, NULL, &b->err);
}

static int resize_planes(struct bench *b)
{
    b->target.channels_first = true;
    return lq_resizer_run(b->resizer, &b->source, &b->target, &b->err);
}

static int resize_pixels(struct bench *b)
{
    b->target.channels_first = false;
    return lq_resizer_run(b->resizer, &b->source, &b->target, &b->err);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int measure(struct bench *b, const char *name, int (*stage)(struct bench *), size_t rounds,
                   uint64_t *times)
{
    for (size_t i = 0; i < rounds; i++) {
        uint64_t start = lq_clock_us();
        if (stage(b) != LQ_OK) {
            fprintf(stderr, "%s: %s\n", name, b->err.text);
            return 1;
        }
        times[i] = lq_clock_us() - start;
    }
    qsort(times, rounds, sizeof(*times), by_value);
    printf("%-28s median %6llu us   fastest %6llu us\n", name,
           (unsigned long long)times[rounds / 2], (unsigned long long)times[0]);
    return 0;
}

static int bench_open(struct bench *b)
{
    struct lq_buf *bufs[] = {&b->source_buf, &b->pixels, &b->jpeg, &b->png, &b->tensor, &b->out};
    for (size_t i = 0; i < LQ_COUNT(bufs); i++)
        lq_buf_init(bufs[i], 64 << 20);
    size_t tensor = (size_t)NET_WIDTH * NET_HEIGHT * 3 * sizeof(float);
    if (lq_codec_new(&b->codec, &b->err) != LQ_OK || lq_resizer_new(&b->resizer) != LQ_OK ||
        lq_image_alloc(&b->source, &b->source_buf, WIDTH, HEIGHT, 3, 8) != LQ_OK ||
        lq_buf_resize(&b->tensor, tensor) != LQ_OK)
        return LQ_ERR_MEMORY;
    paint_source(&b->source);
    b->target = (struct lq_resize_target){
        .data = (float *)b->tensor.data, .tensor_width = NET_WIDTH, .tensor_height = NET_HEIGHT,
        .width = NET_WIDTH, .height = NET_HEIGHT, .scale = {1, 1, 1}};
    return LQ_OK;
}

static void bench_close(struct bench *b)
{
    lq_codec_free(b->codec);
    lq_resizer_free(b->resizer);
    struct lq_buf *bufs[] = {&b->source_buf, &b->pixels, &b->jpeg, &b->png, &b->tensor, &b->out};
    for (size_t i = 0; i < LQ_COUNT(bufs); i++)
        lq_buf_release(bufs[i]);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(struct bench *);
    } stages[] = {
        {"encode JPEG quality 85", encode_jpeg}, {"encode JPEG quality 95", encode_jpeg_full},
        {"decode JPEG", decode_jpeg},            {"encode PNG", encode_png},
        {"decode PNG", decode_png},              {"resize to 384x288 CHW", resize_planes},
        {"resize to 384x288 HWC", resize_pixels},
    };
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    if (rounds < 1 || rounds > 1000000) {
        fprintf(stderr, "image: rounds must be 1 to 1000000\n");
        return 2;
    }
    struct bench b = {0};
    uint64_t *times = malloc((size_t)rounds * sizeof(*times));
    int failed = !times || bench_open(&b) != LQ_OK;
    for (size_t i = 0; i < LQ_COUNT(stages) && !failed; i++)
        failed = measure(&b, stages[i].name, stages[i].run, (size_t)rounds, times);
    if (!failed)
        printf("%dx%d: JPEG %zu bytes, PNG %zu bytes\n", WIDTH, HEIGHT, b.jpeg.len, b.png.len);
    bench_close(&b);
    free(times);
    return failed;
}
