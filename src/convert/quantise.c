#include "convert/quantise.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "convert/calibrate.h"
#include "convert/onnx_tidy.h"
#include "convert/quantise_job.h"

// Pictures that errors are measured on; of one layer alone on fewer: there are many layers, and
// each tensor has many numbers.
enum { CHECKED = 8, CHECKED_ALONE = 3 };

static void tell(const struct quantise_job *job, const char *what, int done, int of)
{
    if (job->options->step)
        job->options->step(job->options->context, what, done, of);
}

// ---- one try

// The tidy model with the plan's layers quantised.
static int build(struct quantise_job *job, const struct lq_quantise_way *way, struct lq_onnx *made,
                 struct lq_error *err)
{
    int status = lq_onnx_copy(made, &job->tidy, err);
    return status == LQ_OK ? lq_quantise_write(made, &job->plan, way, err) : status;
}

static int measure(struct quantise_job *job, const struct lq_quantise_way *way, int count,
                   double *noise, struct lq_error *err)
{
    struct lq_onnx made;
    int status = build(job, way, &made, err);
    if (status == LQ_OK)
        status = lq_reference_compare(job->reference, &made, count, NULL, noise, err);
    lq_onnx_free(&made);
    return status;
}

static int measure_painted(struct quantise_job *job, double *iou, struct lq_error *err)
{
    char path[512];
    struct lq_onnx made = {0};
    *iou = NAN;
    if (!job->options->painted)
        return LQ_OK;
    snprintf(path, sizeof path, "%.400s/painted.onnx", job->options->folder);
    int status = build(job, &job->way, &made, err);
    if (status == LQ_OK)
        status = lq_onnx_write(&made, job->out, err);
    lq_onnx_free(&made);
    if (status == LQ_OK)
        status = lq_file_write(path, job->out->data, job->out->len, err);
    if (status == LQ_OK)
        status = job->options->painted(job->options->context, path, iou, err);
    unlink(path);
    return status;
}

// ---- ranges

// Each rule with corrected biases, and the best again without.
static int choose_way(struct quantise_job *job, struct lq_error *err)
{
    double best = INFINITY;
    int status = LQ_OK;
    for (int i = 0; i <= LQ_RANGE_RULES && status == LQ_OK; i++) {
        struct lq_quantise_way way = {.rule = (enum lq_range_rule)i, .correct_biases = true};
        double noise;
        if (i == LQ_RANGE_RULES)
            way = (struct lq_quantise_way){job->way.rule, false};
        status = measure(job, &way, CHECKED, &noise, err);
        tell(job, "ranges", i + 1, LQ_RANGE_RULES + 1);
        if (status != LQ_OK)
            break;
        job->tried[i] = noise;
        if (i == 0 || noise < best) {
            best = noise;
            job->way = way;
        }
    }
    job->noise = job->noise_all = best;
    return status;
}

// ---- layers left in float

static double share_in_float(const struct lq_plan *plan)
{
    double all = 0, kept = 0;
    for (int i = 0; i < plan->layer_count; i++) {
        all += plan->layers[i].macs;
        kept += plan->layers[i].quantised ? 0 : plan->layers[i].macs;
    }
    return all > 0 ? kept / all : 0;
}

// What each layer costs when it is the only one.
static int measure_alone(struct quantise_job *job, struct lq_error *err)
{
    struct lq_plan *plan = &job->plan;
    bool *were = calloc((size_t)plan->layer_count + 1, sizeof *were);
    if (!were)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for '%.100s'", job->name);
    int status = LQ_OK;
    for (int i = 0; i < plan->layer_count; i++) {
        were[i] = plan->layers[i].quantised;
        plan->layers[i].quantised = false;
    }
    for (int i = 0; i < plan->layer_count && status == LQ_OK; i++) {
        tell(job, "layers", i + 1, plan->layer_count);
        if (!were[i])
            continue;
        plan->layers[i].quantised = true;
        status = measure(job, &job->way, CHECKED_ALONE, &plan->layers[i].alone, err);
        plan->layers[i].quantised = false;
    }
    for (int i = 0; i < plan->layer_count; i++)
        plan->layers[i].quantised = were[i];
    free(were);
    return status;
}

// The layer that costs most for what it saves; -1: none is left.
static int worst_layer(const struct lq_plan *plan, double room, double total)
{
    int worst = -1;
    double most = 0;
    for (int i = 0; i < plan->layer_count; i++) {
        const struct lq_layer *layer = &plan->layers[i];
        if (!layer->quantised || !(layer->alone > 0) || layer->macs > room)
            continue;
        double cost = layer->alone / (layer->macs / total + 0.005);
        if (cost > most) {
            most = cost;
            worst = i;
        }
    }
    return worst;
}

static double total_macs(const struct lq_plan *plan)
{
    double total = 1;
    for (int i = 0; i < plan->layer_count; i++)
        total += plan->layers[i].macs;
    return total;
}

static bool is_good(const struct quantise_job *job)
{
    bool told = !isnan(job->iou);
    return told ? job->iou >= job->options->iou_min : job->noise <= job->options->noise_max;
}

