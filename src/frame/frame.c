#include "frame/frame.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "frame/multiscale.h"
#include "image/color.h"
#include "nail/hand.h"

struct lq_pipe {
    struct lq_codec *codec;
    struct lq_runner *runner;
    struct lq_nail_finder *finder;
    struct lq_multiscale *multiscale;
    struct lq_hand_finder *hands; // NULL: no network for it
    struct lq_nails told;         // the nails, with what their hands say
    bool maps;                    // the model gives one map of probabilities of all it is shown
    struct lq_tracked tracked;    // the last frame of a video
    struct lq_painter *painter;
    struct lq_buf pixels;         // the decoded picture's memory
    struct lq_buf srgb;           // … and its copy's, where it has other colours
    struct lq_image picture;
    struct lq_picture_info info;
};

const char *lq_stage_name(enum lq_stage stage)
{
    static const char *const names[LQ_STAGE_COUNT] = {"decode", "prepare", "infer",
                                                      "nails",  "paint",   "encode"};
    return names[stage];
}

// What works on pictures and keeps memory as large as they are.
static int open_parts(struct lq_pipe *pipe, struct lq_error *err)
{
    int status = lq_codec_new(&pipe->codec, err);
    if (status == LQ_OK &&
        (lq_nail_finder_new(&pipe->finder) != LQ_OK ||
         lq_multiscale_new(&pipe->multiscale) != LQ_OK || lq_painter_new(&pipe->painter) != LQ_OK))
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    return status;
}

static void free_parts(struct lq_pipe *pipe)
{
    lq_painter_free(pipe->painter);
    lq_multiscale_free(pipe->multiscale);
    lq_nail_finder_free(pipe->finder);
    lq_codec_free(pipe->codec);
    pipe->painter = NULL;
    pipe->multiscale = NULL;
    pipe->finder = NULL;
    pipe->codec = NULL;
    lq_picture_info_release(&pipe->info);
    lq_tracked_release(&pipe->tracked);
    lq_buf_release(&pipe->pixels);
}

int lq_pipe_new(struct lq_pipe **out, const struct lq_model *model, struct lq_error *err)
{
    struct lq_pipe *pipe = calloc(1, sizeof *pipe);
    if (!pipe)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    // Eight bytes a pixel is the most a picture takes: RGBA of 16 bits; rows are padded to 64
    // bytes.
    lq_buf_init(&pipe->pixels, (size_t)LQ_PICTURE_PIXELS_MAX * 8 + (size_t)LQ_PICTURE_SIDE_MAX * 64);
    lq_buf_init(&pipe->srgb, (size_t)LQ_PICTURE_PIXELS_MAX * 3 + (size_t)LQ_PICTURE_SIDE_MAX * 64);
    lq_picture_info_init(&pipe->info);
    lq_tracked_init(&pipe->tracked);
    pipe->maps = lq_model_info(model)->head == LQ_HEAD_MASK;
    int status = open_parts(pipe, err);
    if (status == LQ_OK)
        status = lq_runner_new(&pipe->runner, model, err);
    if (status == LQ_OK && lq_model_landmarks(model))
        status = lq_hand_finder_new(&pipe->hands, lq_model_landmarks(model), err);
    if (status != LQ_OK) {
        lq_pipe_free(pipe);
        return status;
    }
    *out = pipe;
    return LQ_OK;
}

int lq_pipe_rest(struct lq_pipe *pipe)
{
    free_parts(pipe);
    pipe->picture = (struct lq_image){0};
    lq_picture_info_init(&pipe->info);
    lq_tracked_init(&pipe->tracked);
    return open_parts(pipe, NULL);
}

size_t lq_pipe_bytes(const struct lq_pipe *pipe)
{
    return pipe->pixels.cap;
}

void lq_pipe_free(struct lq_pipe *pipe)
{
    if (!pipe)
        return;
    free_parts(pipe);
    lq_hand_finder_free(pipe->hands);
    lq_runner_free(pipe->runner);
    free(pipe);
}

void lq_job_init(struct lq_job *job)
{
    *job = (struct lq_job){
        .look = lq_look_default(),
        .paint = true,
        .smooth = true,
        .exclusive = true,
        .jpeg_quality = 85,
        .pixels_max = LQ_FRAME_PIXELS_MAX,
    };
}

