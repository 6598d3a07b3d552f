// A model's masks against hand-drawn ones, one picture after the other.
// Threads: main thread. Owner: new/free by the caller; options point to the caller's texts.
#pragma once

#include "eval/report.h"

struct lq_eval_options {
    const char *images;     // a folder
    const char *masks;      // of the same file stems, .png; NULL: the pictures show no nails
    const char *write;      // a folder for the predicted masks, made where missing; NULL: none
    const char *directions; // what lq_directions_open reads; NULL: none
    bool raw;               // the network alone
    bool fast;              // one pass a picture
    bool sequence;          // the pictures are frames of one video …
    bool steady;            // … whose outlines are smoothed …
    double fps;             // … with so many frames a second …
    int every;              // … and a detection on each so-manieth of them
};

struct lq_eval;

LQ_MUST_CHECK int lq_eval_new(struct lq_eval **eval, const struct lq_model *model,
                              const struct lq_eval_options *options, struct lq_error *err);
void lq_eval_free(struct lq_eval *eval); // NULL is fine

// Measures the picture of that name in the folder. After a failure the next one may follow.
LQ_MUST_CHECK int lq_eval_picture(struct lq_eval *eval, const char *name, struct lq_error *err);

// What was counted so far; eval's, until it is freed.
const struct lq_eval_figures *lq_eval_figures(struct lq_eval *eval);
