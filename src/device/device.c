#include "device/device.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "device/network.h"
#include "frame/detect.h"
#include "frame/wire_nails.h"
#include "paint/transfer.h"

struct lq_mirror {
    struct lq_model *model;
    struct lq_detector *detector;
    struct lq_tracker *tracker;
    struct lq_scene scene;
    struct lq_buf pixels, reply, scratch;
    struct lq_image picture;
    struct lq_error error;
};

static int open_parts(struct lq_mirror *mirror, const struct lq_mirror_networks *networks)
{
    int status = lq_mirror_model_open(&mirror->model, networks, &mirror->error);
    if (status == LQ_OK)
        status = lq_detector_new(&mirror->detector, mirror->model, &mirror->error);
    return status == LQ_OK ? lq_tracker_new(&mirror->tracker) : status;
}

struct lq_mirror *lq_mirror_open(const struct lq_mirror_networks *networks)
{
    struct lq_mirror *mirror = calloc(1, sizeof *mirror);
    if (!mirror)
        return NULL;
    lq_transfer_init();
    lq_buf_init(&mirror->pixels, (size_t)LQ_FRAME_PIXELS_MAX * 4);
    lq_buf_init(&mirror->reply, LQ_MESSAGE_BYTES_MAX);
    lq_buf_init(&mirror->scratch, (size_t)LQ_FRAME_PIXELS_MAX * 3);
    if (open_parts(mirror, networks) == LQ_OK)
        return mirror;
    lq_mirror_close(mirror);
    return NULL;
}

void lq_mirror_close(struct lq_mirror *mirror)
{
    if (!mirror)
        return;
    lq_tracker_free(mirror->tracker);
    lq_detector_free(mirror->detector);
    lq_model_close(mirror->model);
    lq_buf_release(&mirror->pixels);
    lq_buf_release(&mirror->reply);
    lq_buf_release(&mirror->scratch);
    free(mirror);
}

uint8_t *lq_mirror_picture(struct lq_mirror *mirror, int width, int height)
{
    mirror->picture = (struct lq_image){0};
    int status = lq_image_check_size(width > 0 ? (uint32_t)width : 0,
                                     height > 0 ? (uint32_t)height : 0, LQ_FRAME_PIXELS_MAX,
                                     &mirror->error);
    if (status != LQ_OK)
        return NULL;
    size_t stride = (size_t)width * 4;
    if (lq_buf_resize(&mirror->pixels, stride * (size_t)height) != LQ_OK) {
        (void)!lq_fail(&mirror->error, LQ_ERR_MEMORY, "no memory for %dx%d pixels", width, height);
        return NULL;
    }
    mirror->picture =
        (struct lq_image){mirror->pixels.data, width, height, 4, 8, stride, NULL};
    return mirror->pixels.data;
}

static struct lq_job job_of(struct lq_mirror *mirror, const struct lq_mirror_look *look)
{
    return (struct lq_job){
        .tracker = look->still ? NULL : mirror->tracker,
        .time_us = (uint64_t)look->time_us,
        .smooth = true,
        .multiscale = look->still,
        .hands = true,
        .exclusive = true,
        .scene = &mirror->scene,
        .width = mirror->picture.width,
        .height = mirror->picture.height,
    };
}

static int find(struct lq_mirror *mirror, const struct lq_mirror_look *look, struct lq_job *job)
{
    if (!mirror->picture.data)
        return lq_fail(&mirror->error, LQ_ERR_ARGUMENT, "there is no picture to detect nails in");
    uint64_t since_us = lq_clock_us();
    *job = job_of(mirror, look);
    job->stage_us[LQ_STAGE_DECODE] = job->total_us = (uint32_t)look->read_us;
    int status = lq_detector_run(mirror->detector, job, &mirror->picture, &since_us,
                                 &mirror->error);
    if (status != LQ_OK)
        return status;
    lq_scene_judge(&mirror->scene, &mirror->picture, job->nails, NULL);
    lq_stage_done(job, LQ_STAGE_PAINT, &since_us);
    return LQ_OK;
}

static int write_reply(struct lq_mirror *mirror, const struct lq_mirror_look *look,
                       const struct lq_job *job)
{
    struct lq_wire_reply head = lq_wire_reply_of(job);
    head.id = look->id;
    head.client_time = (uint64_t)look->client_us;
    lq_buf_clear(&mirror->reply);
    int status = lq_buf_resize(&mirror->reply, LQ_WIRE_REPLY_BYTES);
    if (status == LQ_OK)
        status = lq_wire_nails_append(&mirror->reply, &mirror->scratch, job->nails, job->scene);
    if (status != LQ_OK)
        return lq_fail(&mirror->error, status, "cannot write the reply: %s",
                       lq_status_text(status));
    lq_wire_reply_write(&head, mirror->reply.data);
    lq_wire_reply_set_served(mirror->reply.data, job->total_us, 0);
    return LQ_OK;
}

int lq_mirror_find(struct lq_mirror *mirror, const struct lq_mirror_look *look)
{
    struct lq_job job;
    int status = find(mirror, look, &job);
    return status == LQ_OK ? write_reply(mirror, look, &job) : status;
}

const uint8_t *lq_mirror_reply(const struct lq_mirror *mirror)
{
    return mirror->reply.data;
}

size_t lq_mirror_reply_bytes(const struct lq_mirror *mirror)
{
    return mirror->reply.len;
}

const char *lq_mirror_error(const struct lq_mirror *mirror)
{
    return mirror->error.text;
}

void lq_mirror_rest(struct lq_mirror *mirror)
{
    lq_tracker_rest(mirror->tracker);
    mirror->picture = (struct lq_image){0};
    lq_buf_release(&mirror->pixels);
}
