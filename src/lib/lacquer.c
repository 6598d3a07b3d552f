// include/lacquer.h over src/frame: argument checks, and a model shared between contexts.
#include "lacquer.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "config.h"
#include "frame/frame.h"

struct shared_model {
    struct lq_model *model;
    atomic_int users;
};

struct lacquer {
    struct shared_model *shared;
    struct lq_pipe *pipe;
    struct lq_buf output;
    struct lacquer_nail nails[LQ_NAILS_MAX];
    struct lq_error err;
};

static int code_of(int status)
{
    switch (status) {
    case LQ_OK:
        return LACQUER_OK;
    case LQ_ERR_FORMAT:
    case LQ_ERR_CORRUPT:
    case LQ_ERR_TOO_LARGE:
        return LACQUER_ERR_PICTURE;
    case LQ_ERR_MODEL:
    case LQ_ERR_IO:
        return LACQUER_ERR_MODEL;
    case LQ_ERR_MEMORY:
        return LACQUER_ERR_MEMORY;
    case LQ_ERR_ARGUMENT:
    case LQ_ERR_FIELD:
        return LACQUER_ERR_ARGUMENT;
    default:
        return LACQUER_ERR_ENGINE;
    }
}

LQ_PUBLIC const char *lacquer_version(void)
{
    return LQ_VERSION;
}

LQ_PUBLIC struct lacquer_look lacquer_look_default(void)
{
    struct lq_look look = lq_look_default();
    const struct lq_polish *polish = &look.polish;
    return (struct lacquer_look){.color = {polish->color[0], polish->color[1], polish->color[2]},
                                 .finish = (enum lacquer_finish)polish->finish,
                                 .opacity = polish->opacity,
                                 .texture = polish->texture,
                                 .sheen = polish->sheen};
}

static bool in_unit(float value)
{
    return value >= 0 && value <= 1; // false for NaN
}

static int check_look(const struct lacquer_look *look, struct lq_look *checked,
                      struct lq_error *err)
{
    if ((unsigned)look->finish >= LQ_FINISH_COUNT)
        return lq_fail(err, LQ_ERR_ARGUMENT, "there is no finish %d", (int)look->finish);
    if (!in_unit(look->opacity) || !in_unit(look->texture))
        return lq_fail(err, LQ_ERR_ARGUMENT, "opacity and texture are numbers from 0 to 1");
    *checked = lq_look_default();
    lq_look_set_finish(checked, (enum lq_finish)look->finish);
    lq_look_set_color(checked, look->color);
    lq_look_set_sheen(checked, look->sheen != 0);
    checked->polish.opacity = look->opacity;
    checked->polish.texture = look->texture;
    return LQ_OK;
}

static int context_new(struct lacquer **out, struct shared_model *shared, struct lq_error *err)
{
    struct lacquer *context = calloc(1, sizeof *context);
    if (!context)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    lq_buf_init(&context->output, LQ_FILE_BYTES_MAX);
    int status = lq_pipe_new(&context->pipe, shared->model, err);
    if (status != LQ_OK) {
        free(context);
        return status;
    }
    context->shared = shared;
    atomic_fetch_add(&shared->users, 1);
    *out = context;
    return LQ_OK;
}

static int model_open(struct shared_model **out, const struct lacquer_options *options,
                      struct lq_error *err)
{
    const char *path = options ? options->model : NULL;
    struct lq_model_options chosen = {0};
    if (options) {
        chosen.engine = options->engine;
        chosen.cache_dir = options->cache_dir;
        chosen.threads = options->threads;
    }
    if (!path)
        path = lq_model_default_path();
    struct shared_model *shared = calloc(1, sizeof *shared);
    if (!shared)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = lq_model_open(&shared->model, path, &chosen, err);
    if (status != LQ_OK) {
        free(shared);
        return status;
    }
    *out = shared;
    return LQ_OK;
}

