// A foreign model is opened and run once in a process of its own before it is opened in this one:
// an engine compiles what a file says, and some files end it. A .tflite that the engine refuses is
// tried again as what lq_convert makes of it. What was found is kept (engine/verdict.h).
// Threads: the main one, before any other is started: it forks (base/child.h).
// Owner: what is asked for is the caller's, and is changed in place.
#pragma once

#include "cli/model_options.h"

// Tries what the options ask for, unless it was tried already or is the model that comes with
// Lacquer; then lq_cli_model_open need not. `enter` (NULL: none) is called in the child first, for
// giving up rights. A model that ends the engine: MODEL, and asked->ends_engine is set.
LQ_MUST_CHECK int lq_cli_model_check(struct lq_cli_model *asked,
                                     int (*enter)(void *context, struct lq_error *err),
                                     void *context, struct lq_error *err);
