#include "cli/tune_times.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/samples.h"

enum { WARM_RUNS = 3, RUNS_MIN = 5, MEASURE_US = 200 * 1000, SIDE_MAX = 64 };

static double now_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

// Opens a runner with a grey picture as its input and runs it until it is warm.
static int open_runner(struct lq_runner **runner, const struct lq_model *model,
                       struct lq_error *err)
{
    static uint8_t grey[640 * 480 * 3];
    struct lq_image picture = {grey, 640, 480, 3, 8, 640 * 3};
    memset(grey, 128, sizeof grey);
    int status = lq_runner_new(runner, model, err);
    if (status == LQ_OK)
        status = lq_runner_prepare(*runner, &picture, true, err);
    for (int i = 0; i < WARM_RUNS && status == LQ_OK; i++)
        status = lq_runner_infer(*runner, 0, err);
    return status;
}

static int time_runs(const struct lq_model *model, clockid_t clock, double *ms,
                     struct lq_error *err)
{
    struct lq_runner *runner = NULL;
    struct lq_samples samples;
    lq_samples_init(&samples);
    int status = open_runner(&runner, model, err);
    uint64_t end_us = lq_clock_us() + MEASURE_US;
    while (status == LQ_OK && (lq_clock_us() < end_us || samples.count < RUNS_MIN)) {
        double from_ms = now_ms(clock);
        status = lq_runner_infer(runner, 0, err);
        if (status == LQ_OK && lq_samples_add(&samples, now_ms(clock) - from_ms) != LQ_OK)
            status = lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    }
    *ms = lq_samples_percentile(&samples, 25);
    lq_samples_release(&samples);
    lq_runner_free(runner);
    return status;
}

int lq_tune_time_one(const struct lq_model *model, double *ms, struct lq_error *err)
{
    return time_runs(model, CLOCK_PROCESS_CPUTIME_ID, ms, err);
}

int lq_tune_time_all(const struct lq_model *model, double *ms, struct lq_error *err)
{
    return time_runs(model, CLOCK_MONOTONIC, ms, err);
}

// ---- side by side

struct lane {
    struct lq_runner *runner;
    uint64_t end_us;
    atomic_long *frames;
    int status;
    struct lq_error error;
    pthread_t thread;
};

static void *run_lane(void *context)
{
    struct lane *lane = context;
    for (int i = 0; lane->status == LQ_OK && (i < RUNS_MIN || lq_clock_us() < lane->end_us); i++) {
        lane->status = lq_runner_infer(lane->runner, 0, &lane->error);
        atomic_fetch_add(lane->frames, 1);
    }
    return NULL;
}

static int run_lanes(struct lane *lanes, int count, struct lq_error *err)
{
    int started = 1, status = LQ_OK;
    while (started < count &&
           pthread_create(&lanes[started].thread, NULL, run_lane, &lanes[started]) == 0)
        started++;
    run_lane(&lanes[0]);
    for (int i = 1; i < started; i++)
        pthread_join(lanes[i].thread, NULL);
    if (started < count)
        status = lq_fail(err, LQ_ERR_MEMORY, "cannot start a thread");
    for (int i = 0; i < started && status == LQ_OK; i++)
        if (lanes[i].status != LQ_OK)
            status = lq_fail(err, lanes[i].status, "%s", lanes[i].error.text);
    return status;
}

int lq_tune_time_side(const struct lq_model *model, int cores, double *fps, struct lq_error *err)
{
    struct lane lanes[SIDE_MAX] = {0};
    atomic_long frames = 0;
    int count = cores < SIDE_MAX ? cores : SIDE_MAX, status = LQ_OK;
    for (int i = 0; i < count && status == LQ_OK; i++) {
        lanes[i].frames = &frames;
        status = open_runner(&lanes[i].runner, model, err);
    }
    double from_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t end_us = lq_clock_us() + MEASURE_US;
    for (int i = 0; i < count; i++)
        lanes[i].end_us = end_us;
    if (status == LQ_OK)
        status = run_lanes(lanes, count, err);
    double took_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID) - from_ms;
    *fps = took_ms > 0 ? (double)atomic_load(&frames) * 1e3 / took_ms * cores : 0;
    for (int i = 0; i < count; i++)
        lq_runner_free(lanes[i].runner);
    return status;
}
