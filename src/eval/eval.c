#include "eval/eval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/samples.h"
#include "eval/raw_mask.h"
#include "frame/frame.h"
#include "frame/mask.h"

struct lq_eval {
    struct lq_eval_options options;
    struct lq_pipe *pipe;     // what is painted
    struct lq_runner *runner; // the network alone
    struct lq_tracker *tracker; // --sequence, --live
    uint64_t time_us;           // … of the next frame
    int frame;                  // … its number
    struct lq_codec *codec;
    struct lq_buf file, pixels, drawn_pixels, drawn, predicted;
    struct lq_metrics metrics;
    struct lq_traits_reader traits;
    struct lq_samples ms; // one per picture that was measured
    struct lq_eval_figures figures;
};

// A picture, its predicted and its drawn mask (one byte a pixel), and the time of a detection.
struct sample {
    struct lq_image picture, predicted;
    const struct lq_nails *nails; // as painted; NULL: the network alone
    double ms;
};

static int place_masks(struct lq_eval *eval, struct sample *sample, struct lq_error *err)
{
    int width = sample->picture.width, height = sample->picture.height;
    size_t pixels = (size_t)width * (size_t)height;
    if (lq_buf_resize(&eval->drawn, pixels) != LQ_OK ||
        lq_buf_resize(&eval->predicted, pixels) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    memset(eval->drawn.data, 0, pixels);
    sample->predicted =
        (struct lq_image){eval->predicted.data, width, height, 1, 8, (size_t)width};
    return LQ_OK;
}

static int paint_sample(struct lq_eval *eval, struct sample *sample, struct lq_error *err)
{
    struct lq_job job;
    if (eval->tracker && !eval->options.sequence)
        lq_tracker_rest(eval->tracker); // each picture begins a video of its own
    lq_job_init(&job);
    job.paint = false;
    job.tracker = eval->tracker;
    job.time_us = eval->time_us;
    job.smooth = eval->options.steady;
    job.multiscale = !eval->options.fast;
    job.hands = !eval->options.fast || eval->options.sequence;
    job.may_propagate = eval->frame++ % eval->options.every != 0;
    eval->time_us += (uint64_t)(1e6 / eval->options.fps);
    job.pixels_max = LQ_PICTURE_PIXELS_MAX;
    job.input = eval->file.data;
    job.input_len = eval->file.len;
    int status = lq_pipe_run(eval->pipe, &job, err);
    if (status != LQ_OK)
        return status;
    sample->picture = *lq_pipe_picture(eval->pipe);
    sample->ms = (job.total_us - job.stage_us[LQ_STAGE_DECODE]) / 1e3;
    status = place_masks(eval, sample, err);
    if (status == LQ_OK) {
        lq_mask_draw(&sample->predicted, job.nails);
        sample->nails = job.nails;
    }
    return status;
}

static int raw_sample(struct lq_eval *eval, struct sample *sample, struct lq_error *err)
{
    const struct lq_patch *patches;
    int count;
    const struct lq_picture_file file = {eval->file.data, eval->file.len, LQ_PICTURE_PIXELS_MAX};
    int status = lq_codec_decode(eval->codec, &file, &eval->pixels, &sample->picture, NULL, err);
    if (status == LQ_OK)
        status = place_masks(eval, sample, err);
    uint64_t since_us = lq_clock_us();
    if (status == LQ_OK)
        status = lq_runner_prepare(eval->runner, &sample->picture, true, err);
    if (status == LQ_OK)
        status = lq_runner_infer(eval->runner, 0, err);
    if (status == LQ_OK)
        status = lq_runner_patches(eval->runner, &patches, &count, err);
    if (status != LQ_OK)
        return status;
    sample->ms = (double)(lq_clock_us() - since_us) / 1e3;
    lq_raw_mask_draw(&sample->predicted, patches, count);
    return LQ_OK;
}

static int find_nails(struct lq_eval *eval, const char *path, struct sample *sample,
                      struct lq_error *err)
{
    int status = lq_file_read(path, &eval->file, err);
    if (status != LQ_OK)
        return status;
    status = eval->options.raw ? raw_sample(eval, sample, err) : paint_sample(eval, sample, err);
    return status == LQ_OK ? LQ_OK : lq_fail_within(err, "'%s'", path);
}

// Reads a drawn mask as bytes without row padding; it must have the picture's size. Masks are grey,
// so their red channel is enough.
static int read_mask(struct lq_eval *eval, const struct lq_image *picture, const char *path,
                     struct lq_error *err)
{
    struct lq_image mask;
    int status = lq_file_read(path, &eval->file, err);
    if (status != LQ_OK)
        return status;
    const struct lq_picture_file file = {eval->file.data, eval->file.len, LQ_PICTURE_PIXELS_MAX};
    status = lq_codec_decode(eval->codec, &file, &eval->drawn_pixels, &mask, NULL, err);
    if (status != LQ_OK)
        return lq_fail_within(err, "'%s'", path);
    if (mask.width != picture->width || mask.height != picture->height)
        return lq_fail(err, LQ_ERR_FIELD, "'%s' is %dx%d but its picture is %dx%d", path,
                       mask.width, mask.height, picture->width, picture->height);
    size_t step = lq_image_pixel_bytes(&mask), high = mask.depth == 16 ? 1 : 0;
    for (int y = 0; y < mask.height; y++) {
        const uint8_t *row = lq_image_row(&mask, y);
        for (int x = 0; x < mask.width; x++)
            eval->drawn.data[(size_t)y * (size_t)mask.width + (size_t)x] =
                row[(size_t)x * step + high];
    }
    return LQ_OK;
}

static int write_mask(struct lq_eval *eval, const struct lq_image *mask, const char *folder,
                      const char *stem, struct lq_error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.png", folder, stem);
    lq_buf_clear(&eval->file);
    int status = lq_codec_encode_png(eval->codec, mask, NULL, &eval->file, err);
    return status == LQ_OK ? lq_file_write(path, eval->file.data, eval->file.len, err) : status;
}

static int count_sample(struct lq_eval *eval, const struct sample *sample, struct lq_error *err)
{
    int width = sample->picture.width, height = sample->picture.height;
    struct lq_score score;
    struct lq_traits traits;
    int status = lq_samples_add(&eval->ms, sample->ms);
    if (status == LQ_OK)
        status = lq_metrics_score(&eval->metrics, eval->predicted.data, eval->drawn.data,
                                  width, height, &score);
    if (status == LQ_OK && eval->figures.sequence)
        status = lq_flicker_add(&eval->figures.flicker, eval->predicted.data, eval->drawn.data,
                                width, height);
    if (status == LQ_OK)
        status = lq_traits_read(&eval->traits, &sample->picture, eval->drawn.data,
                                score.found + score.missed, &traits);
    if (status != LQ_OK)
        return lq_fail(err, status, "out of memory");
    lq_tally_add(&eval->figures.all, &score);
    for (int t = 0; t < LQ_TRAIT_COUNT; t++)
        if (traits.class_[t] >= 0)
            lq_tally_add(&eval->figures.by[t][traits.class_[t]], &score);
    return LQ_OK;
}

int lq_eval_picture(struct lq_eval *eval, const char *name, struct lq_error *err)
{
    char path[4096], stem[256];
    struct sample sample = {.nails = NULL};
    snprintf(stem, sizeof stem, "%.*s", (int)(strrchr(name, '.') - name), name);
    snprintf(path, sizeof path, "%s/%s", eval->options.images, name);
    int status = find_nails(eval, path, &sample, err);
    if (status != LQ_OK)
        return status;
    snprintf(path, sizeof path, "%s/%s.png", eval->options.masks ? eval->options.masks : "", stem);
    if (eval->options.masks && (status = read_mask(eval, &sample.picture, path, err)) != LQ_OK)
        return status;
    if (eval->options.write &&
        (status = write_mask(eval, &sample.predicted, eval->options.write, stem, err)) != LQ_OK)
        return status;
    if (eval->options.sequence && sample.nails)
        lq_flips_add(&eval->figures.flips, sample.nails);
    if (eval->options.directions && sample.nails)
        lq_directions_add(&eval->figures.directions, stem, sample.nails);
    return count_sample(eval, &sample, err);
}

static void init_buffers(struct lq_eval *eval)
{
    struct lq_buf *tight[] = {&eval->drawn, &eval->predicted};
    lq_flicker_init(&eval->figures.flicker);
    lq_buf_init(&eval->file, LQ_FILE_BYTES_MAX);
    lq_buf_init(&eval->pixels, (size_t)LQ_PICTURE_PIXELS_MAX * 10);
    lq_buf_init(&eval->drawn_pixels, (size_t)LQ_PICTURE_PIXELS_MAX * 10);
    for (size_t i = 0; i < LQ_COUNT(tight); i++)
        lq_buf_init(tight[i], LQ_PICTURE_PIXELS_MAX);
    lq_metrics_init(&eval->metrics);
    lq_traits_init(&eval->traits);
    lq_samples_init(&eval->ms);
}

static int open_parts(struct lq_eval *eval, const struct lq_model *model, struct lq_error *err)
{
    const struct lq_eval_options *options = &eval->options;
    int status = LQ_OK;
    if (options->write && mkdir(options->write, 0777) != 0 && errno != EEXIST)
        return lq_fail(err, LQ_ERR_IO, "cannot make '%s': %s", options->write, strerror(errno));
    if (options->directions)
        status = lq_directions_open(&eval->figures.directions, options->directions, err);
    if (status == LQ_OK && (options->sequence || options->live) &&
        lq_tracker_new(&eval->tracker) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    if (status == LQ_OK)
        status = lq_codec_new(&eval->codec, err);
    if (status != LQ_OK)
        return status;
    return options->raw ? lq_runner_new(&eval->runner, model, err)
                        : lq_pipe_new(&eval->pipe, model, err);
}

int lq_eval_new(struct lq_eval **made, const struct lq_model *model,
                const struct lq_eval_options *options, struct lq_error *err)
{
    struct lq_eval *eval = *made = calloc(1, sizeof *eval);
    if (!eval)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    eval->options = *options;
    eval->figures.raw = options->raw;
    eval->figures.sequence = options->sequence;
    init_buffers(eval);
    int status = open_parts(eval, model, err);
    if (status != LQ_OK) {
        lq_eval_free(eval);
        *made = NULL;
    }
    return status;
}

void lq_eval_free(struct lq_eval *eval)
{
    if (!eval)
        return;
    lq_pipe_free(eval->pipe);
    lq_runner_free(eval->runner);
    lq_tracker_free(eval->tracker);
    lq_flicker_release(&eval->figures.flicker);
    lq_directions_close(&eval->figures.directions);
    lq_codec_free(eval->codec);
    lq_buf_release(&eval->file);
    lq_buf_release(&eval->pixels);
    lq_buf_release(&eval->drawn_pixels);
    lq_buf_release(&eval->drawn);
    lq_buf_release(&eval->predicted);
    lq_metrics_release(&eval->metrics);
    lq_traits_release(&eval->traits);
    lq_samples_release(&eval->ms);
    free(eval);
}

const struct lq_eval_figures *lq_eval_figures(struct lq_eval *eval)
{
    eval->figures.ms_median = lq_samples_percentile(&eval->ms, 50);
    return &eval->figures;
}
