// The options about models and engines that several commands share, as an argp child.
// Threads: the main one, before the model is opened. Owner: the command; a model that is opened is
// its to close.
#pragma once

#include <argp.h>

#include "cli/number.h"
#include "model/model.h"

struct lq_cli_model {
    const char *path;                // NULL: the model that comes with Lacquer
    struct lq_model_options options;
    char cache_dir[512];
    bool tune_named;                 // by --tune
    // The float model that the sidecar of `path` names; "": none. Set by lq_cli_model_find_float.
    char float_path[512];
    // Set by lq_cli_model_check (model_check.h).
    bool tried;       // in a process of its own, now or before
    bool converted;   // the engine is given what lq_convert makes of the file
    bool ends_engine; // the engine ends the process over it: never to be opened here
    bool has_memory;  // … there is a file in memory for what is made of it
    int memory_fd;
};

// A child parser; its input is a struct lq_cli_model set up by lq_cli_model_init.
extern const struct argp lq_cli_model_argp;

void lq_cli_model_init(struct lq_cli_model *model);

// The folder for compiled models, made if need be; NULL when none is wanted or it cannot be
// written.
const char *lq_cli_model_cache(struct lq_cli_model *model);

// Whether onnxruntime may find an NVIDIA GPU here: a driver's device is there.
bool lq_cli_model_on_nvidia(const struct lq_cli_model *asked);

// Finds the file that an int8 model was made from, where its sidecar names one and it can be read:
// the same network in two files, as Lacquer's own is. What is wrong with a sidecar is told later.
void lq_cli_model_find_float(struct lq_cli_model *model);

// The model that comes with Lacquer, in the arithmetic for where it is to run.
const char *lq_cli_model_own(const struct lq_cli_model *asked);

// Opens what the options ask for, once lq_cli_model_check finds nothing against it.
LQ_MUST_CHECK int lq_cli_model_open(struct lq_cli_model *asked, struct lq_model **model,
                                    struct lq_error *err);

// The same without a check: for where it runs, and within it.
LQ_MUST_CHECK int lq_cli_model_open_tried(struct lq_cli_model *asked, struct lq_model **model,
                                          struct lq_error *err);