// Each stage's time runs from the end of the one before, so the six add up to the total.
static void stage_done(struct lq_job *job, enum lq_stage stage, uint64_t *since_us)
{
    uint64_t now = lq_clock_us();
    job->stage_us[stage] = (uint32_t)(now - *since_us);
    job->total_us += job->stage_us[stage];
    *since_us = now;
}

// Between two steps. What runs meanwhile is not this job's time.
static void pause_job(struct lq_job *job, uint64_t *since_us)
{
    if (!job->pause)
        return;
    uint64_t before_us = lq_clock_us();
    job->pause(job->pause_context);
    *since_us += lq_clock_us() - before_us;
}

// region: the part of the picture where nails were looked for; NULL: the whole.
static int track(struct lq_pipe *pipe, struct lq_job *job, const struct lq_image *picture,
                 const int *region, struct lq_error *err)
{
    int status = region ? lq_tracker_update_region(job->tracker, picture, region, job->nails,
                                                   job->time_us, &pipe->tracked)
                        : lq_tracker_update(job->tracker, picture, job->nails, job->time_us,
                                            job->smooth, &pipe->tracked);
    if (status != LQ_OK)
        return lq_fail(err, status, "cannot track nails: %s", lq_status_text(status));
    job->nails = &pipe->tracked.nails;
    return LQ_OK;
}

// Between two frames whose nails are looked for their motion alone tells enough, for a tenth of the
// work. Says in job->carried whether it did.
static int propagate_nails(struct lq_pipe *pipe, struct lq_job *job, const struct lq_image *picture,
                           uint64_t *since_us, struct lq_error *err)
{
    if (!job->tracker || !job->may_propagate || !job->smooth)
        return LQ_OK;
    int status =
        lq_tracker_propagate(job->tracker, picture, job->time_us, &pipe->tracked, &job->propagated);
    if (status != LQ_OK)
        return lq_fail(err, status, "cannot track nails: %s", lq_status_text(status));
    if (job->propagated) {
        job->nails = &pipe->tracked.nails;
        stage_done(job, LQ_STAGE_NAILS, since_us);
    }
    return LQ_OK;
}

struct multiscale_pause {
    struct lq_job *job;
    struct lq_passes *passes;
    uint64_t *since_us;
};

static void pause_look(void *context)
{
    struct multiscale_pause *pause = context;
    pause_job(pause->job, pause->since_us);
    pause->passes->exclusive = pause->job->exclusive;
}

// Finds the nails of a still once more, by what both looks say.
static int look_closer(struct lq_pipe *pipe, struct lq_job *job, const struct lq_image *picture,
                       const struct lq_patch *patches, int patch_count, uint64_t *since_us,
                       struct lq_error *err)
{
    const struct lq_patch *fine;
    struct lq_passes passes = {job->deadline_us, job->exclusive, pause_look, NULL, 0};
    struct multiscale_pause pause = {job, &passes, since_us};
    passes.context = &pause;
    int status = lq_multiscale_detect(pipe->multiscale, pipe->runner, picture, patches, patch_count,
                                      job->nails, &passes, &fine, err);
    job->passes += passes.count;
    if (status == LQ_OK && fine)
        status = lq_nail_find(pipe->finder, picture, fine, 1, &job->nails, err);
    return status;
}

struct hand_pause {
    struct lq_job *job;
    uint64_t *since_us;
};

static void pause_search(void *context)
{
    struct hand_pause *pause = context;
    pause_job(pause->job, pause->since_us);
}

// Which way nails point, by the hand behind them.
static int look_for_hands(struct lq_pipe *pipe, struct lq_job *job, const struct lq_image *picture,
                          uint64_t *since_us, struct lq_error *err)
{
    struct hand_pause pause = {job, since_us};
    const struct lq_hand_limits limits = {job->deadline_us, pause_search, &pause};
    pipe->told = *job->nails;
    job->nails = &pipe->told;
    if (job->tracker)
        return lq_hand_follow(pipe->hands, lq_tracker_hands(job->tracker), picture, &pipe->told,
                              job->time_us, err);
    return lq_hand_estimate(pipe->hands, picture, &pipe->told, &limits, err);
}

// Every other frame of a video may be looked at where the last one's nails are, closer: small nails
// are seen in more points, and the tracker's memory makes one outline of both views. Only for a
// head whose map of probabilities fits beside one of another scale.
static bool choose_region(struct lq_pipe *pipe, struct lq_job *job, const struct lq_image *picture,
                          int box[4])
{
    return job->tracker && job->smooth && pipe->maps &&
           lq_tracker_region(job->tracker, picture, job->time_us, box);
}

