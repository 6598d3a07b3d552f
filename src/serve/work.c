#include "serve/work.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/trace.h"
#include "serve/message/frame_response.h"

struct worker {
    const struct lq_model *model;
    struct lq_pipe *pipe;  // in a thread for heavy stills, created for the first of them
    bool heavy;
    struct lq_buf decoded; // bytes decoded from base64
    struct lq_buf scratch; // for encoding crops
    struct lq_scene scene;
    struct lq_serve_metrics *metrics;
    struct lq_load *load;
    struct lq_cost *cost;
    uint32_t max_age_ms;
    bool may_propagate;
    _Atomic(const struct lq_model *) *offered;
};

static void worker_close(void *context)
{
    struct worker *worker = context;
    lq_pipe_free(worker->pipe);
    lq_buf_release(&worker->decoded);
    lq_buf_release(&worker->scratch);
    free(worker);
}

// The first inference of a size takes 30 to 90 ms longer, because it allocates memory and compiles
// code that later ones reuse. Running it at the start, in landscape and portrait, spares users'
// first frames this delay.
static int warm_up(struct lq_pipe *pipe, struct lq_error *err)
{
    static const int sizes[][2] = {{640, 480}, {480, 640}};
    uint8_t *grey = calloc(640 * 480, 3);
    if (!grey)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = LQ_OK;
    for (size_t i = 0; i < 2 * LQ_COUNT(sizes) && status == LQ_OK; i++) {
        int width = sizes[i / 2][0], height = sizes[i / 2][1];
        struct lq_image picture = {grey, width, height, 3, 8, (size_t)width * 3};
        struct lq_job job;
        lq_job_init(&job);
        job.paint = false;
        job.exclusive = i % 2;
        status = lq_pipe_run_image(pipe, &job, &picture, err);
    }
    free(grey);
    return status;
}

static int worker_open(void *context, bool heavy, void **out, struct lq_error *err)
{
    const struct lq_work_context *shared = context;
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    lq_buf_init(&worker->decoded, LQ_BODY_BYTES_MAX);
    lq_buf_init(&worker->scratch, (size_t)LQ_FRAME_PIXELS_MAX * 3);
    worker->metrics = shared->metrics;
    worker->load = shared->load;
    worker->cost = shared->cost;
    worker->offered = shared->offered;
    worker->model = shared->model;
    worker->heavy = heavy;
    worker->max_age_ms = shared->max_age_ms;
    worker->may_propagate = shared->may_propagate;
    int status = heavy ? LQ_OK : lq_pipe_new(&worker->pipe, shared->model, err);
    if (status == LQ_OK && !heavy)
        status = warm_up(worker->pipe, err);
    if (status != LQ_OK)
        worker_close(worker);
    else
        *out = worker;
    return status;
}

static enum lq_picture_kind reply_kind(const struct lq_frame_slot *slot)
{
    // Live replies are always JPEG; elsewhere the reply to a PNG is a PNG.
    return slot->request.live || slot->request.reply_form == LQ_REPLY_PICTURE ? LQ_PICTURE_JPEG
                                                                      : LQ_PICTURE_UNKNOWN;
}

struct step {
    struct worker *worker;
    struct lq_frame_slot *slot;
    struct lq_job *job;
};

// Called between two steps. Once the picture is decoded, its memory is charged.
static void on_step(void *context)
{
    struct step *step = context;
    if (step->worker->heavy)
        lq_charge_set(&step->slot->decoded, lq_pipe_bytes(step->worker->pipe));
    if (lq_workers_step(step->slot))
        step->job->exclusive = false; // leaves cores for live frames
}

// Creates the pipe of a thread for heavy stills if it has none.
static int open_pipe(struct worker *worker, struct lq_error *err)
{
    return worker->pipe ? LQ_OK : lq_pipe_new(&worker->pipe, worker->model, err);
}

// Releases a heavy picture's memory immediately; other pictures are small.
static void rest(struct worker *worker)
{
    if (!worker->heavy || !worker->pipe)
        return;
    lq_buf_release(&worker->decoded);
    if (lq_pipe_rest(worker->pipe) == LQ_OK)
        return;
    lq_pipe_free(worker->pipe);
    worker->pipe = NULL;
}

