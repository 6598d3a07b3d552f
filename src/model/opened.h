// What an opened model is made of: model.c fills it in (in the page device/network.c), runner.c
// runs frames through it.
// Threads: read-only once opened, but for logged_values. Owner: lq_model_close releases all of it.
#pragma once

#include <stdatomic.h>

#include "model/head.h"
#include "model/landmarks.h"
#include "model/model.h"

// A model compiled for one input size.
struct lq_variant {
    struct lq_engine *engine;
    struct lq_engine
        *exclusive; // LQ_TUNE_BOTH: for a frame that has all cores to itself; else NULL
    struct lq_layout layout;
    int width, height;
};

struct lq_model {
    struct lq_model_info info;
    const struct lq_engine_ops *ops;
    char *path;   // what engines read
    char *source; // its name in messages; its sidecar is read
    struct lq_engine_model *read; // until all sizes are compiled; else NULL
    char name[LQ_MODEL_NAME_MAX];
    struct lq_sidecar sidecar;
    struct lq_rules rules;
    struct lq_input input; // as the file declares it
    int variant_count;
    struct lq_variant variants[LQ_MODEL_SIZES_MAX];
    struct lq_landmarks *landmarks; // NULL: none to be had
    struct lq_engine *raced;    // of the first size, until it is taken for use; else NULL
    enum lq_tune raced_tune;
    atomic_bool logged_values;  // that a map was taken to hold logits
};

// opened.c: what follows from the sidecar and the layouts once all sizes are open.
void lq_model_settle(struct lq_model *model, const struct lq_model_options *options);
// Some may be open and others not.
void lq_model_close_variants(struct lq_model *model);
// What was read to be compiled, if there is such.
void lq_model_forget(struct lq_model *model);