static int find_in_region(struct lq_pipe *pipe, struct lq_job *job, const struct lq_image *picture,
                          const struct lq_patch *seen, const int box[4], struct lq_error *err)
{
    struct lq_patch placed = *seen;
    placed.x0 += (float)box[0];
    placed.y0 += (float)box[1];
    placed.box[0] += (float)box[0];
    placed.box[1] += (float)box[1];
    return lq_nail_find(pipe->finder, picture, &placed, 1, &job->nails, err);
}

static int find_nails(struct lq_pipe *pipe, struct lq_job *job, const struct lq_image *picture,
                      uint64_t *since_us, struct lq_error *err)
{
    const struct lq_patch *patches;
    int patch_count, box[4] = {0, 0, picture->width, picture->height};
    int status = propagate_nails(pipe, job, picture, since_us, err);
    bool region = status == LQ_OK && !job->propagated && choose_region(pipe, job, picture, box);
    struct lq_image part = lq_image_part(picture, box);
    if (status == LQ_OK && !job->propagated)
        status = lq_runner_prepare(pipe->runner, &part, job->exclusive, err);
    if (status != LQ_OK || job->propagated)
        return status;
    stage_done(job, LQ_STAGE_PREPARE, since_us);
    if (job->deadline_us && *since_us >= job->deadline_us)
        return lq_fail(err, LQ_ERR_TIMEOUT, "the frame is too old to be run");
    job->passes = 1;
    status = lq_runner_infer(pipe->runner, job->deadline_us, err);
    if (status != LQ_OK)
        return status;
    stage_done(job, LQ_STAGE_INFER, since_us);
    status = lq_runner_patches(pipe->runner, &patches, &patch_count, err);
    if (status == LQ_OK)
        status = region ? find_in_region(pipe, job, picture, patches, box, err)
                        : lq_nail_find(pipe->finder, picture, patches, patch_count, &job->nails,
                                       err);
    if (status == LQ_OK && job->multiscale && !job->tracker)
        status = look_closer(pipe, job, picture, patches, patch_count, since_us, err);
    if (status == LQ_OK && job->hands && pipe->hands)
        status = look_for_hands(pipe, job, picture, since_us, err);
    if (status == LQ_OK && job->tracker)
        status = track(pipe, job, picture, region ? box : NULL, err);
    if (status == LQ_OK)
        stage_done(job, LQ_STAGE_NAILS, since_us);
    return status;
}

// What the network and the outlines are to see: the picture itself, or its copy in sRGB.
static int show_as_srgb(struct lq_pipe *pipe, struct lq_image *picture, struct lq_error *err)
{
    struct lq_image copy;
    if (!picture->color)
        return LQ_OK;
    int status = lq_image_alloc(&copy, &pipe->srgb, picture->width, picture->height, 3, 8);
    if (status != LQ_OK)
        return lq_fail(err, status, "no room for the picture");
    lq_color_to_srgb(picture->color, picture, &copy);
    *picture = copy;
    return LQ_OK;
}

static int paint_nails(struct lq_pipe *pipe, struct lq_job *job, struct lq_image *picture,
                       uint64_t *since_us, struct lq_error *err)
{
    int status = lq_paint(pipe->painter, picture, job->nails, &job->look, err);
    if (status == LQ_OK)
        stage_done(job, LQ_STAGE_PAINT, since_us);
    return status;
}

static void judge_scene(struct lq_job *job, const struct lq_image *picture, uint64_t *since_us)
{
    lq_scene_judge(job->scene, picture, job->nails);
    stage_done(job, LQ_STAGE_PAINT, since_us);
}

static int encode_jpeg(struct lq_pipe *pipe, const struct lq_job *job, const struct lq_buf *icc,
                       struct lq_error *err)
{
    int count;
    const struct lq_pixel_box *parts = lq_painter_parts(pipe->painter, &count);
    return lq_codec_repaint_jpeg(pipe->codec, &pipe->picture, parts, count, job->jpeg_quality, icc,
                                 job->output, err);
}

