#include "convert/quantise.h"

#include <math.h>

#include "convert/calibrate.h"
#include "convert/onnx_tidy.h"
#include "convert/quantise_job.h"
#include "convert/quantise_sensitive.h"
#include "convert/quantise_try.h"

// ---- ranges

// Tries each rule with corrected biases, and the best one again without correction.
static int choose_way(struct quantise_job *job, struct lq_error *err)
{
    double best = INFINITY;
    int status = LQ_OK;
    for (int i = 0; i <= LQ_RANGE_RULES && status == LQ_OK; i++) {
        struct lq_quantise_way way = {.rule = (enum lq_range_rule)i, .correct_biases = true};
        double noise;
        if (i == LQ_RANGE_RULES)
            way = (struct lq_quantise_way){job->way.rule, false};
        status = lq_quantise_measure(job, &way, LQ_QUANTISE_CHECKED, &noise, err);
        lq_quantise_progress(job, "ranges", i + 1, LQ_RANGE_RULES + 1);
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
    lq_quantise_progress(context, "calibration", done, of);
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
        status = lq_reference_open(&job->reference, &job->tidy, pictures, LQ_QUANTISE_CHECKED,
                                   folder, err);
    if (status == LQ_OK)
        status = choose_way(job, err);
    return status == LQ_OK ? lq_quantise_keep(job, err) : status;
}

static double macs_in_float(const struct lq_plan *plan)
{
    double all = 0, kept = 0;
    for (int i = 0; i < plan->layer_count; i++) {
        all += plan->layers[i].macs;
        kept += plan->layers[i].quantised ? 0 : plan->layers[i].macs;
    }
    return all > 0 ? kept / all : 0;
}

static void summarise(const struct quantise_job *job, struct lq_quantise_summary *summary)
{
    *summary = (struct lq_quantise_summary){
        .layers = job->plan.layer_count, .float_share = macs_in_float(&job->plan),
        .noise = job->noise, .noise_all = job->noise_all, .iou = job->iou,
        .rule = lq_range_rule_name(job->way.rule), .corrected = job->way.correct_biases};
    for (int i = 0; i < job->plan.layer_count; i++)
        summary->quantised += job->plan.layers[i].quantised;
}

static int finish(struct quantise_job *job, const struct lq_pictures *pictures, json_t **report,
                  struct lq_error *err)
{
    struct lq_onnx made;
    int status = lq_quantise_build(job, &job->way, &made, err);
    if (status == LQ_OK && job->options->report)
        status = lq_quantise_report(job, &made, pictures, report, err);
    if (status == LQ_OK)
        status = lq_onnx_write(&made, job->out, err);
    lq_onnx_free(&made);
    return status;
}

// Larger models are rejected, because names are searched linearly.
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
