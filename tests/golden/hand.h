// A rendered hand and its nails through its true mask, as a model a quarter its size would give
// them. For programs in this folder; include in one file of each.
#pragma once

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

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
    struct lq_nails nails;
    struct lq_error err;
};

static int load(struct stage *stage, const char *path, struct lq_buf *pixels,
                struct lq_image *image)
{
    int status = lq_file_read(path, &stage->file, &stage->err);
    const struct lq_picture_file file = {stage->file.data, stage->file.len, LQ_PICTURE_PIXELS_MAX};
    return status == LQ_OK ? lq_codec_decode(stage->codec, &file, pixels, image, NULL, &stage->err)
                           : status;
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

// The renderer knows which end is the tip and whose finger it is: pictures painted here must not
// change when the finder's opinion does.
__attribute__((unused)) static int tell_tips(struct stage *stage, const char *hand)
{
    static const char *const fingers[LQ_FINGER_COUNT] = {"", "thumb", "index", "middle", "ring",
                                                         "little"};
    char path[512];
    snprintf(path, sizeof(path), "tests/golden/hands/%s.json", hand);
    json_t *root = json_load_file(path, 0, NULL), *truth = json_object_get(root, "nails");
    for (int i = 0; i < stage->nails.count; i++) {
        struct lq_nail *nail = &stage->nails.items[i];
        json_t *each;
        size_t k;
        json_array_foreach(truth, k, each) {
            json_t *center = json_object_get(each, "centre"), *axis = json_object_get(each, "axis");
            double x = json_number_value(json_array_get(center, 0)) - (double)nail->center_x;
            double y = json_number_value(json_array_get(center, 1)) - (double)nail->center_y;
            if (hypot(x, y) > 0.5 * (double)nail->width)
                continue;
            double along = json_number_value(json_array_get(axis, 0)) * (double)nail->axis_x +
                           json_number_value(json_array_get(axis, 1)) * (double)nail->axis_y;
            nail->axis_x = along < 0 ? -nail->axis_x : nail->axis_x;
            nail->axis_y = along < 0 ? -nail->axis_y : nail->axis_y;
            nail->tip_known = true;
            const char *finger = json_string_value(json_object_get(each, "finger"));
            for (int f = 1; finger && f < LQ_FINGER_COUNT; f++)
                if (strcmp(finger, fingers[f]) == 0)
                    nail->finger = (enum lq_finger)f;
        }
    }
    int status = root ? LQ_OK : lq_fail(&stage->err, LQ_ERR_IO, "cannot read '%s'", path);
    json_decref(root);
    return status;
}

// Finds the nails of stage->hand by the mask at `path`, into stage->nails.
static int find_nails(struct stage *stage, const char *path, int cell)
{
    struct lq_patch patch;
    const struct lq_nails *nails;
    int status = load(stage, path, &stage->mask_pixels, &stage->mask);
    if (status == LQ_OK)
        status = make_patch(stage, cell, &patch);
    if (status == LQ_OK)
        status = lq_nail_find(stage->finder, &stage->hand, &patch, 1, &nails, &stage->err);
    if (status == LQ_OK)
        stage->nails = *nails;
    return status;
}

// Where a picture, its mask and what the renderer says of it lie.
struct hand_files {
    char picture[1024], mask[1024], meta[1024];
};

__attribute__((unused)) static struct hand_files golden_files(const char *hand)
{
    struct hand_files files;
    snprintf(files.picture, sizeof(files.picture), "tests/golden/hands/%s.jpg", hand);
    snprintf(files.mask, sizeof(files.mask), "tests/golden/hands/%s.mask.png", hand);
    snprintf(files.meta, sizeof(files.meta), "tests/golden/hands/%s.json", hand);
    return files;
}

// Finds the nails of a picture, into stage->nails; *root: what the renderer says (json_decref it).
// cell 0: 4 of a large picture, else 2.
__attribute__((unused)) static int find_files(struct stage *stage, const struct hand_files *files,
                                              int cell, json_t **root)
{
    *root = json_load_file(files->meta, 0, NULL);
    int status = *root ? load(stage, files->picture, &stage->hand_pixels, &stage->hand)
                       : lq_fail(&stage->err, LQ_ERR_IO, "cannot read '%s'", files->meta);
    if (status == LQ_OK)
        status = find_nails(stage, files->mask, cell ? cell : stage->hand.width > 1000 ? 4 : 2);
    return status;
}

// Every picture of a folder by train/synth: images/S.jpg, masks/S.png and meta/S.json.
__attribute__((unused)) static int each_of_folder(
    struct stage *stage, const char *path,
    int (*see)(struct stage *stage, const struct hand_files *files, void *context), void *context)
{
    char name[512];
    snprintf(name, sizeof(name), "%s/meta", path);
    DIR *listing = opendir(name);
    if (!listing)
        return lq_fail(&stage->err, LQ_ERR_IO, "cannot list '%s'", name);
    int status = LQ_OK;
    for (struct dirent *entry; status == LQ_OK && (entry = readdir(listing)) != NULL;) {
        struct hand_files files;
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".json") != 0)
            continue;
        int stem = (int)(dot - entry->d_name);
        snprintf(files.meta, sizeof(files.meta), "%s/meta/%s", path, entry->d_name);
        snprintf(files.picture, sizeof(files.picture), "%s/images/%.*s.jpg", path, stem,
                 entry->d_name);
        snprintf(files.mask, sizeof(files.mask), "%s/masks/%.*s.png", path, stem, entry->d_name);
        status = see(stage, &files, context);
    }
    closedir(listing);
    return status;
}

