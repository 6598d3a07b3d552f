// Counters for operators, printed as Prometheus text (format 0.0.4) at /metrics.
// Threads: any may count (relaxed atomics); one total may be a frame ahead of another.
// Owner: the server holds the one struct.
#pragma once

#include <stdatomic.h>

#include "serve/sched/session.h"

enum lq_transport { LQ_VIA_HTTP, LQ_VIA_WS, LQ_VIA_V1, LQ_VIA_SIO, LQ_VIA_COUNT };
// Why a frame got no picture: replaced by a newer one; its client went away; the server stops; it
// waited too long for a worker; its reply was late (--max-age); the server is full; its client
// sends too fast.
enum lq_drop { LQ_DROP_REPLACED, LQ_DROP_GONE, LQ_DROP_STOPPING, LQ_DROP_STALE, LQ_DROP_LATE,
               LQ_DROP_BUSY, LQ_DROP_RATE, LQ_DROP_COUNT };

enum { LQ_BUCKETS = 14 };

struct lq_histogram {
    atomic_uint_fast64_t buckets[LQ_BUCKETS + 1]; // the last one counts everything larger
    atomic_uint_fast64_t sum_us;
};

struct lq_serve_metrics {
    atomic_uint_fast64_t frames_in[LQ_VIA_COUNT], frames_out[LQ_VIA_COUNT];
    atomic_uint_fast64_t propagated; // of frames_out: without a detection (nail/track.h)
    atomic_uint_fast64_t bytes_in, bytes_out;
    atomic_uint_fast64_t dropped[LQ_DROP_COUNT];
    atomic_uint_fast64_t errors[LQ_STATUS_COUNT];
    atomic_int sessions[LQ_VIA_COUNT];
    atomic_int stalled; // workers stuck in a frame
    struct lq_histogram stages[LQ_STAGE_COUNT], queue, served;
};

// Current values, read on request.
struct lq_gauges {
    struct lq_workers_state state;
    int workers, sessions_max;
    struct lq_account_state frames; // memory for frames and replies: held, peak and maximum
    uint64_t busy_us;   // total time worked by all workers since the start
    const char *engine, *model;
};

void lq_histogram_add(struct lq_histogram *histogram, uint64_t us);

static inline void lq_count(atomic_uint_fast64_t *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

// Counts a finished frame's stages or its error. Called by workers.
void lq_metrics_count_slot(struct lq_serve_metrics *metrics, const struct lq_frame_slot *slot);
void lq_metrics_count_error(struct lq_serve_metrics *metrics, int status);

LQ_MUST_CHECK int lq_metrics_print(struct lq_serve_metrics *metrics, const struct lq_gauges *gauges,
                                   struct lq_buf *out);