LQ_PUBLIC int lacquer_open(struct lacquer **context, const struct lacquer_options *options,
                           char *error, size_t error_size)
{
    struct shared_model *shared = NULL;
    struct lq_error err = {0};
    *context = NULL;
    int status = model_open(&shared, options, &err);
    if (status == LQ_OK) {
        status = context_new(context, shared, &err);
        if (status != LQ_OK) {
            lq_model_close(shared->model);
            free(shared);
        }
    }
    if (error && error_size)
        snprintf(error, error_size, "%s", err.text);
    return code_of(status);
}

LQ_PUBLIC int lacquer_share(struct lacquer **context, struct lacquer *from)
{
    *context = NULL;
    return code_of(context_new(context, from->shared, &from->err));
}

LQ_PUBLIC void lacquer_close(struct lacquer *context)
{
    if (!context)
        return;
    lq_pipe_free(context->pipe);
    lq_buf_release(&context->output);
    if (atomic_fetch_sub(&context->shared->users, 1) == 1) {
        lq_model_close(context->shared->model);
        free(context->shared);
    }
    free(context);
}

LQ_PUBLIC const char *lacquer_error(const struct lacquer *context)
{
    return context->err.text;
}

static void hand_out_nails(struct lacquer *context, const struct lq_nails *found,
                           const struct lacquer_nail **nails, int *count)
{
    for (int i = 0; i < found->count; i++) {
        const struct lq_nail *nail = &found->items[i];
        context->nails[i] = (struct lacquer_nail){
            .id = nail->id, .confidence = nail->confidence, .x = nail->x, .y = nail->y,
            .width = nail->width, .height = nail->height, .center_x = nail->center_x,
            .center_y = nail->center_y, .axis_x = nail->axis_x, .axis_y = nail->axis_y,
            .length = nail->length, .breadth = nail->breadth, .alpha = nail->alpha,
            .alpha_stride = nail->alpha_stride};
    }
    if (nails)
        *nails = context->nails;
    if (count)
        *count = found->count;
}

LQ_PUBLIC int lacquer_frame(struct lacquer *context, uint8_t *pixels, int width, int height,
                            int channels, size_t stride, const struct lacquer_look *look,
                            const struct lacquer_nail **nails, int *count)
{
    struct lq_error *err = &context->err;
    struct lq_job job;
    lq_job_init(&job);
    job.paint = look != NULL;
    if (!pixels || width < 1 || height < 1 || width > LQ_PICTURE_SIDE_MAX ||
        height > LQ_PICTURE_SIDE_MAX || (channels != 3 && channels != 4) ||
        stride < (size_t)width * (size_t)channels)
        return code_of(lq_fail(err, LQ_ERR_ARGUMENT,
                               "pixels must be RGB or RGBA, 1 to %d on a side, rows not overlapping",
                               LQ_PICTURE_SIDE_MAX));
    int status = look ? check_look(look, &job.look, err) : LQ_OK;
    struct lq_image picture = {pixels, width, height, channels, 8, stride};
    if (status == LQ_OK)
        status = lq_pipe_run_image(context->pipe, &job, &picture, err);
    if (status == LQ_OK)
        hand_out_nails(context, job.nails, nails, count);
    return code_of(status);
}

LQ_PUBLIC int lacquer_file(struct lacquer *context, const void *bytes, size_t len,
                           const struct lacquer_look *look, int quality, const uint8_t **out,
                           size_t *out_len, const struct lacquer_nail **nails, int *count)
{
    struct lq_error *err = &context->err;
    struct lq_job job;
    lq_job_init(&job);
    if (!bytes || !look || !out || !out_len || quality < 1 || quality > 100)
        return code_of(lq_fail(err, LQ_ERR_ARGUMENT,
                               "bytes, look, out and out_len are needed, quality is 1 to 100"));
    int status = check_look(look, &job.look, err);
    lq_buf_clear(&context->output);
    job.input = bytes;
    job.input_len = len;
    job.jpeg_quality = quality;
    job.multiscale = job.hands = true;
    job.pixels_max = LQ_PICTURE_PIXELS_MAX;
    job.output = &context->output;
    if (status == LQ_OK)
        status = lq_pipe_run(context->pipe, &job, err);
    if (status != LQ_OK)
        return code_of(status);
    *out = context->output.data;
    *out_len = context->output.len;
    hand_out_nails(context, job.nails, nails, count);
    return LACQUER_OK;
}