// Leaves the next few in float: a fifth of what is still to be taken off the noise, one at least.
static bool keep_some(struct quantise_job *job)
{
    double sum = 0, taken = 0, total = total_macs(&job->plan);
    for (int i = 0; i < job->plan.layer_count; i++)
        if (job->plan.layers[i].quantised && job->plan.layers[i].alone > 0)
            sum += job->plan.layers[i].alone;
    bool any = false;
    while (!any || taken < sum / 5) {
        double room = (job->options->float_max - share_in_float(&job->plan)) * total;
        int worst = worst_layer(&job->plan, room, total);
        if (worst < 0)
            return any;
        job->plan.layers[worst].quantised = false;
        taken += job->plan.layers[worst].alone;
        any = true;
    }
    return true;
}

static int keep_sensitive(struct quantise_job *job, struct lq_error *err)
{
    int status = measure_painted(job, &job->iou, err);
    if (status != LQ_OK || is_good(job))
        return status;
    status = measure_alone(job, err);
    while (status == LQ_OK && !is_good(job) && keep_some(job)) {
        status = measure(job, &job->way, CHECKED, &job->noise, err);
        if (status == LQ_OK)
            status = measure_painted(job, &job->iou, err);
    }
    return status;
}

// ---- the whole

static int keep_named(struct quantise_job *job, struct lq_error *err)
{
    for (int i = 0; i < job->options->keep_count; i++)
        if (lq_plan_keep(&job->plan, &job->tidy, job->options->keep[i]) == 0)
            return lq_fail(err, LQ_ERR_ARGUMENT, "'%.100s' has no layer '%.200s' to keep in float; "
                           "the report names them all", job->name, job->options->keep[i]);
    return LQ_OK;
}

static void step_calibration(void *context, int done, int of)
{
    tell(context, "calibration", done, of);
}

static int run(struct quantise_job *job, const struct lq_pictures *pictures, struct lq_error *err)
{
    const char *folder = job->options->folder;
    const struct lq_calibrate_progress progress = {step_calibration, job};
    int status = lq_plan_init(&job->plan, &job->tidy, job->name, err);
    if (status == LQ_OK)
        status = keep_named(job, err);
    if (status == LQ_OK)
        status = lq_calibrate(&job->tidy, &job->plan, pictures, folder, &progress, err);
    if (status == LQ_OK)
        status = lq_reference_open(&job->reference, &job->tidy, pictures, CHECKED, folder, err);
    if (status == LQ_OK)
        status = choose_way(job, err);
    return status == LQ_OK ? keep_sensitive(job, err) : status;
}

static void summarise(const struct quantise_job *job, struct lq_quantise_summary *summary)
{
    *summary = (struct lq_quantise_summary){
        .layers = job->plan.layer_count, .float_share = share_in_float(&job->plan),
        .noise = job->noise, .noise_all = job->noise_all, .iou = job->iou,
        .rule = lq_range_rule_name(job->way.rule), .corrected = job->way.correct_biases};
    for (int i = 0; i < job->plan.layer_count; i++)
        summary->quantised += job->plan.layers[i].quantised;
}

static int finish(struct quantise_job *job, const struct lq_pictures *pictures, json_t **report,
                  struct lq_error *err)
{
    struct lq_onnx made;
    int status = build(job, &job->way, &made, err);
    if (status == LQ_OK)
        status = lq_quantise_report(job, &made, pictures, report, err);
    if (status == LQ_OK)
        status = lq_onnx_write(&made, job->out, err);
    lq_onnx_free(&made);
    return status;
}

// Models beyond this are refused: what is done to a model looks names up one by one.
enum { NODES_MAX = 8192 };

static int read_model(struct lq_onnx *onnx, const struct lq_float_model *model,
                      struct lq_error *err)
{
    int status = lq_onnx_read(onnx, model->bytes, model->len, model->name, err);
    if (status == LQ_OK && onnx->graph->n_node > NODES_MAX)
        status = lq_fail(err, LQ_ERR_MODEL, "'%.150s' has more than %d nodes", model->name,
                         NODES_MAX);
    return status == LQ_OK ? lq_onnx_tidy(onnx, model->name, err) : status;
}

int lq_quantise_check(const struct lq_float_model *model, struct lq_error *err)
{
    struct lq_onnx onnx;
    struct lq_plan plan = {0};
    int status = read_model(&onnx, model, err);
    if (status == LQ_OK)
        status = lq_plan_init(&plan, &onnx, model->name, err);
    lq_plan_release(&plan);
    lq_onnx_free(&onnx);
    return status;
}

int lq_quantise(const struct lq_float_model *model, const struct lq_quantise_options *options,
                const struct lq_pictures *pictures, struct lq_int8_model *made,
                struct lq_error *err)
{
    struct quantise_job job = {.name = model->name, .options = options, .out = &made->bytes,
                               .iou = NAN};
    made->report = NULL;
    int status = read_model(&job.tidy, model, err);
    if (status == LQ_OK)
        status = run(&job, pictures, err);
    if (status == LQ_OK)
        summarise(&job, &made->summary);
    if (status == LQ_OK)
        status = finish(&job, pictures, &made->report, err);
    lq_reference_close(job.reference);
    lq_plan_release(&job.plan);
    lq_onnx_free(&job.tidy);
    return status;
}
