// The pictures that a network is calibrated with, prepared as its input.
// Threads: one at a time. Owner: the caller, who also owns the pictures.
#pragma once

#include "engine/engine.h"

// `get` returns input 0 for a picture, with all dims known; it stays valid until the next call.
struct lq_pictures {
    int count;
    int (*get)(void *context, int index, const struct lq_tensor **input, struct lq_error *err);
    void *context;
};
