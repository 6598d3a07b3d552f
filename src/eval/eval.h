// Compares a model's masks with hand-drawn ones, picture by picture.
// Threads: main thread. Owner: new/free by the caller; options point to the caller's texts.
#pragma once

#include "eval/report.h"

struct lq_eval_options {
    const char *images;     // a folder
    const char *masks;      // with the same file stems, .png; NULL: no picture shows a nail
    const char *write;      // a folder for the predicted masks, created if missing; NULL: none
    const char *directions; // for lq_directions_open; NULL: none
    bool raw;               // only the network, without the nail stage
    bool fast;              // a single pass, without the multi-scale pass of photos
    bool live;              // each picture is the first frame of a video
    bool sequence;          // the pictures are frames of one video …
    bool steady;            // … whose outlines are smoothed …
    double fps;             // … with this frame rate …
    int every;              // … and a detection only on every n-th frame
};

struct lq_eval;

LQ_MUST_CHECK int lq_eval_new(struct lq_eval **eval, const struct lq_model *model,
                              const struct lq_eval_options *options, struct lq_error *err);
void lq_eval_free(struct lq_eval *eval); // eval may be NULL

// Measures the named picture in the folder. After a failure you may continue with the next.
LQ_MUST_CHECK int lq_eval_picture(struct lq_eval *eval, const char *name, struct lq_error *err);

// The counts so far; owned by eval, valid until it is freed.
const struct lq_eval_figures *lq_eval_figures(struct lq_eval *eval);
