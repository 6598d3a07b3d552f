#include "bench/frames.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/limits.h"
#include "image/codec.h"
#include "image/resize.h"

enum { QUALITY = 85, SAMPLES = LQ_BENCH_WIDTH * LQ_BENCH_HEIGHT * 3 };

struct loader {
    struct lq_codec *codec;
    struct lq_resizer *resizer;
    struct lq_buf file, pixels, tensor, bytes;
};

static void loader_init(struct loader *loader)
{
    *loader = (struct loader){0};
    lq_buf_init(&loader->file, LQ_FILE_BYTES_MAX);
    lq_buf_init(&loader->pixels, (size_t)LQ_PICTURE_PIXELS_MAX * 8);
    lq_buf_init(&loader->tensor, SAMPLES * sizeof(float));
    lq_buf_init(&loader->bytes, SAMPLES);
}

static void loader_release(struct loader *loader)
{
    lq_codec_free(loader->codec);
    lq_resizer_free(loader->resizer);
    lq_buf_release(&loader->file);
    lq_buf_release(&loader->pixels);
    lq_buf_release(&loader->tensor);
    lq_buf_release(&loader->bytes);
}

// Crops a picture to a frame's aspect ratio, around the middle.
static void cut(struct lq_image *image)
{
    int width = image->width, height = image->height;
    if ((long)width * LQ_BENCH_HEIGHT > (long)height * LQ_BENCH_WIDTH)
        width = (int)((long)height * LQ_BENCH_WIDTH / LQ_BENCH_HEIGHT);
    else
        height = (int)((long)width * LQ_BENCH_HEIGHT / LQ_BENCH_WIDTH);
    image->data += (size_t)((image->height - height) / 2) * image->stride +
                   (size_t)((image->width - width) / 2) * lq_image_pixel_bytes(image);
    image->width = width > 0 ? width : 1;
    image->height = height > 0 ? height : 1;
}

static int fit(struct loader *loader, struct lq_image *image, struct lq_buf *jpeg,
               struct lq_error *err)
{
    cut(image);
    if (lq_buf_resize(&loader->tensor, SAMPLES * sizeof(float)) != LQ_OK ||
        lq_buf_resize(&loader->bytes, SAMPLES) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "cannot hold a frame");
    const struct lq_resize_target target = {
        .data = (float *)loader->tensor.data,
        .tensor_width = LQ_BENCH_WIDTH, .tensor_height = LQ_BENCH_HEIGHT,
        .width = LQ_BENCH_WIDTH, .height = LQ_BENCH_HEIGHT,
        .scale = {255, 255, 255},
    };
    int status = lq_resizer_run(loader->resizer, image, &target, err);
    for (int i = 0; status == LQ_OK && i < SAMPLES; i++)
        loader->bytes.data[i] = (uint8_t)(target.data[i] + 0.5f);
    const struct lq_image frame = {loader->bytes.data, LQ_BENCH_WIDTH, LQ_BENCH_HEIGHT, 3, 8,
                                   LQ_BENCH_WIDTH * 3};
    return status == LQ_OK ? lq_codec_encode_jpeg(loader->codec, &frame, QUALITY, NULL, jpeg, err)
                           : status;
}

static int write_json(const struct lq_buf *jpeg, struct lq_buf *json)
{
    int status = lq_buf_printf(json, "{\"image\":\"data:image/jpeg;base64,");
    if (status == LQ_OK)
        status = lq_base64_encode(jpeg->data, jpeg->len, json);
    return status == LQ_OK ? lq_buf_printf(json, "\"}") : status;
}

