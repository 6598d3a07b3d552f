#include "convert/quantise_try.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

void lq_quantise_progress(const struct quantise_job *job, const char *what, int done, int of)
{
    if (job->options->step)
        job->options->step(job->options->context, what, done, of);
}

int lq_quantise_build(struct quantise_job *job, const struct lq_quantise_way *way,
                      struct lq_onnx *made, struct lq_error *err)
{
    int status = lq_onnx_copy(made, &job->tidy, err);
    return status == LQ_OK ? lq_quantise_write(made, &job->plan, way, err) : status;
}

int lq_quantise_measure(struct quantise_job *job, const struct lq_quantise_way *way, int count,
                        double *noise, struct lq_error *err)
{
    struct lq_onnx made;
    int status = lq_quantise_build(job, way, &made, err);
    if (status == LQ_OK)
        status = lq_reference_compare(job->reference, &made, count, NULL, noise, err);
    lq_onnx_free(&made);
    return status;
}

int lq_quantise_painted(struct quantise_job *job, double *iou, struct lq_error *err)
{
    char path[512];
    struct lq_onnx made = {0};
    *iou = NAN;
    if (!job->options->painted)
        return LQ_OK;
    snprintf(path, sizeof path, "%.400s/painted.onnx", job->options->folder);
    int status = lq_quantise_build(job, &job->way, &made, err);
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
