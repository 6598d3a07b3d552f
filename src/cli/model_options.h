// The options for models and engines that several commands share.
// Threads: the main one, before the model is opened. Owner: the command, which also closes a model
// that it opens.
#pragma once

#include "cli/options.h"
#include "model/model.h"

struct lq_cli_model {
    const char *path;                // NULL: the model that ships with Lacquer
    struct lq_model_options options;
    char cache_dir[512];
    bool tune_named;                 // set by --tune
    // The float model that the sidecar of `path` names; "": none. Set by lq_cli_model_find_float.
    char float_path[512];
    // Set by lq_cli_model_check (model_check.h).
    bool tried;       // in a separate process, now or earlier
    bool converted;   // the engine gets the file as converted by lq_convert
    bool ends_engine; // the file crashes the engine: never open it in this process
    bool has_memory;  // … the converted file is in memory, in memory_fd
    int memory_fd;
};

// A part of a command; its input is a struct lq_cli_model set up by lq_cli_model_init.
extern const struct lq_cli_spec lq_cli_model_spec;

void lq_cli_model_init(struct lq_cli_model *model);

// The folder for compiled models, created if needed; NULL if caching is off or it is not writable.
const char *lq_cli_model_cache(struct lq_cli_model *model);

// Whether onnxruntime may find an NVIDIA GPU here: the driver's device file exists.
bool lq_cli_model_on_nvidia(const struct lq_cli_model *config);

// Finds the float file that an int8 model was made from, if its sidecar names one and the file can
// be read. Such a network exists in two files, like the one that ships with Lacquer. A faulty
// sidecar is not reported here but when the model is opened.
void lq_cli_model_find_float(struct lq_cli_model *model);

// The model that ships with Lacquer, in the precision for the device it will run on.
const char *lq_cli_model_own(const struct lq_cli_model *config);

// Opens the model that `config` names, after lq_cli_model_check.
LQ_MUST_CHECK int lq_cli_model_open(struct lq_cli_model *config, struct lq_model **model,
                                    struct lq_error *err);

// The same without the check: used inside the check and after it.
LQ_MUST_CHECK int lq_cli_model_open_tried(struct lq_cli_model *config, struct lq_model **model,
                                          struct lq_error *err);