static int add(struct loader *loader, struct lq_bench_frames *frames, const uint8_t *bytes,
               size_t len, struct lq_error *err)
{
    struct lq_client_frame *frame = &frames->items[frames->count++];
    struct lq_image image;
    lq_buf_init(&frame->jpeg, LQ_MESSAGE_BYTES_MAX);
    lq_buf_init(&frame->json, 2 * (size_t)LQ_MESSAGE_BYTES_MAX);
    int status = lq_codec_decode(loader->codec,
                                 &(struct lq_picture_file){bytes, len, LQ_PICTURE_PIXELS_MAX},
                                 &loader->pixels, &image, NULL, err);
    if (status != LQ_OK)
        return status;
    if (image.width == LQ_BENCH_WIDTH && image.height == LQ_BENCH_HEIGHT)
        status = lq_buf_append(&frame->jpeg, bytes, len);
    else
        status = fit(loader, &image, &frame->jpeg, err);
    if (status == LQ_OK)
        status = write_json(&frame->jpeg, &frame->json);
    return status;
}

static int load_folder(struct loader *loader, struct lq_bench_frames *frames, const char *dir,
                       struct dirent **entries, int count, struct lq_error *err)
{
    int status = LQ_OK;
    for (int i = 0; status == LQ_OK && i < count && i < LQ_BENCH_FRAMES_MAX; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        status = lq_file_read(path, &loader->file, err);
        if (status == LQ_OK)
            status = add(loader, frames, loader->file.data, loader->file.len, err);
        if (status != LQ_OK)
            return lq_fail_within(err, "frame '%s'", entries[i]->d_name);
    }
    return status;
}

// Reads concatenated JPEGs. A JPEG ends where an end marker is followed by a start marker, which
// never occurs within a picture's data.
static int load_video(struct loader *loader, struct lq_bench_frames *frames, const char *path,
                      struct lq_error *err)
{
    static const uint8_t seam[] = {0xff, 0xd9, 0xff, 0xd8};
    int status = lq_file_read(path, &loader->file, err);
    const uint8_t *from = loader->file.data;
    size_t left = status == LQ_OK ? loader->file.len : 0;
    while (left > 0 && frames->count < LQ_BENCH_FRAMES_MAX) {
        const uint8_t *next = memmem(from, left, seam, sizeof seam);
        size_t len = next ? (size_t)(next - from) + 2 : left;
        status = add(loader, frames, from, len, err);
        if (status != LQ_OK)
            return lq_fail_within(err, "frame %d", frames->count);
        from += len;
        left -= len;
    }
    return status;
}

static int is_jpeg(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && dot != entry->d_name &&
           (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

static int load(struct loader *loader, struct lq_bench_frames *frames, const char *path,
                struct lq_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_jpeg, alphasort);
    int status = lq_codec_new(&loader->codec, err);
    if (status == LQ_OK && lq_resizer_new(&loader->resizer) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "cannot make a resizer");
    if (status == LQ_OK)
        status = count < 0 ? load_video(loader, frames, path, err)
                           : load_folder(loader, frames, path, entries, count, err);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    if (status == LQ_OK && frames->count == 0)
        status = lq_fail(err, LQ_ERR_NOT_FOUND, "no JPEG there");
    return status;
}

int lq_bench_frames_load(struct lq_bench_frames *frames, const char *path, struct lq_error *err)
{
    struct loader loader;
    *frames = (struct lq_bench_frames){0};
    loader_init(&loader);
    int status = load(&loader, frames, path, err);
    loader_release(&loader);
    if (status != LQ_OK) {
        lq_bench_frames_release(frames);
        return lq_fail_within(err, "--frames '%s'", path);
    }
    for (int i = 0; i < frames->count; i++)
        frames->bytes_mean += frames->items[i].jpeg.len;
    frames->bytes_mean /= (size_t)frames->count;
    return LQ_OK;
}

void lq_bench_frames_release(struct lq_bench_frames *frames)
{
    for (int i = 0; i < frames->count; i++) {
        lq_buf_release(&frames->items[i].jpeg);
        lq_buf_release(&frames->items[i].json);
    }
    *frames = (struct lq_bench_frames){0};
}
