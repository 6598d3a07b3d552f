#include "paint/pattern.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/codec.h"
#include "paint/transfer.h"

static const float STRETCH_MAX = 1.15f;

// Converts to linear light with premultiplied alpha.
static void read_base(const struct lq_image *image, float *texels)
{
    float red[LQ_PATTERN_SIDE_MAX], green[LQ_PATTERN_SIDE_MAX], blue[LQ_PATTERN_SIDE_MAX];
    for (int y = 0; y < image->height; y++) {
        const uint8_t *row = lq_image_row(image, y);
        const uint16_t *wide = (const uint16_t *)(const void *)row;
        lq_transfer_read(image, 0, y, &(struct lq_rgb_row){red, green, blue, image->width});
        for (int x = 0; x < image->width; x++) {
            float alpha = 1.0f;
            if (image->channels == 4)
                alpha = image->depth == 16 ? (float)wide[4 * x + 3] / 65535.0f
                                           : (float)row[4 * x + 3] / 255.0f;
            float *texel = texels + 4 * ((size_t)y * (size_t)image->width + (size_t)x);
            texel[0] = red[x] * alpha;
            texel[1] = green[x] * alpha;
            texel[2] = blue[x] * alpha;
            texel[3] = alpha;
        }
    }
}

// Averages 2x2 pixels; an odd last row or column is repeated.
static void halve(const struct lq_pattern_level *from, const struct lq_pattern_level *to,
                  float *texels)
{
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++) {
            int x1 = 2 * x + 1 < from->width ? 2 * x + 1 : from->width - 1;
            int y1 = 2 * y + 1 < from->height ? 2 * y + 1 : from->height - 1;
            size_t top = (size_t)(2 * y) * (size_t)from->width;
            size_t low = (size_t)y1 * (size_t)from->width;
            const float *a = from->texels + 4 * (top + (size_t)(2 * x));
            const float *b = from->texels + 4 * (top + (size_t)x1);
            const float *c = from->texels + 4 * (low + (size_t)(2 * x));
            const float *d = from->texels + 4 * (low + (size_t)x1);
            float *texel = texels + 4 * ((size_t)y * (size_t)to->width + (size_t)x);
            for (int k = 0; k < 4; k++)
                texel[k] = 0.25f * (a[k] + b[k] + c[k] + d[k]);
        }
}

static int build(struct lq_pattern *pattern, const struct lq_image *image)
{
    size_t total = 0;
    int width = image->width, height = image->height;
    for (; pattern->level_count < LQ_PATTERN_LEVELS; pattern->level_count++) {
        pattern->levels[pattern->level_count] = (struct lq_pattern_level){width, height, NULL};
        total += (size_t)width * (size_t)height;
        if (width < 8 || height < 8) {
            pattern->level_count++;
            break;
        }
        width = (width + 1) / 2;
        height = (height + 1) / 2;
    }
    pattern->memory = malloc(total * 4 * sizeof(float));
    if (!pattern->memory)
        return LQ_ERR_MEMORY;
    float *texels = pattern->memory;
    for (int i = 0; i < pattern->level_count; i++) {
        struct lq_pattern_level *level = &pattern->levels[i];
        level->texels = texels;
        if (i == 0)
            read_base(image, texels);
        else
            halve(&pattern->levels[i - 1], level, texels);
        texels += 4 * (size_t)level->width * (size_t)level->height;
    }
    return LQ_OK;
}

static int decode(struct lq_pattern *pattern, struct lq_error *err)
{
    struct lq_codec *codec;
    struct lq_buf pixels;
    struct lq_image image;
    lq_transfer_init();
    const struct lq_picture_file file = {pattern->file, pattern->file_len,
                                         (size_t)LQ_PATTERN_SIDE_MAX * LQ_PATTERN_SIDE_MAX};
    lq_buf_init(&pixels, file.pixels_max * 16);
    int status = lq_codec_new(&codec, err);
    if (status != LQ_OK)
        return status;
    status = lq_codec_decode(codec, &file, &pixels, &image, NULL, err);
    if (status == LQ_OK &&
        (image.width > LQ_PATTERN_SIDE_MAX || image.height > LQ_PATTERN_SIDE_MAX))
        status = lq_fail(err, LQ_ERR_TOO_LARGE, "%d x %d pixels: at most %d on a side",
                         image.width, image.height, LQ_PATTERN_SIDE_MAX);
    if (status == LQ_OK && build(pattern, &image) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    lq_buf_release(&pixels);
    lq_codec_free(codec);
    return status;
}

int lq_pattern_new(struct lq_pattern **out, const char *name, const uint8_t *bytes, size_t len,
                   struct lq_error *err)
{
    struct lq_pattern *pattern = calloc(1, sizeof *pattern);
    uint8_t *file = malloc(len ? len : 1);
    if (!pattern || !file) {
        free(pattern);
        free(file);
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    }
    snprintf(pattern->name, sizeof pattern->name, "%s", name);
    memcpy(file, bytes, len);
    pattern->file = file;
    pattern->file_len = len;
    int status = decode(pattern, err);
    if (status != LQ_OK) {
        lq_pattern_free(pattern);
        return lq_fail_within(err, "pattern '%.60s'", name);
    }
    *out = pattern;
    return LQ_OK;
}

void lq_pattern_free(struct lq_pattern *pattern)
{
    if (!pattern)
        return;
    free(pattern->memory);
    free((uint8_t *)pattern->file);
    free(pattern);
}

float lq_pattern_span(const struct lq_pattern *pattern, float aspect)
{
    const struct lq_pattern_level *whole = &pattern->levels[0];
    float times = aspect * (float)whole->width / (float)whole->height;
    return times > 1.0f ? fmaxf(times / STRETCH_MAX, 1.0f) : fminf(times * STRETCH_MAX, 1.0f);
}

const struct lq_pattern_level *lq_pattern_level(const struct lq_pattern *pattern, float width)
{
    int level = 0;
    while (level + 1 < pattern->level_count &&
           (float)pattern->levels[level + 1].width >= width)
        level++;
    return &pattern->levels[level];
}

static inline float hold(float x, float most)
{
    return x > 0.0f ? (x < most ? x : most) : 0.0f;
}

void lq_pattern_read(const struct lq_pattern_level *level, const float *x, const float *y,
                     const struct lq_rgb_row *color, float *alpha)
{
    float *red = color->red, *green = color->green, *blue = color->blue;
    int n = color->count;
    float right = (float)(level->width - 1);
    int height = level->height;
    for (int i = 0; i < n; i++) {
        float px = hold(x[i] * (float)level->width - 0.5f, right);
        float flipped = y[i] - floorf(y[i]), py = flipped * (float)height + (float)height - 0.5f;
        int x0 = (int)px, down = (int)py;
        int x1 = x0 + (x0 < level->width - 1), y0 = down % height, y1 = (down + 1) % height;
        float fx = px - (float)x0, fy = py - (float)down;
        const float *a = level->texels + 4 * (y0 * level->width + x0);
        const float *b = level->texels + 4 * (y0 * level->width + x1);
        const float *c = level->texels + 4 * (y1 * level->width + x0);
        const float *d = level->texels + 4 * (y1 * level->width + x1);
        float out[4];
        for (int k = 0; k < 4; k++) {
            float top = a[k] + (b[k] - a[k]) * fx, low = c[k] + (d[k] - c[k]) * fx;
            out[k] = top + (low - top) * fy;
        }
        red[i] = out[0];
        green[i] = out[1];
        blue[i] = out[2];
        alpha[i] = out[3];
    }
}
