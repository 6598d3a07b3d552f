#include "convert/quantise_job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 2 }; // pictures; the outputs of all layers are in memory at once

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null(); // JSON has neither NaN nor infinity
}

static json_t *text(const char *name)
{
    json_t *made = json_string(name);
    return made ? made : json_string("(a name that is no UTF-8)");
}

static int show(struct lq_onnx *shown, const struct quantise_job *job, const struct lq_onnx *from,
                struct lq_error *err)
{
    int status = lq_onnx_copy(shown, from, err);
    for (int i = 0; i < job->plan.layer_count && status == LQ_OK; i++)
        lq_onnx_add_output(shown, job->plan.layers[i].name);
    return status;
}

// Measures the errors of all outputs and layers, in the order of `reference`.
static int compare(const struct quantise_job *job, const struct lq_onnx *made,
                   const struct lq_pictures *pictures, struct lq_reference **reference,
                   struct lq_output_error **errors, struct lq_error *err)
{
    struct lq_onnx whole = {0}, small = {0};
    double noise;
    int status = show(&whole, job, &job->tidy, err);
    if (status == LQ_OK)
        status = show(&small, job, made, err);
    if (status == LQ_OK)
        status = lq_reference_open(reference, &whole, pictures, SHOWN, job->options->folder, err);
    if (status == LQ_OK) {
        *errors = calloc((size_t)lq_reference_outputs(*reference) + 1, sizeof **errors);
        status = *errors ? lq_reference_compare(*reference, &small, SHOWN, *errors, &noise, err)
                         : lq_fail(err, LQ_ERR_MEMORY, "out of memory for the report");
    }
    lq_onnx_free(&whole);
    lq_onnx_free(&small);
    return status;
}

static const struct lq_output_error *error_of(const struct lq_reference *reference,
                                              const struct lq_output_error *errors,
                                              const char *name)
{
    static const struct lq_output_error none = {NAN, NAN};
    for (int i = 0; i < lq_reference_outputs(reference); i++)
        if (strcmp(lq_reference_name(reference, i), name) == 0)
            return &errors[i];
    return &none;
}

static json_t *layer_rows(const struct quantise_job *job, const struct lq_reference *reference,
                          const struct lq_output_error *errors)
{
    json_t *rows = json_array();
    for (int i = 0; i < job->plan.layer_count; i++) {
        const struct lq_layer *layer = &job->plan.layers[i];
        const struct lq_output_error *error = error_of(reference, errors, layer->name);
        json_t *row = json_pack(
            "{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", text(layer->name), "op", layer->op,
            "arithmetic", layer->quantised ? "int8" : "float", "macs", number(layer->macs), "noise",
            number(error->noise), "max_abs", number(error->max_abs), "noise_own",
            number(layer->own), "noise_alone", number(layer->alone));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *output_rows(const struct quantise_job *job, const struct lq_reference *reference,
                           const struct lq_output_error *errors)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < job->tidy.graph->n_output; i++) {
        const char *name = job->tidy.graph->output[i]->name;
        const struct lq_output_error *error = error_of(reference, errors, name);
        json_array_append_new(rows, json_pack("{s:o, s:o, s:o}", "name", text(name), "noise",
                                              number(error->noise), "max_abs",
                                              number(error->max_abs)));
    }
    return rows;
}

static json_t *tried_rows(const struct quantise_job *job)
{
    json_t *rows = json_object();
    for (int i = 0; i < LQ_RANGE_RULES; i++)
        json_object_set_new(rows, lq_range_rule_name((enum lq_range_rule)i),
                            number(job->tried[i]));
    json_object_set_new(rows, "best_without_corrected_biases", number(job->tried[LQ_RANGE_RULES]));
    return rows;
}

int lq_quantise_report(const struct quantise_job *job, const struct lq_onnx *made,
                       const struct lq_pictures *pictures, json_t **report, struct lq_error *err)
{
    struct lq_reference *reference = NULL;
    struct lq_output_error *errors = NULL;
    int status = compare(job, made, pictures, &reference, &errors, err);
    if (status == LQ_OK) {
        *report = json_pack("{s:i, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "pictures",
                            pictures->count, "ranges", lq_range_rule_name(job->way.rule),
                            "biases_corrected", job->way.correct_biases, "tried", tried_rows(job),
                            "noise", number(job->noise), "noise_all_int8", number(job->noise_all),
                            "painted_iou", number(job->iou), "outputs",
                            output_rows(job, reference, errors), "layers",
                            layer_rows(job, reference, errors));
        if (!*report)
            status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for the report");
    }
    free(errors);
    lq_reference_close(reference);
    return status;
}
