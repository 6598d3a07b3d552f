#include "cli/tune_trial.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cpu.h"
#include "base/limits.h"
#include "cli/tune_masks.h"
#include "cli/tune_times.h"

enum { TRIAL_MS_MAX = 300 * 1000 };

const char *lq_tune_path(const struct lq_cli_model *config,
                         const struct lq_tune_candidate *candidate)
{
    if (candidate->floats)
        return config->path ? config->float_path : lq_model_float_path();
    return config->path ? config->path : lq_model_default_path();
}

// Compiled models are not stored: those of the losing candidates would only fill the cache.
static int open_candidate(const struct lq_tune_trial *trial, enum lq_tune tune,
                          struct lq_model **model, struct lq_error *err)
{
    struct lq_cli_model config = *trial->config;
    config.path = lq_tune_path(trial->config, &trial->candidate);
    config.options.precision = trial->candidate.precision;
    config.options.tune = tune;
    config.options.no_landmarks = true;
    config.options.cache_dir = NULL;
    if (trial->candidate.floats)
        config.converted = false; // this was determined for the other file
    if (config.has_memory) // opening it closes it
        config.memory_fd = dup(config.memory_fd);
    return lq_cli_model_open_tried(&config, model, err);
}

// A model that does not support this precision would run in f32, with a warning that nobody reads
// here.
static int check_precision(const struct lq_tune_trial *trial, const struct lq_model *model,
                           struct lq_error *err)
{
    if (lq_model_info(model)->precision == trial->candidate.precision)
        return LQ_OK;
    return lq_fail(err, LQ_ERR_UNAVAILABLE, "this processor cannot compute it in %s",
                   lq_precision_name(trial->candidate.precision));
}

static int judge_masks(struct lq_tune_trial *trial, const struct lq_model *model,
                       struct lq_error *err)
{
    if (trial->masks == LQ_TUNE_MASKS_WRITE) {
        int status = lq_tune_masks_write(model, trial->pictures, trial->masks_fd, err);
        if (status != LQ_OK)
            return status;
    }
    if (trial->masks == LQ_TUNE_MASKS_NONE)
        return LQ_OK;
    struct lq_tune_reference references[] = {{.fd = trial->masks_fd}, {.fd = trial->float_fd}};
    int status = lq_tune_masks_compare(model, trial->pictures, references, 2, err);
    trial->iou = references[0].iou;
    trial->iou_float = references[1].iou;
    return status;
}

static int try_side_by_side(struct lq_tune_trial *trial, struct lq_error *err)
{
    struct lq_model *model = NULL;
    int status = open_candidate(trial, LQ_TUNE_THROUGHPUT, &model, err);
    if (status == LQ_OK)
        status = check_precision(trial, model, err);
    if (status == LQ_OK)
        status = judge_masks(trial, model, err);
    if (status == LQ_OK)
        status = lq_tune_time_one(model, &trial->times.one_ms, err);
    if (status == LQ_OK)
        status = lq_tune_time_side(model, lq_cpu_count(), &trial->times.side_fps, err);
    lq_model_close(model);
    return status;
}

static int try_alone(struct lq_tune_trial *trial, struct lq_error *err)
{
    struct lq_model *model = NULL;
    int status = open_candidate(trial, LQ_TUNE_LATENCY, &model, err);
    if (status == LQ_OK)
        status = lq_tune_time_all(model, &trial->times.all_ms, err);
    lq_model_close(model);
    return status;
}

static int try_candidate(void *data, struct lq_error *err)
{
    struct lq_tune_trial *trial = data;
    int status = trial->enter ? trial->enter(trial->context, err) : LQ_OK;
    if (status != LQ_OK)
        return status;
    prctl(PR_SET_PDEATHSIG, SIGKILL); // again, because a change of user clears it
    lq_tune_candidate_cap(&trial->candidate);
    status = try_side_by_side(trial, err);
    trial->times.all_ms = trial->times.one_ms;
    if (status == LQ_OK && lq_cpu_count() > 1)
        status = try_alone(trial, err);
    return status;
}

int lq_tune_trial_run(struct lq_tune_trial *trial, struct lq_error *err)
{
    return lq_child_run(try_candidate, trial, sizeof *trial, TRIAL_MS_MAX, err);
}
