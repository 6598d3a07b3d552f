// Requests and responses: sends a picture or frame through the pipeline.
#include "lib/library.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/parse_json.h"
#include "frame/mask.h"
#include "frame/report.h"

// Smallest accepted sizes: programs compiled with the first version's header have structs that end
// with these members.
#define END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))
enum { REQUEST_LEAST = END_OF(struct lacquer_request, timeout_ms),
       RESPONSE_LEAST = END_OF(struct lacquer_response, total_us) };

// ---- video

LQ_PUBLIC int lacquer_video_new(struct lacquer_video **out)
{
    struct lacquer_video *video = calloc(1, sizeof *video);
    *out = NULL;
    if (!video || lq_tracker_new(&video->tracker) != LQ_OK) {
        free(video);
        return LACQUER_ERR_MEMORY;
    }
    *out = video;
    return LACQUER_OK;
}

LQ_PUBLIC void lacquer_video_free(struct lacquer_video *video)
{
    if (!video)
        return;
    lq_tracker_free(video->tracker);
    free(video);
}

LQ_PUBLIC void lacquer_video_reset(struct lacquer_video *video)
{
    lq_tracker_rest(video->tracker);
}

// ---- requests

static bool in_unit(float value)
{
    return value >= 0 && value <= 1; // false for NaN
}

