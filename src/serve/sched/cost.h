// Estimates what a picture will cost from its header, before any work on it, using what finished
// pictures have cost.
//
//   cost = megapixels x (decode, paint, encode of one) + passes x (prepare, infer of one)
//
// Threads: any; all but lq_cost_peek use a mutex.
// Owner: init/release by whoever holds the struct; nothing else is allocated.
#pragma once

#include <pthread.h>

#include "serve/sched/session.h"

enum {
    LQ_COST_HEAD_BYTES = 128 * 1024, // the part of a body in which the picture's header is searched
    // typical number of passes of a still with a multi-scale pass (frame/multiscale.h)
    LQ_COST_PASSES = 7,
};

struct lq_cost_peek {
    uint64_t pixels; // from its header; the maximum if no header is found, 0 if there is no picture
    int passes;
};
// Estimates the work of a complete body from its first bytes; errs on the high side.
struct lq_cost_peek lq_cost_peek(const struct lq_frame_slot *slot);
// The pixels of a picture file, as above.
uint64_t lq_cost_pixels(const uint8_t *bytes, size_t len);
// In which queue it waits.
enum lq_turn_kind lq_cost_kind(const struct lq_cost_peek *peek, bool live);

struct lq_cost {
    pthread_mutex_t lock;
    double megapixel_us, pass_us; // of one; guesses until the first measurement
    bool learned;
};
void lq_cost_init(struct lq_cost *cost);
void lq_cost_release(struct lq_cost *cost);

uint64_t lq_cost_us(struct lq_cost *cost, const struct lq_cost_peek *peek);
// A measurement: the time that a picture of this many pixels and passes took.
struct lq_cost_seen {
    uint64_t pixels, pixels_us;
    int passes;
    uint64_t passes_us;
};
void lq_cost_learn(struct lq_cost *cost, const struct lq_cost_seen *seen);