static void fill_job(const struct worker *worker, struct lq_frame_slot *slot, struct lq_job *job,
                     const struct lq_frame_picture *picture)
{
    lq_job_init(job);
    job->input = picture->bytes;
    job->input_len = picture->len;
    job->look = slot->request.look;
    job->paint = slot->request.reply_form != LQ_REPLY_NAILS &&
                 slot->request.reply_form != LQ_REPLY_V1_NAILS;
    job->tracker = slot->session->tracker;
    job->surround = slot->session->surround;
    job->time_us = slot->arrived_us;
    job->smooth = slot->request.smooth;
    job->may_propagate = slot->contended && worker->may_propagate;
    job->multiscale = slot->request.multi_scale;
    job->hands = slot->request.multi_scale || slot->request.live;
    job->exclusive = slot->exclusive;
    job->jpeg_quality = slot->request.jpeg_quality;
    job->kind_out = reply_kind(slot);
    uint64_t max_age_us = worker->max_age_ms * UINT64_C(1000);
    job->deadline_us = slot->request.live ? slot->arrived_us + max_age_us : 0;
    job->output = job->paint ? &slot->picture : NULL;
}

static int run_pipe(struct worker *worker, struct lq_frame_slot *slot, struct lq_job *job,
                    const struct lq_frame_picture *picture)
{
    struct step step = {worker, slot, job};
    fill_job(worker, slot, job, picture);
    job->scene = slot->request.reply_form == LQ_REPLY_V1_NAILS ? &worker->scene : NULL;
    job->pause = on_step;
    job->pause_context = &step;
    if (worker->heavy)
        lq_charge_set(&slot->decoded, slot->pixels * 3); // an estimate until it is decoded
    lq_buf_clear(&slot->picture);
    int status = lq_buf_resize(&slot->picture, LQ_REPLY_HEAD);
    if (status != LQ_OK)
        return lq_fail(&slot->error, status, "out of memory");
    return lq_pipe_run(worker->pipe, job, &slot->error);
}

// Drops a live frame that has waited too long, because it shows an outdated picture. This happens
// only under overload. The status is not BUSY, which would ask the session to pause: the next frame
// may well be in time.
static int check_age(const struct lq_frame_slot *slot, struct lq_error *err)
{
    if (!slot->request.live || slot->queue_us <= slot->stale_us)
        return LQ_OK;
    return lq_fail(err, LQ_ERR_TIMEOUT, "the frame waited %u ms and was dropped; send the next",
                   slot->queue_us / 1000);
}

// Whether a frame that was queued as a light one turns out to be heavy now that its request has
// been read completely; it is then queued again as a heavy one. A urlencoded body cannot be read
// twice, but for it the estimate is exact (cost.c).
static bool is_heavier(const struct worker *worker, struct lq_frame_slot *slot,
                       const struct lq_frame_picture *picture)
{
    struct lq_cost_peek seen = {lq_cost_pixels(picture->bytes, picture->len),
                                slot->request.multi_scale ? LQ_COST_PASSES : 1};
    slot->pixels = seen.pixels;
    if (slot->turn_kind == LQ_TURN_HEAVY || slot->request.body_form == LQ_BODY_URLENCODED ||
        lq_cost_kind(&seen, slot->request.live) != LQ_TURN_HEAVY)
        return false;
    slot->turn_kind = LQ_TURN_HEAVY;
    slot->cost_us = lq_cost_us(worker->cost, &seen);
    return true;
}

static void learn(const struct worker *worker, const struct lq_frame_slot *slot,
                  const struct lq_job *job)
{
    const uint32_t *us = job->stage_us;
    struct lq_cost_seen seen = {
        .pixels = (uint64_t)job->width * (uint64_t)job->height,
        .passes = job->passes,
        .passes_us = us[LQ_STAGE_PREPARE] + us[LQ_STAGE_INFER] + us[LQ_STAGE_NAILS],
    };
    seen.pixels_us = job->total_us - seen.passes_us;
    if (!slot->request.live || slot->turn_kind == LQ_TURN_HEAVY)
        lq_cost_learn(worker->cost, &seen);
}

