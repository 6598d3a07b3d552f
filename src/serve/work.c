#include "serve/work.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/trace.h"
#include "serve/answer.h"

struct worker {
    struct lq_pipe *pipe;
    struct lq_buf decoded; // what base64 stood for
    struct lq_buf scratch; // for coding crops
    struct lq_scene scene;
    struct lq_metrics *metrics;
    struct lq_load *load;
    uint32_t max_age_ms;
    bool may_carry;
};

static void worker_close(void *context)
{
    struct worker *worker = context;
    lq_pipe_free(worker->pipe);
    lq_buf_release(&worker->decoded);
    lq_buf_release(&worker->scratch);
    free(worker);
}

// The first inference of a size makes memory and code that later ones use again: 30 to 90 ms that
// no user's first frame should wait for. Lying and standing, as cameras are held.
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
        job.alone = i % 2;
        status = lq_pipe_run_image(pipe, &job, &picture, err);
    }
    free(grey);
    return status;
}

static int worker_open(void *context, void **out, struct lq_error *err)
{
    const struct lq_work_context *shared = context;
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    lq_buf_init(&worker->decoded, LQ_BODY_BYTES_MAX);
    lq_buf_init(&worker->scratch, (size_t)LQ_FRAME_PIXELS_MAX * 3);
    worker->metrics = shared->metrics;
    worker->load = shared->load;
    worker->max_age_ms = shared->max_age_ms;
    worker->may_carry = shared->may_carry;
    int status = lq_pipe_new(&worker->pipe, shared->model, err);
    if (status == LQ_OK)
        status = warm_up(worker->pipe, err);
    if (status != LQ_OK)
        worker_close(worker);
    else
        *out = worker;
    return status;
}

static enum lq_picture_kind reply_kind(const struct lq_slot *slot)
{
    // Live replies are JPEG whatever came; elsewhere a PNG is answered with a PNG.
    return slot->ask.live || slot->ask.reply_form == LQ_REPLY_PICTURE ? LQ_PICTURE_JPEG
                                                                      : LQ_PICTURE_UNKNOWN;
}

static int run_pipe(struct worker *worker, struct lq_slot *slot, struct lq_job *job,
                    const struct lq_ask_picture *picture)
{
    lq_job_init(job);
    job->input = picture->bytes;
    job->input_len = picture->len;
    job->look = slot->ask.look;
    job->paint = slot->ask.reply_form != LQ_REPLY_NAILS &&
                 slot->ask.reply_form != LQ_REPLY_V1_NAILS;
    job->tracker = slot->session->tracker;
    job->time_us = slot->arrived_us;
    job->smooth = slot->ask.smooth;
    job->may_carry = slot->pressed && worker->may_carry;
    job->closer = slot->ask.closer;
    job->hands = slot->ask.closer || slot->ask.live;
    job->alone = slot->alone;
    job->scene = slot->ask.reply_form == LQ_REPLY_V1_NAILS ? &worker->scene : NULL;
    job->jpeg_quality = slot->ask.jpeg_quality;
    job->kind_out = reply_kind(slot);
    job->deadline_us = slot->ask.live ? slot->arrived_us + worker->max_age_ms * UINT64_C(1000) : 0;
    job->output = job->paint ? &slot->picture : NULL;
    lq_buf_clear(&slot->picture);
    int status = lq_buf_resize(&slot->picture, LQ_REPLY_HEAD);
    if (status != LQ_OK)
        return lq_fail(&slot->error, status, "out of memory");
    return lq_pipe_run(worker->pipe, job, &slot->error);
}

// A live frame that has waited too long shows what the user did long ago. Only overload does this.
// Not BUSY, which would tell its session to pause: the next frame may well be in time.
static int check_age(const struct lq_slot *slot, struct lq_error *err)
{
    if (!slot->ask.live || slot->queue_us <= slot->stale_us)
        return LQ_OK;
    return lq_fail(err, LQ_ERR_TIMEOUT, "the frame waited %u ms and was dropped; send the next",
                   slot->queue_us / 1000);
}

// Fills in the answer: a picture, nails, or what went wrong, before or now.
static void answer(struct worker *worker, struct lq_slot *slot)
{
    struct lq_ask_picture picture = {0};
    struct lq_job job;
    if (slot->status == LQ_OK)
        slot->status = lq_ask_read(slot, &worker->decoded, &picture, &slot->error);
    if (slot->status == LQ_OK)
        slot->status = run_pipe(worker, slot, &job, &picture);
    if (slot->status == LQ_OK) {
        for (int i = 0; i < LQ_STAGE_COUNT; i++)
            slot->stage_us[i] = job.stage_us[i];
        slot->total_us = job.total_us;
        slot->carried = job.carried;
        lq_answer_write(slot, &job, &picture, &worker->scratch);
    }
    if (slot->status != LQ_OK) {
        slot->error.status = slot->status;
        lq_answer_write_error(slot, &picture);
    }
    lq_ask_picture_release(&picture);
}

static void count(const struct worker *worker, const struct lq_slot *slot, uint64_t worked_us,
                  bool stale)
{
    struct lq_metrics *metrics = worker->metrics;
    if (stale)
        lq_count(&metrics->dropped[LQ_DROP_STALE], 1);
    else if (slot->ask.live && slot->status == LQ_ERR_TIMEOUT)
        lq_count(&metrics->dropped[LQ_DROP_LATE], 1);
    if (!stale)
        lq_load_worked(worker->load, &(struct lq_load_work){
            .us = worked_us, .pressed = slot->pressed, .carried = slot->carried});
    lq_count(&metrics->carried, slot->carried);
    lq_metrics_count_slot(metrics, slot);
}

static void worker_run(void *context, struct lq_slot *slot)
{
    struct worker *worker = context;
    uint64_t begun_us = lq_clock_us();
    lq_trace_enter(&slot->session->trace);
    slot->queue_us = (uint32_t)(begun_us - slot->arrived_us);
    slot->carried = false;
    slot->status = check_age(slot, &slot->error);
    bool stale = slot->status != LQ_OK;
    lq_load_waited(worker->load, slot->queue_us);
    answer(worker, slot);
    count(worker, slot, lq_clock_us() - begun_us, stale);
    lq_trace_enter(NULL);
}

struct lq_work lq_work_with(struct lq_work_context *context)
{
    return (struct lq_work){worker_open, worker_run, worker_close, context};
}