static int read_look(const struct lacquer_look *look, struct lq_look *checked,
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

static int read_polish(const struct lacquer_request *request, struct lq_job *job,
                       struct lq_error *err)
{
    if (request->look && request->full_look)
        return lq_fail(err, LQ_ERR_ARGUMENT, "request has a look and a full_look: leave one out");
    job->paint = request->look || request->full_look;
    if (request->full_look)
        job->look = request->full_look->look;
    return request->look ? read_look(request->look, &job->look, err) : LQ_OK;
}

static const enum lq_picture_kind kinds[] = {
    [LACQUER_FORMAT_SAME] = LQ_PICTURE_UNKNOWN, [LACQUER_JPEG] = LQ_PICTURE_JPEG,
    [LACQUER_PNG] = LQ_PICTURE_PNG, [LACQUER_WEBP] = LQ_PICTURE_WEBP};

static void set_flags(struct lq_job *job, unsigned flags)
{
    job->multiscale = flags & LACQUER_MULTI_SCALE;
    job->hands = flags & LACQUER_FIND_HANDS;
    job->smooth = !(flags & LACQUER_NO_SMOOTHING);
    job->may_propagate = flags & LACQUER_PROPAGATE;
    job->may_shrink = flags & LACQUER_SHRINK;
}

static int read_request(struct lq_job *job, const struct lacquer_request *given,
                        struct lq_error *err)
{
    const unsigned known = LACQUER_MULTI_SCALE | LACQUER_FIND_HANDS | LACQUER_NO_SMOOTHING |
                           LACQUER_PROPAGATE | LACQUER_SHRINK;
    struct lacquer_request request;
    lq_job_init(job);
    if (!given)
        return lq_fail(err, LQ_ERR_ARGUMENT, "a request is needed");
    int status = lq_lib_copy_in(&request, sizeof request, given, REQUEST_LEAST, "request", err);
    if (status != LQ_OK)
        return status;
    if (request.flags & ~known)
        return lq_fail(err, LQ_ERR_ARGUMENT, "request.flags has %#x, which is not known",
                       request.flags & ~known);
    if (request.quality < 0 || request.quality > 100 || request.timeout_ms < 0 ||
        (unsigned)request.format >= LQ_COUNT(kinds))
        return lq_fail(err, LQ_ERR_ARGUMENT,
                       "request: quality is 1 to 100, format a known one, timeout_ms not negative");
    set_flags(job, request.flags);
    job->jpeg_quality = request.quality ? request.quality : 92;
    job->kind_out = kinds[request.format];
    job->time_us = request.time_us;
    job->tracker = request.video ? request.video->tracker : NULL;
    job->deadline_us =
        request.timeout_ms ? lq_clock_us() + (uint64_t)request.timeout_ms * 1000 : 0;
    return read_polish(&request, job, err);
}

// ---- responses

static void fill_nail(struct lacquer_nail *to, const struct lq_nail *nail)
{
    *to = (struct lacquer_nail){
        .id = nail->id, .confidence = nail->confidence,
        .box = {nail->crop.x, nail->crop.y, nail->crop.width, nail->crop.height},
        .center_x = nail->center_x, .center_y = nail->center_y, .axis_x = nail->axis_x,
        .axis_y = nail->axis_y, .length = nail->length, .width = nail->width, .alpha = nail->alpha,
        .alpha_stride = nail->alpha_stride, .area = nail->area, .tip_known = nail->tip_known,
        .tip_confidence = fminf(hypotf(nail->tip_x, nail->tip_y), 1),
        .curvature = nail->curvature, .finger = (enum lacquer_finger)nail->finger};
    memcpy(to->finger_confidence, nail->finger_share, sizeof to->finger_confidence);
}

static enum lacquer_format format_of(enum lq_picture_kind kind)
{
    for (size_t i = 1; i < LQ_COUNT(kinds); i++)
        if (kinds[i] == kind)
            return (enum lacquer_format)i;
    return LACQUER_FORMAT_SAME;
}

static void fill_response(struct lacquer *context, struct lacquer_response *response, bool file)
{
    const struct lq_job *job = &context->job;
    for (int i = 0; i < job->nails->count; i++)
        fill_nail(&context->nails[i], &job->nails->items[i]);
    if (!response)
        return;
    struct lacquer_response own = {
        .size = response->size, .width = job->width, .height = job->height,
        .nail_count = job->nails->count, .nails = context->nails, .passes = job->passes,
        .propagated = job->propagated, .total_us = job->total_us};
    if (file && job->paint) {
        own.bytes = context->output.data;
        own.bytes_len = context->output.len;
        own.format = format_of(job->kind);
    }
    memcpy(own.stage_us, job->stage_us, sizeof own.stage_us);
    // Members that only a newer header has keep the caller's values.
    memcpy(response, &own, response->size < sizeof own ? response->size : sizeof own);
}

static int check_response(const struct lacquer_response *response, struct lq_error *err)
{
    if (response && response->size < RESPONSE_LEAST)
        return lq_fail(err, LQ_ERR_ARGUMENT,
                       "response.size is %zu: begin with LACQUER_RESPONSE_INIT", response->size);
    return LQ_OK;
}

// ---- pixels

static int read_image(struct lq_image *own, const struct lacquer_image *image, struct lq_error *err)
{
    bool known = image && (unsigned)image->format <= LACQUER_BGRA;
    int channels = !known || image->format == LACQUER_RGB || image->format == LACQUER_BGR ? 3 : 4;
    if (!known || !image->pixels || image->width < 1 || image->height < 1 ||
        image->width > LQ_PICTURE_SIDE_MAX || image->height > LQ_PICTURE_SIDE_MAX ||
        image->stride < (size_t)image->width * (size_t)channels)
        return lq_fail(err, LQ_ERR_ARGUMENT,
                       "pixels must be RGB, BGR or with alpha, 1 to %d on a side, rows not "
                       "overlapping", LQ_PICTURE_SIDE_MAX);
    *own = (struct lq_image){.data = image->pixels, .width = image->width,
                             .height = image->height, .channels = channels, .depth = 8,
                             .stride = image->stride};
    return LQ_OK;
}

LQ_HOT static void swap_row(uint8_t *row, int width, int channels)
{
    for (int x = 0; x < width; x++, row += channels) {
        uint8_t red = row[0];
        row[0] = row[2];
        row[2] = red;
    }
}

// The pipeline works on RGB. Swapping the channels in place, and back afterwards, costs less than a
// copy of the frame.
static void swap_red_and_blue(const struct lq_image *picture, const struct lacquer_image *image)
{
    if (image->format != LACQUER_BGR && image->format != LACQUER_BGRA)
        return;
    for (int y = 0; y < picture->height; y++)
        swap_row(lq_image_row(picture, y), picture->width, picture->channels);
}

LQ_PUBLIC int lacquer_process_pixels(struct lacquer *context, const struct lacquer_request *request,
                                     const struct lacquer_image *image,
                                     struct lacquer_response *response)
{
    if (!lq_lib_enter(context))
        return LACQUER_ERR_BUSY;
    struct lq_error *err = &context->err;
    struct lq_image picture;
    int status = lq_lib_check_process(err);
    if (status == LQ_OK)
        status = check_response(response, err);
    if (status == LQ_OK)
        status = read_request(&context->job, request, err);
    if (status == LQ_OK)
        status = read_image(&picture, image, err);
    if (status != LQ_OK) {
        context->job.nails = NULL;
        return lq_lib_leave(context, status);
    }
    swap_red_and_blue(&picture, image);
    status = lq_pipe_run_image(context->pipe, &context->job, &picture, err);
    swap_red_and_blue(&picture, image);
    if (status == LQ_OK)
        fill_response(context, response, false);
    else
        context->job.nails = NULL;
    return lq_lib_leave(context, status);
}

LQ_PUBLIC int lacquer_process_file(struct lacquer *context, const struct lacquer_request *request,
                                   const void *bytes, size_t len,
                                   struct lacquer_response *response)
{
    if (!lq_lib_enter(context))
        return LACQUER_ERR_BUSY;
    struct lq_error *err = &context->err;
    struct lq_job *job = &context->job;
    int status = lq_lib_check_process(err);
    if (status == LQ_OK)
        status = check_response(response, err);
    if (status == LQ_OK)
        status = read_request(job, request, err);
    if (status == LQ_OK && !bytes)
        status = lq_fail(err, LQ_ERR_ARGUMENT, "bytes of a picture are needed");
    job->nails = NULL;
    lq_buf_clear(&context->output);
    job->input = bytes;
    job->input_len = len;
    job->pixels_max = LQ_PICTURE_PIXELS_MAX;
    job->output = &context->output;
    if (status == LQ_OK)
        status = lq_pipe_run(context->pipe, job, err);
    if (status == LQ_OK)
        fill_response(context, response, true);
    else
        job->nails = NULL;
    return lq_lib_leave(context, status);
}

// ---- more of the last response

static int no_response(struct lacquer *context)
{
    return lq_lib_leave(context, lq_fail(&context->err, LQ_ERR_ARGUMENT,
                                         "no picture was processed yet, or the last call failed"));
}

LQ_PUBLIC int lacquer_mask(struct lacquer *context, uint8_t *mask, int width, int height,
                           size_t stride)
{
    if (!lq_lib_enter(context))
        return LACQUER_ERR_BUSY;
    const struct lq_job *job = &context->job;
    if (!job->nails)
        return no_response(context);
    struct lq_image image = {.data = mask, .width = width, .height = height, .channels = 1,
                             .depth = 8, .stride = stride};
    if (!mask || width != job->width || height != job->height || stride < (size_t)width)
        return lq_lib_leave(context, lq_fail(&context->err, LQ_ERR_ARGUMENT,
                                             "the mask must be %d by %d, as the picture was",
                                             job->width, job->height));
    lq_mask_draw(&image, job->nails);
    return lq_lib_leave(context, LQ_OK);
}

LQ_PUBLIC int lacquer_response_json(struct lacquer *context, const char **json)
{
    if (!lq_lib_enter(context))
        return LACQUER_ERR_BUSY;
    const struct lq_job *job = &context->job;
    if (!job->nails)
        return no_response(context);
    int status = LQ_OK;
    json_t *root = json_pack("{s:i, s:i, s:o, s:o}", "width", job->width, "height", job->height,
                             "nails", lq_report_nails(job->nails, true), "ms", lq_report_ms(job));
    lq_buf_clear(&context->text);
    if (!lq_json_print(root, JSON_COMPACT | JSON_REAL_PRECISION(9), &context->text) ||
        lq_buf_append(&context->text, "", 1) != LQ_OK)
        status = lq_fail(&context->err, LQ_ERR_MEMORY, "out of memory");
    else
        *json = (const char *)context->text.data;
    json_decref(root);
    return lq_lib_leave(context, status);
}
