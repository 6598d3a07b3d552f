#include "frame/frame.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "frame/detect.h"
#include "image/color.h"

struct lq_pipe {
    struct lq_codec *codec;
    struct lq_detector *detector;
    struct lq_painter *painter;
    struct lq_buf pixels;         // the decoded picture's memory
    struct lq_buf srgb;           // memory of its sRGB copy, if it has other colours
    struct lq_image picture;
    struct lq_picture_info info;
};

const char *lq_stage_name(enum lq_stage stage)
{
    static const char *const names[LQ_STAGE_COUNT] = {"decode", "prepare", "infer",
                                                      "nails",  "paint",   "encode"};
    return names[stage];
}

// Allocates the parts whose memory grows with the picture.
static int open_parts(struct lq_pipe *pipe, struct lq_error *err)
{
    int status = lq_codec_new(&pipe->codec, err);
    if (status == LQ_OK && lq_painter_new(&pipe->painter) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    return status;
}

static void free_parts(struct lq_pipe *pipe)
{
    lq_painter_free(pipe->painter);
    lq_codec_free(pipe->codec);
    pipe->painter = NULL;
    pipe->codec = NULL;
    lq_picture_info_release(&pipe->info);
    lq_buf_release(&pipe->pixels);
}

int lq_pipe_new(struct lq_pipe **out, const struct lq_model *model, struct lq_error *err)
{
    struct lq_pipe *pipe = calloc(1, sizeof *pipe);
    if (!pipe)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    // The most that a picture takes is 8 bytes per pixel (RGBA, 16 bits), with rows padded to 64
    // bytes.
    lq_buf_init(&pipe->pixels,
                (size_t)LQ_PICTURE_PIXELS_MAX * 8 + (size_t)LQ_PICTURE_SIDE_MAX * 64);
    lq_buf_init(&pipe->srgb, (size_t)LQ_PICTURE_PIXELS_MAX * 3 + (size_t)LQ_PICTURE_SIDE_MAX * 64);
    lq_picture_info_init(&pipe->info);
    int status = open_parts(pipe, err);
    if (status == LQ_OK)
        status = lq_detector_new(&pipe->detector, model, err);
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
    int status = lq_detector_rest(pipe->detector);
    return status == LQ_OK ? open_parts(pipe, NULL) : status;
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
    lq_detector_free(pipe->detector);
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

// Replaces the picture for the network and the outlines by an sRGB copy if it has other colours.
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
        lq_stage_done(job, LQ_STAGE_PAINT, since_us);
    return status;
}

static void judge_scene(struct lq_job *job, const struct lq_image *picture, uint64_t *since_us)
{
    struct lq_surround before;
    bool known = job->is_part && lq_surround_memory_get(job->surround, &before);
    lq_scene_judge(job->scene, picture, job->nails, known ? &before : NULL);
    if (job->surround && !job->is_part)
        lq_surround_memory_keep(job->surround, &job->scene->surround);
    lq_stage_done(job, LQ_STAGE_PAINT, since_us);
}

static int encode_jpeg(struct lq_pipe *pipe, const struct lq_job *job, const struct lq_buf *icc,
                       struct lq_error *err)
{
    struct lq_painted_image painted = {.image = &pipe->picture};
    painted.parts = lq_painter_parts(pipe->painter, &painted.part_count);
    return lq_codec_repaint_jpeg(pipe->codec, &painted, job->jpeg_quality, icc, job->output, err);
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
        lq_stage_done(job, LQ_STAGE_ENCODE, since_us);
    else
        job->output->len = before;
    return status;
}

// AVIF and HEIC cannot be written; WebP is written only on request.
static enum lq_picture_kind kind_of_reply(const struct lq_job *job, const struct lq_pipe *pipe)
{
    if (job->kind_out != LQ_PICTURE_UNKNOWN)
        return job->kind_out;
    bool jpeg = pipe->info.kind == LQ_PICTURE_JPEG ||
                (pipe->info.kind != LQ_PICTURE_PNG && pipe->picture.channels == 3);
    return jpeg ? LQ_PICTURE_JPEG : LQ_PICTURE_PNG;
}

// JPEG and WebP hold 8 bits: reduces a 16-bit picture in place.
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
    job->propagated = job->is_part = false;
    job->passes = 0;
    job->total_us = 0;
    for (int i = 0; i < LQ_STAGE_COUNT; i++)
        job->stage_us[i] = 0;
}

struct part_choice {
    struct lq_detector *detector;
    const struct lq_job *job;
};

static bool choose_part(void *context, int width, int height, struct lq_pixel_box *part)
{
    const struct part_choice *choice = context;
    return lq_detector_choose_part(choice->detector, choice->job, width, height, part);
}

// Light is estimated from the whole surrounding, so an earlier whole frame must have shown it.
static bool may_be_part(const struct lq_job *job)
{
    return !job->paint && job->surround && lq_surround_memory_get(job->surround, NULL);
}

static int decode(struct lq_pipe *pipe, struct lq_job *job, struct lq_error *err)
{
    bool jpeg = job->kind_out == LQ_PICTURE_JPEG || job->kind_out == LQ_PICTURE_UNKNOWN;
    struct part_choice choice = {pipe->detector, job};
    pipe->info.may_shrink = job->may_shrink;
    pipe->info.repaint_quality = job->paint && jpeg ? job->jpeg_quality : 0;
    pipe->info.choose_part = may_be_part(job) ? choose_part : NULL;
    pipe->info.part_context = &choice;
    const struct lq_picture_file file = {job->input, job->input_len, job->pixels_max};
    int status = lq_codec_decode(pipe->codec, &file, &pipe->pixels, &pipe->picture, &pipe->info,
                                 err);
    pipe->info.part_context = NULL;
    if (status != LQ_OK)
        return status;
    job->width = pipe->picture.width;
    job->height = pipe->picture.height;
    job->kind = kind_of_reply(job, pipe);
    job->shrunk = pipe->info.shrunk;
    job->stored_width = pipe->info.stored_width;
    job->stored_height = pipe->info.stored_height;
    job->is_part = pipe->info.is_part;
    return LQ_OK;
}

int lq_pipe_run(struct lq_pipe *pipe, struct lq_job *job, struct lq_error *err)
{
    uint64_t since_us = lq_clock_us();
    forget_result(job);
    int status = decode(pipe, job, err);
    if (status != LQ_OK)
        return status;
    lq_stage_done(job, LQ_STAGE_DECODE, &since_us);
    lq_job_pause(job, &since_us);
    struct lq_image srgb = pipe->picture;
    status = show_as_srgb(pipe, &srgb, err);
    if (status == LQ_OK)
        status = lq_detector_run(pipe->detector, job, &srgb, &since_us, err);
    lq_buf_release(&pipe->srgb); // pictures that need it are rare and large
    if (status == LQ_OK && !job->paint && job->scene)
        judge_scene(job, &pipe->picture, &since_us);
    if (status != LQ_OK || !job->paint)
        return status;
    lq_job_pause(job, &since_us);
    status = paint_nails(pipe, job, &pipe->picture, &since_us, err);
    if (status != LQ_OK)
        return status;
    if (job->kind != LQ_PICTURE_PNG)
        drop_low_bits(&pipe->picture);
    lq_job_pause(job, &since_us);
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
    int status = lq_detector_run(pipe->detector, job, picture, &since_us, err);
    if (status == LQ_OK && job->paint)
        status = paint_nails(pipe, job, picture, &since_us, err);
    return status;
}

const struct lq_image *lq_pipe_picture(const struct lq_pipe *pipe)
{
    return &pipe->picture;
}
