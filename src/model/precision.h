// Decides which precision runs a model faster here. bf16 halves memory traffic and, on some
// processors, doubles the rate of multiplications; others emulate it and take twice as long. So
// both are timed.
// Threads: the caller's, during the call. Owner: the caller closes *winner.
#pragma once

#include "engine/engine.h"

// Compiles the model in both precisions, with the shape in `options`, and runs them alternately on
// an empty picture: five times each, or fewer if that would take more than half a second. *faster
// becomes bf16 if it takes less than 85 % of the time, and f32 otherwise or if bf16 is not
// available. *winner is the engine of that precision, NULL on failure.
LQ_MUST_CHECK int lq_precision_race(const struct lq_engine_ops *ops,
                                    struct lq_engine_model *model,
                                    const struct lq_engine_options *options,
                                    enum lq_precision *faster, struct lq_engine **winner,
                                    struct lq_error *err);
