// What `lacquer serve` still needs once it is in the sandbox: where its libraries, its model and
// its own files are. Threads: the main one, before the model is opened. Owner: nothing is kept.
#pragma once

#include "cli/model_options.h"
#include "serve/serve.h"

LQ_MUST_CHECK int lq_cli_sandbox(struct lq_cli_model *model, const struct lq_serve_options *serve,
                                 struct lq_error *err);
