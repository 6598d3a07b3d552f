// What a picture will cost, estimated from its header before any work is done on it, and what
// pictures have cost so far, learned from each that is finished.
//
//   cost = megapixels x (decode, paint, encode of one) + passes x (prepare, infer of one)
//
// Threads: lq_cost_peek any; the rest any too, under a mutex of its own.
// Owner: init/release by who holds the struct; nothing else is allocated.
#pragma once

#include <pthread.h>

#include "serve/sched/session.h"

enum {
    LQ_COST_HEAD_BYTES = 128 * 1024, // of a body, in which its picture's header is looked for
    // of a still with a multi-scale pass (frame/multiscale.h), about
    LQ_COST_PASSES = 7,
};

struct lq_cost_peek {
    uint64_t pixels; // by its header; the most there may be where none is found, 0 of no picture
    int passes;
};
// What a whole body asks for, by its first bytes: an estimate that errs on the high side.
struct lq_cost_peek lq_cost_peek(const struct lq_frame_slot *slot);
// The pixels of a picture file, as above.
uint64_t lq_cost_pixels(const uint8_t *bytes, size_t len);
// Whose turn it can have.
enum lq_turn_kind lq_cost_kind(const struct lq_cost_peek *peek, bool live);

struct lq_cost {
    pthread_mutex_t lock;
    double megapixel_us, pass_us; // of one; guesses until the first is learned
    bool learned;
};
void lq_cost_init(struct lq_cost *cost);
void lq_cost_release(struct lq_cost *cost);

uint64_t lq_cost_us(struct lq_cost *cost, const struct lq_cost_peek *peek);
// A picture of so many pixels and passes took so long.
struct lq_cost_seen {
    uint64_t pixels, pixels_us;
    int passes;
    uint64_t passes_us;
};
void lq_cost_learn(struct lq_cost *cost, const struct lq_cost_seen *seen);
