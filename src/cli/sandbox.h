// Computes what `lacquer serve` needs inside the sandbox: the paths of its libraries, its model and
// its own files. Threads: the main one, before the model is opened. Owner: nothing is kept.
#pragma once

#include "cli/model_options.h"
#include "serve/serve.h"

LQ_MUST_CHECK int lq_cli_sandbox(struct lq_cli_model *model, const struct lq_serve_options *serve,
                                 struct lq_error *err);
