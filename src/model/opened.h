// The contents of an opened model: model.c fills it in (device/network.c for the page), runner.c
// runs frames through it.
// Threads: read-only once opened, except logged_values. Owner: lq_model_close releases everything.
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
    char *path;   // the file that engines read
    char *source; // its name in messages; its sidecar applies
    struct lq_engine_model *read; // until all sizes are compiled; then NULL
    char name[LQ_MODEL_NAME_MAX];
    struct lq_sidecar sidecar;
    struct lq_rules rules;
    struct lq_input input; // as the file declares it
    int variant_count;
    struct lq_variant variants[LQ_MODEL_SIZES_MAX];
    struct lq_landmarks *landmarks; // NULL: not available
    struct lq_engine *raced;    // compiled for the first size by the precision trial, until it is
                                // used; else NULL
    enum lq_tune raced_tune;
    atomic_bool logged_values;  // whether the log said that a map's values are taken as logits
};

// opened.c: sets what follows from the sidecar and the layouts once all sizes are open.
void lq_model_settle(struct lq_model *model, const struct lq_model_options *options);
// Closes the variants that are open.
void lq_model_close_variants(struct lq_model *model);
// Forgets the model that was read for compiling, if there still is one.
void lq_model_forget(struct lq_model *model);
