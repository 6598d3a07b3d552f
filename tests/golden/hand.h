// A rendered hand and its nails through its true mask, as a model a quarter its size would give them.
// For programs in this folder; include in one file of each.
#pragma once

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "image/codec.h"
#include "nail/nail.h"
#include "paint/catalogue.h"
#include "paint/paint.h"

struct stage {
    struct lq_codec *codec;
    struct lq_nail_finder *finder;
    struct lq_painter *painter;
    struct lq_buf file, hand_pixels, mask_pixels, grid, sheet_pixels, golden_pixels;
    struct lq_image hand, mask, sheet, golden;
    struct lq_catalogue *catalogue;
    struct lq_error err;
};

static int load(struct stage *stage, const char *path, struct lq_buf *pixels,
                struct lq_image *image)
{
    int status = lq_file_read(path, &stage->file, &stage->err);
    return status != LQ_OK ? status
                           : lq_codec_decode(stage->codec, stage->file.data, stage->file.len,
                                             LQ_PICTURE_PIXELS_MAX, pixels, image, NULL,
                                             &stage->err);
}

// The mask as a model would give it: means over cells.
static int make_patch(struct stage *stage, int cell, struct lq_patch *patch)
{
    int width = stage->mask.width / cell, height = stage->mask.height / cell;
    int status = lq_buf_resize(&stage->grid, (size_t)(width * height) * sizeof(float));
    if (status != LQ_OK)
        return lq_fail(&stage->err, status, "cannot make a grid");
    float *grid = (float *)(void *)stage->grid.data;
    for (int j = 0; j < height; j++)
        for (int i = 0; i < width; i++) {
            float sum = 0.0f;
            for (int v = 0; v < cell; v++)
                for (int u = 0; u < cell; u++)
                    sum += lq_image_row(&stage->mask, j * cell + v)[(i * cell + u) *
                                                                    stage->mask.channels];
            grid[j * width + i] = sum / (255.0f * (float)(cell * cell));
        }
    float half = (float)cell * 0.5f;
    *patch = (struct lq_patch){1.0f, false, 0.5f, width, height, width, grid, half, half,
                               (float)cell, (float)cell,
                               {0, 0, (float)stage->mask.width, (float)stage->mask.height}};
    return LQ_OK;
}

// Loads tests/golden/hands/HAND and finds its nails.
static int find_hand(struct stage *stage, const char *hand, int cell, const struct lq_nails **nails)
{
    char path[512];
    struct lq_patch patch;
    snprintf(path, sizeof(path), "tests/golden/hands/%s.jpg", hand);
    int status = load(stage, path, &stage->hand_pixels, &stage->hand);
    snprintf(path, sizeof(path), "tests/golden/hands/%s.mask.png", hand);
    if (status == LQ_OK)
        status = load(stage, path, &stage->mask_pixels, &stage->mask);
    if (status == LQ_OK)
        status = make_patch(stage, cell, &patch);
    return status != LQ_OK
               ? status
               : lq_nail_find(stage->finder, &stage->hand, &patch, 1, nails, &stage->err);
}

static int stage_init(struct stage *stage)
{
    struct lq_buf *const buffers[] = {&stage->file, &stage->hand_pixels, &stage->mask_pixels,
                                      &stage->grid, &stage->sheet_pixels, &stage->golden_pixels};
    for (size_t i = 0; i < LQ_COUNT(buffers); i++)
        lq_buf_init(buffers[i], 64 << 20);
    int status = lq_catalogue_open(&stage->catalogue, NULL, &stage->err);
    if (status == LQ_OK)
        status = lq_codec_new(&stage->codec, &stage->err);
    if (status == LQ_OK && (lq_nail_finder_new(&stage->finder) != LQ_OK ||
                            lq_painter_new(&stage->painter) != LQ_OK))
        status = lq_fail(&stage->err, LQ_ERR_MEMORY, "out of memory");
    return status;
}

static void stage_release(struct stage *stage)
{
    struct lq_buf *const buffers[] = {&stage->file, &stage->hand_pixels, &stage->mask_pixels,
                                      &stage->grid, &stage->sheet_pixels, &stage->golden_pixels};
    for (size_t i = 0; i < LQ_COUNT(buffers); i++)
        lq_buf_release(buffers[i]);
    lq_painter_free(stage->painter);
    lq_nail_finder_free(stage->finder);
    lq_codec_free(stage->codec);
    lq_catalogue_close(stage->catalogue);
}
