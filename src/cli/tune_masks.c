#include "cli/tune_masks.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "frame/frame.h"
#include "frame/mask.h"

struct masks {
    struct lq_pipe *pipe;
    struct lq_buf pixels, bits, kept;
    off_t at; // in the files
};

static int open_masks(struct masks *masks, const struct lq_model *model, struct lq_error *err)
{
    *masks = (struct masks){0};
    lq_buf_init(&masks->pixels, LQ_PICTURE_PIXELS_MAX);
    lq_buf_init(&masks->bits, LQ_PICTURE_PIXELS_MAX / 8 + 1);
    lq_buf_init(&masks->kept, LQ_PICTURE_PIXELS_MAX / 8 + 1);
    return lq_pipe_new(&masks->pipe, model, err);
}

static void close_masks(struct masks *masks)
{
    lq_pipe_free(masks->pipe);
    lq_buf_release(&masks->pixels);
    lq_buf_release(&masks->bits);
    lq_buf_release(&masks->kept);
}

static int pack(struct masks *masks, const struct lq_job *job)
{
    struct lq_image mask;
    size_t count = (size_t)job->width * (size_t)job->height;
    if (lq_image_alloc(&mask, &masks->pixels, job->width, job->height, 1, 8) != LQ_OK ||
        lq_buf_resize(&masks->bits, (count + 7) / 8) != LQ_OK ||
        lq_buf_resize(&masks->kept, (count + 7) / 8) != LQ_OK)
        return LQ_ERR_MEMORY;
    lq_mask_draw(&mask, job->nails);
    memset(masks->bits.data, 0, masks->bits.len);
    for (int y = 0; y < mask.height; y++) {
        const uint8_t *row = lq_image_row(&mask, y);
        for (int x = 0; x < mask.width; x++) {
            size_t i = (size_t)y * (size_t)mask.width + (size_t)x;
            masks->bits.data[i / 8] |= (uint8_t)((row[x] >= 128) << (i % 8));
        }
    }
    return LQ_OK;
}

// Detects a picture's nails and stores them in masks->bits.
static int find(struct masks *masks, const struct lq_tune_picture *picture, struct lq_error *err)
{
    struct lq_job job;
    lq_job_init(&job);
    job.paint = false;
    job.may_shrink = true;
    job.pixels_max = LQ_PICTURE_PIXELS_MAX;
    job.input = picture->bytes;
    job.input_len = picture->len;
    int status = lq_pipe_run(masks->pipe, &job, err);
    if (status != LQ_OK)
        return lq_fail_within(err, "'%.100s'", picture->name);
    return pack(masks, &job) == LQ_OK ? LQ_OK : lq_fail(err, LQ_ERR_MEMORY, "out of memory");
}

int lq_tune_masks_write(const struct lq_model *model, const struct lq_tune_pictures *pictures,
                        int fd, struct lq_error *err)
{
    struct masks masks;
    int status = open_masks(&masks, model, err);
    if (status == LQ_OK && (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0))
        status = lq_fail(err, LQ_ERR_IO, "no file in memory: %s", strerror(errno));
    for (int i = 0; i < pictures->count && status == LQ_OK; i++) {
        status = find(&masks, &pictures->items[i], err);
        if (status == LQ_OK && lq_file_write_fd(fd, masks.bits.data, masks.bits.len) != LQ_OK)
            status = lq_fail(err, LQ_ERR_IO, "cannot keep masks: %s", strerror(errno));
    }
    close_masks(&masks);
    return status;
}

struct overlap {
    uint64_t both, either;
};

static int add_overlap(struct masks *masks, int fd, struct overlap *overlap, struct lq_error *err)
{
    if (pread(fd, masks->kept.data, masks->kept.len, masks->at) != (ssize_t)masks->kept.len)
        return lq_fail(err, LQ_ERR_IO, "the masks to compare with cannot be read");
    for (size_t i = 0; i < masks->bits.len; i++) {
        unsigned a = masks->bits.data[i], b = masks->kept.data[i];
        overlap->both += (uint64_t)__builtin_popcount(a & b);
        overlap->either += (uint64_t)__builtin_popcount(a | b);
    }
    return LQ_OK;
}

static double iou_of(const struct overlap *overlap)
{
    return overlap->either ? (double)overlap->both / (double)overlap->either : -1;
}

int lq_tune_masks_compare(const struct lq_model *model, const struct lq_tune_pictures *pictures,
                          struct lq_tune_reference *references, int count, struct lq_error *err)
{
    struct masks masks;
    struct overlap overlaps[LQ_TUNE_REFERENCES_MAX] = {{0}};
    int status = open_masks(&masks, model, err);
    for (int i = 0; i < pictures->count && status == LQ_OK; i++) {
        status = find(&masks, &pictures->items[i], err);
        for (int r = 0; r < count && status == LQ_OK; r++)
            status = add_overlap(&masks, references[r].fd, &overlaps[r], err);
        masks.at += (off_t)masks.bits.len;
    }
    for (int r = 0; r < count; r++)
        references[r].iou = iou_of(&overlaps[r]);
    close_masks(&masks);
    return status;
}