// Loads tests/golden/hands/HAND and finds its nails, into stage->nails.
__attribute__((unused)) static int find_hand(struct stage *stage, const char *hand, int cell)
{
    char path[512];
    snprintf(path, sizeof(path), "tests/golden/hands/%s.jpg", hand);
    int status = load(stage, path, &stage->hand_pixels, &stage->hand);
    snprintf(path, sizeof(path), "tests/golden/hands/%s.mask.png", hand);
    if (status == LQ_OK)
        status = find_nails(stage, path, cell);
    return status == LQ_OK ? tell_tips(stage, hand) : status;
}

__attribute__((unused)) static int sheet_init(struct stage *stage, int width, int height)
{
    int status = lq_image_alloc(&stage->sheet, &stage->sheet_pixels, width, height, 3, 8);
    return status == LQ_OK ? LQ_OK : lq_fail(&stage->err, status, "cannot make a sheet");
}

// A square of the hand around a nail, edges repeated, each pixel the mean of shrink x shrink.
__attribute__((unused)) static void sheet_put(struct stage *stage, const struct lq_nail *nail,
                                              int left, int top, int tile,
                      int shrink)
{
    const struct lq_image *hand = &stage->hand;
    for (int j = 0; j < tile; j++)
        for (int i = 0; i < tile; i++) {
            int sum[3] = {0};
            for (int part = 0; part < shrink * shrink; part++) {
                int x = (int)nail->center_x + (i - tile / 2) * shrink + part % shrink;
                int y = (int)nail->center_y + (j - tile / 2) * shrink + part / shrink;
                x = x < 0 ? 0 : x >= hand->width ? hand->width - 1 : x;
                y = y < 0 ? 0 : y >= hand->height ? hand->height - 1 : y;
                for (int k = 0; k < 3; k++)
                    sum[k] += lq_image_row(hand, y)[x * hand->channels + k];
            }
            for (int k = 0; k < 3; k++)
                lq_image_row(&stage->sheet, top + j)[(left + i) * 3 + k] =
                    (uint8_t)(sum[k] / (shrink * shrink));
        }
}

__attribute__((unused)) static const double PSNR_MIN = 40.0;

__attribute__((unused)) static double psnr(const struct lq_image *a, const struct lq_image *b)
{
    double sum = 0.0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width * 3; x++) {
            double difference = lq_image_row(a, y)[x] - lq_image_row(b, y)[x];
            sum += difference * difference;
        }
    sum /= (double)a->width * a->height * 3;
    return 10.0 * log10(255.0 * 255.0 / fmax(sum, 1e-9));
}

__attribute__((unused)) static int compare(struct stage *stage, const char *path)
{
    int status = load(stage, path, &stage->golden_pixels, &stage->golden);
    if (status != LQ_OK)
        return status;
    if (stage->golden.width != stage->sheet.width || stage->golden.height != stage->sheet.height)
        return lq_fail(&stage->err, LQ_ERR_CORRUPT, "not as many nails as in '%s'", path);
    double quality = psnr(&stage->sheet, &stage->golden);
    printf("%-56s %6.1f dB\n", path, quality);
    if (!(quality >= PSNR_MIN))
        return lq_fail(&stage->err, LQ_ERR_CORRUPT, "differs from '%s': %.1f dB", path, quality);
    return LQ_OK;
}

__attribute__((unused)) static int write_golden(struct stage *stage, const char *path)
{
    lq_buf_clear(&stage->file);
    int status = lq_codec_encode_png(stage->codec, &stage->sheet, NULL, &stage->file, &stage->err);
    return status != LQ_OK ? status
                           : lq_file_write(path, stage->file.data, stage->file.len, &stage->err);
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

// The main function of a program that paints pictures and compares each with its golden one, or
// with
// --write makes them anew. make: paints number `index` onto the stage's sheet, and says at `path`
// which picture it is.
__attribute__((unused)) static int golden_main(
    int argc, char **argv, size_t count,
    int (*make)(struct stage *stage, size_t index, char *path, size_t size))
{
    bool write = argc > 1 && strcmp(argv[1], "--write") == 0;
    static struct stage stage;
    int failed = stage_init(&stage) != LQ_OK;
    for (size_t i = 0; !failed && i < count; i++) {
        char path[512] = "";
        int status = make(&stage, i, path, sizeof(path));
        if (status == LQ_OK)
            status = write ? write_golden(&stage, path) : compare(&stage, path);
        if (status != LQ_OK) {
            fprintf(stderr, "%s: %s\n", path, stage.err.text);
            failed = 1;
        }
    }
    stage_release(&stage);
    return failed;
}