static int encode(struct lq_pipe *pipe, struct lq_job *job, uint64_t *since_us,
                  struct lq_error *err)
{
    const struct lq_buf *icc = pipe->info.icc.len ? &pipe->info.icc : NULL;
    size_t before = job->output->len;
    int status, quality = job->jpeg_quality;
    if (job->kind == LQ_PICTURE_PNG)
        status = lq_codec_encode_png(pipe->codec, &pipe->picture, icc, job->output, err);
    else if (job->kind == LQ_PICTURE_WEBP)
        status = lq_codec_encode_webp(pipe->codec, &pipe->picture, quality, icc, job->output, err);
    else
        status = encode_jpeg(pipe, job, icc, err);
    if (status == LQ_OK)
        stage_done(job, LQ_STAGE_ENCODE, since_us);
    else
        job->output->len = before;
    return status;
}

// AVIF and HEIC are not written, and WebP only where it is asked for.
static enum lq_picture_kind kind_of_reply(const struct lq_job *job, const struct lq_pipe *pipe)
{
    if (job->kind_out != LQ_PICTURE_UNKNOWN)
        return job->kind_out;
    bool jpeg = pipe->info.kind == LQ_PICTURE_JPEG ||
                (pipe->info.kind != LQ_PICTURE_PNG && pipe->picture.channels == 3);
    return jpeg ? LQ_PICTURE_JPEG : LQ_PICTURE_PNG;
}

// A JPEG or WebP holds eight bits: what a PNG had beyond that is dropped in place.
static void drop_low_bits(struct lq_image *picture)
{
    if (picture->depth != 16)
        return;
    for (int y = 0; y < picture->height; y++) {
        uint8_t *row = lq_image_row(picture, y);
        const uint16_t *wide = (const uint16_t *)(const void *)row;
        for (int i = 0; i < picture->width * picture->channels; i++)
            row[i] = (uint8_t)((wide[i] * 255u + 32895u) >> 16);
    }
    picture->depth = 8;
}

static void forget_result(struct lq_job *job)
{
    job->nails = NULL;
    job->propagated = false;
    job->passes = 0;
    job->total_us = 0;
    for (int i = 0; i < LQ_STAGE_COUNT; i++)
        job->stage_us[i] = 0;
}

int lq_pipe_run(struct lq_pipe *pipe, struct lq_job *job, struct lq_error *err)
{
    uint64_t since_us = lq_clock_us();
    forget_result(job);
    pipe->info.may_shrink = job->may_shrink;
    pipe->info.repaint_quality =
        job->paint && (job->kind_out == LQ_PICTURE_JPEG || job->kind_out == LQ_PICTURE_UNKNOWN)
            ? job->jpeg_quality
            : 0;
    int status = lq_codec_decode(pipe->codec, job->input, job->input_len, job->pixels_max,
                                 &pipe->pixels, &pipe->picture, &pipe->info, err);
    if (status != LQ_OK)
        return status;
    job->width = pipe->picture.width;
    job->height = pipe->picture.height;
    job->kind = kind_of_reply(job, pipe);
    job->shrunk = pipe->info.shrunk;
    job->stored_width = pipe->info.stored_width;
    job->stored_height = pipe->info.stored_height;
    stage_done(job, LQ_STAGE_DECODE, &since_us);
    pause_job(job, &since_us);
    struct lq_image seen = pipe->picture;
    status = show_as_srgb(pipe, &seen, err);
    if (status == LQ_OK)
        status = find_nails(pipe, job, &seen, &since_us, err);
    lq_buf_release(&pipe->srgb); // such pictures are few, and large
    if (status == LQ_OK && !job->paint && job->scene)
        judge_scene(job, &pipe->picture, &since_us);
    if (status != LQ_OK || !job->paint)
        return status;
    pause_job(job, &since_us);
    status = paint_nails(pipe, job, &pipe->picture, &since_us, err);
    if (status != LQ_OK)
        return status;
    if (job->kind != LQ_PICTURE_PNG)
        drop_low_bits(&pipe->picture);
    pause_job(job, &since_us);
    return encode(pipe, job, &since_us, err);
}

int lq_pipe_run_image(struct lq_pipe *pipe, struct lq_job *job, struct lq_image *picture,
                      struct lq_error *err)
{
    uint64_t since_us = lq_clock_us();
    forget_result(job);
    job->width = picture->width;
    job->height = picture->height;
    pipe->picture = *picture;
    int status = find_nails(pipe, job, picture, &since_us, err);
    if (status == LQ_OK && job->paint)
        status = paint_nails(pipe, job, picture, &since_us, err);
    return status;
}

const struct lq_image *lq_pipe_picture(const struct lq_pipe *pipe)
{
    return &pipe->picture;
}
