// Where the pictures come from that a network is calibrated with, prepared as its input.
// Threads: one at a time. Owner: the caller, of the pictures too.
#pragma once

#include "engine/engine.h"

// `get` gives input 0 for a picture, of which dims are all known; it stays valid until the next
// call.
struct lq_pictures {
    int count;
    int (*get)(void *context, int index, const struct lq_tensor **input, struct lq_error *err);
    void *context;
};
