// Which arithmetic runs a model faster here: bf16 halves what is moved and, on some processors,
// doubles what is multiplied; on others it is emulated and takes twice as long: a trial decides.
// Threads: the caller's, for the call. Owner: the caller closes *winner.
#pragma once

#include "engine/engine.h"

// Compiles the model both ways, with the shape that `options` names, and runs each in turn on an
// empty picture: five times, or fewer where that takes more than half a second. Writes the faster:
// bf16 where it takes less than 85 % of the time; f32 where bf16 cannot be had. *winner is the
// engine of that, NULL on failure.
LQ_MUST_CHECK int lq_precision_race(const struct lq_engine_ops *ops,
                                    struct lq_engine_model *model,
                                    const struct lq_engine_options *options,
                                    enum lq_precision *faster, struct lq_engine **winner,
                                    struct lq_error *err);
