// Opens and runs a foreign model once in a separate process before it is opened in this one:
// engines compile what a file contains, and some files crash them. A .tflite that the engine
// rejects is tried again after conversion by lq_convert. The result is stored (engine/verdict.h).
// Threads: the main one, before any other is started: it forks (base/child.h).
// Owner: the caller owns `config`, which is changed in place.
#pragma once

#include "cli/model_options.h"

// Tries the model that `config` names, unless it was tried before or ships with Lacquer;
// lq_cli_model_open then skips its check. `enter` (may be NULL) is called first in the child, to
// drop privileges. A model that crashes the engine gives MODEL, and sets config->ends_engine.
LQ_MUST_CHECK int lq_cli_model_check(struct lq_cli_model *config,
                                     int (*enter)(void *context, struct lq_error *err),
                                     void *context, struct lq_error *err);