// Writes the response: a picture, nails, or the error that occurred earlier or here.
static void respond(struct worker *worker, struct lq_frame_slot *slot)
{
    struct lq_frame_picture picture = {0};
    struct lq_job job;
    if (slot->status == LQ_OK)
        slot->status = open_pipe(worker, &slot->error);
    if (slot->status == LQ_OK)
        slot->status = lq_frame_request_read(slot, &worker->decoded, &picture, &slot->error);
    if (slot->status == LQ_OK && is_heavier(worker, slot, &picture)) {
        slot->again = true;
        lq_frame_picture_release(&picture);
        return;
    }
    if (slot->status == LQ_OK)
        slot->status = run_pipe(worker, slot, &job, &picture);
    if (slot->status == LQ_OK) {
        learn(worker, slot, &job);
        for (int i = 0; i < LQ_STAGE_COUNT; i++)
            slot->stage_us[i] = job.stage_us[i];
        slot->total_us = job.total_us;
        slot->propagated = job.propagated;
        lq_response_write(slot, &job, &picture, &worker->scratch);
    }
    if (slot->status != LQ_OK) {
        slot->error.status = slot->status;
        lq_response_write_error(slot, &picture);
    }
    lq_frame_picture_release(&picture);
    rest(worker);
}

static void count(const struct worker *worker, const struct lq_frame_slot *slot, uint64_t worked_us,
                  bool stale)
{
    struct lq_serve_metrics *metrics = worker->metrics;
    if (stale)
        lq_count(&metrics->dropped[LQ_DROP_STALE], 1);
    else if (slot->request.live && slot->status == LQ_ERR_TIMEOUT)
        lq_count(&metrics->dropped[LQ_DROP_LATE], 1);
    // A still does not show what a stream costs.
    if (slot->turn_kind != LQ_TURN_LIVE)
        lq_load_worked_still(worker->load, worked_us);
    else if (!stale)
        lq_load_worked(worker->load, &(struct lq_load_work){.us = worked_us,
                                                            .contended = slot->contended,
                                                            .propagated = slot->propagated});
    lq_count(&metrics->propagated, slot->propagated);
    lq_metrics_count_slot(metrics, slot);
}

// Switches to the offered model. A thread for heavy stills creates its pipe when the next of them
// arrives.
static void switch_model(struct worker *worker)
{
    const struct lq_model *model = atomic_load(worker->offered);
    struct lq_pipe *pipe = NULL;
    struct lq_error why;
    if (!model || model == worker->model)
        return;
    worker->model = model;
    if (!worker->heavy &&
        (lq_pipe_new(&pipe, model, &why) != LQ_OK || warm_up(pipe, &why) != LQ_OK)) {
        lq_log_warn("a worker keeps its current model: %s", why.text);
        lq_pipe_free(pipe);
        return;
    }
    lq_pipe_free(worker->pipe);
    worker->pipe = pipe;
}

static void worker_run(void *context, struct lq_frame_slot *slot)
{
    struct worker *worker = context;
    switch_model(worker);
    uint64_t begun_us = lq_clock_us();
    lq_trace_enter(&slot->session->trace);
    slot->queue_us = (uint32_t)(begun_us - slot->arrived_us);
    slot->propagated = false;
    slot->status = check_age(slot, &slot->error);
    bool stale = slot->status != LQ_OK;
    if (slot->turn_kind == LQ_TURN_LIVE)
        lq_load_waited(worker->load, slot->queue_us);
    respond(worker, slot);
    uint64_t worked_us = lq_clock_us() - begun_us;
    if (!slot->again)
        count(worker, slot, worked_us, stale);
    lq_trace_enter(NULL);
}

static void refuse(struct lq_frame_slot *slot)
{
    static const struct lq_frame_picture unread = {0};
    lq_response_write_error(slot, &unread);
}

struct lq_work lq_work_with(struct lq_work_context *context)
{
    return (struct lq_work){.open = worker_open, .run = worker_run, .close = worker_close,
                            .context = context, .refuse = refuse};
}
