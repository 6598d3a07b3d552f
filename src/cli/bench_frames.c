#include "cli/bench_frames.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

// The middle of a picture, as wide against its height as a frame is.
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

static int load_one(struct loader *loader, const char *path, struct lq_client_frame *frame,
                    struct lq_error *err)
{
    const struct lq_buf *file = &loader->file;
    struct lq_image image;
    lq_buf_init(&frame->jpeg, LQ_MESSAGE_BYTES_MAX);
    lq_buf_init(&frame->base64, 2 * (size_t)LQ_MESSAGE_BYTES_MAX);
    int status = lq_file_read(path, &loader->file, err);
    if (status == LQ_OK)
        status = lq_codec_decode(loader->codec, file->data, file->len, LQ_PICTURE_PIXELS_MAX,
                                 &loader->pixels, &image, NULL, err);
    if (status != LQ_OK)
        return status;
    bool as_it_is = image.width == LQ_BENCH_WIDTH && image.height == LQ_BENCH_HEIGHT &&
                    lq_picture_sniff(file->data, file->len) == LQ_PICTURE_JPEG;
    status = as_it_is ? lq_buf_append(&frame->jpeg, file->data, file->len)
                      : fit(loader, &image, &frame->jpeg, err);
    if (status == LQ_OK)
        status = lq_base64_append(&frame->base64, frame->jpeg.data, frame->jpeg.len);
    return status;
}

static int is_picture(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && dot != entry->d_name &&
           (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 ||
            strcasecmp(dot, ".png") == 0);
}

static int load_all(struct lq_bench_frames *frames, const char *dir, struct dirent **entries,
                    int count, struct lq_error *err)
{
    struct loader loader;
    loader_init(&loader);
    int status = lq_codec_new(&loader.codec, err);
    if (status == LQ_OK && lq_resizer_new(&loader.resizer) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "cannot make a resizer");
    size_t bytes = 0;
    for (int i = 0; status == LQ_OK && i < count && i < LQ_BENCH_FRAMES_MAX; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        frames->count = i + 1;
        status = load_one(&loader, path, &frames->items[i], err);
        bytes += frames->items[i].jpeg.len;
    }
    if (frames->count > 0)
        frames->bytes_mean = bytes / (size_t)frames->count;
    loader_release(&loader);
    return status == LQ_OK ? LQ_OK : lq_fail_within(err, "frames in '%s'", dir);
}

int lq_bench_frames_load(struct lq_bench_frames *frames, const char *dir, struct lq_error *err)
{
    struct dirent **entries = NULL;
    *frames = (struct lq_bench_frames){0};
    int count = scandir(dir, &entries, is_picture, alphasort);
    if (count < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot read frames from '%s': %s; name a folder of "
                       "pictures with --frames", dir, strerror(errno));
    int status = count == 0 ? lq_fail(err, LQ_ERR_NOT_FOUND, "no picture in '%s'", dir)
                            : load_all(frames, dir, entries, count, err);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    if (status != LQ_OK)
        lq_bench_frames_release(frames);
    return status;
}

void lq_bench_frames_release(struct lq_bench_frames *frames)
{
    for (int i = 0; i < frames->count; i++) {
        lq_buf_release(&frames->items[i].jpeg);
        lq_buf_release(&frames->items[i].base64);
    }
    *frames = (struct lq_bench_frames){0};
}
