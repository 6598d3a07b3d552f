#include "convert/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/noise.h"
#include "convert/onnx_runner.h"

// A tensor of the float model for one picture.
struct shot {
    float *numbers;
    struct lq_channels channels;
};

struct lq_reference {
    const struct lq_pictures *pictures;
    const char *folder;
    int picture_count, output_count;
    int *numbers;       // indices of the pictures
    char **names;       // of the outputs
    struct shot *shots; // per picture, one for each output
};

// ---- the float model

struct keeping {
    struct lq_reference *reference;
    int picture;
    bool failed;
};

static void keep(void *context, int index, const struct lq_tensor *tensor)
{
    struct keeping *keeping = context;
    struct lq_reference *reference = keeping->reference;
    if (index >= reference->output_count || !tensor->data || tensor->type != LQ_TENSOR_F32)
        return;
    struct shot *shot = &reference->shots[keeping->picture * reference->output_count + index];
    shot->channels = lq_channels_of(tensor);
    size_t items = shot->channels.items;
    shot->numbers = malloc((items + 1) * sizeof *shot->numbers);
    keeping->failed |= !shot->numbers;
    if (shot->numbers)
        memcpy(shot->numbers, tensor->data, items * sizeof *shot->numbers);
}

static bool same_size(const struct lq_tensor *a, const int64_t *dims, int rank)
{
    return a->rank == rank && memcmp(a->dims, dims, (size_t)rank * sizeof *dims) == 0;
}

static int shoot_all(struct lq_reference *reference, const struct lq_onnx *onnx, int wanted,
                     struct lq_error *err)
{
    const struct lq_pictures *pictures = reference->pictures;
    int step = pictures->count / wanted > 1 ? pictures->count / wanted : 1, status = LQ_OK;
    int rank = 0;
    int64_t dims[LQ_TENSOR_RANK_MAX];
    struct lq_onnx_runner runner;
    struct keeping keeping = {.reference = reference};
    lq_onnx_runner_init(&runner, onnx, reference->folder);
    for (int i = 0; i < pictures->count && status == LQ_OK && keeping.picture < wanted; i += step) {
        const struct lq_tensor *input;
        status = pictures->get(pictures->context, i, &input, err);
        if (status == LQ_OK && rank == 0) {
            rank = input->rank;
            memcpy(dims, input->dims, sizeof dims);
        }
        if (status != LQ_OK || !same_size(input, dims, rank))
            continue;
        status = lq_onnx_runner_run(&runner, input, keep, &keeping, err);
        reference->numbers[keeping.picture++] = i;
    }
    lq_onnx_runner_release(&runner);
    reference->picture_count = keeping.picture;
    if (keeping.failed)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for the float model's outputs");
    return status;
}

static bool name_outputs(struct lq_reference *reference, const struct lq_onnx *onnx)
{
    bool fine = reference->names != NULL;
    for (int i = 0; i < reference->output_count && fine; i++) {
        reference->names[i] = strdup(onnx->graph->output[i]->name);
        fine = reference->names[i] != NULL;
    }
    return fine;
}

int lq_reference_open(struct lq_reference **out, const struct lq_onnx *onnx,
                      const struct lq_pictures *pictures, int count, const char *folder,
                      struct lq_error *err)
{
    size_t outputs = onnx->graph->n_output;
    struct lq_reference *reference = calloc(1, sizeof *reference);
    *out = reference;
    if (reference) {
        *reference = (struct lq_reference){
            .pictures = pictures, .folder = folder, .output_count = (int)outputs,
            .numbers = calloc((size_t)count + 1, sizeof(int)),
            .names = calloc(outputs + 1, sizeof(char *)),
            .shots = calloc((size_t)count * outputs + 1, sizeof(struct shot))};
    }
    if (!reference || !reference->numbers || !reference->shots || !name_outputs(reference, onnx))
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for the float model's outputs");
    return shoot_all(reference, onnx, count, err);
}

void lq_reference_close(struct lq_reference *reference)
{
    if (!reference)
        return;
    for (int i = 0; reference->shots && i < reference->picture_count * reference->output_count; i++)
        free(reference->shots[i].numbers);
    for (int i = 0; reference->names && i < reference->output_count; i++)
        free(reference->names[i]);
    free(reference->shots);
    free(reference->names);
    free(reference->numbers);
    free(reference);
}

// ---- another model beside it

struct comparing {
    const struct lq_reference *reference;
    struct lq_output_error *errors;
    struct lq_noise_sums **sums; // by output, then channel
};

static void compare(void *context, int picture, int index, const struct lq_tensor *tensor)
{
    struct comparing *all = context;
    const struct lq_reference *reference = all->reference;
    if (index >= reference->output_count || !tensor->data || tensor->type != LQ_TENSOR_F32)
        return;
    const struct shot *shot = &reference->shots[picture * reference->output_count + index];
    if (!shot->numbers || !all->sums[index] || lq_tensor_count(tensor) != shot->channels.items)
        return;
    double most = lq_noise_add(all->sums[index], &shot->channels, shot->numbers, tensor->data);
    if (!(most <= all->errors[index].max_abs))
        all->errors[index].max_abs = most;
}

struct running {
    lq_reference_row *row;
    void *context;
    int picture;
};

static void pass_on(void *context, int index, const struct lq_tensor *tensor)
{
    const struct running *running = context;
    running->row(running->context, running->picture, index, tensor);
}

int lq_reference_run(const struct lq_reference *reference, const struct lq_onnx *onnx, int count,
                     lq_reference_row *row, void *context, struct lq_error *err)
{
    struct lq_onnx_runner runner;
    struct running running = {row, context, 0};
    lq_onnx_runner_init(&runner, onnx, reference->folder);
    int status = LQ_OK;
    for (int i = 0; i < reference->picture_count && i < count && status == LQ_OK; i++) {
        const struct lq_tensor *input;
        status = reference->pictures->get(reference->pictures->context, reference->numbers[i],
                                          &input, err);
        running.picture = i;
        if (status == LQ_OK)
            status = lq_onnx_runner_run(&runner, input, pass_on, &running, err);
    }
    lq_onnx_runner_release(&runner);
    return status;
}

int lq_reference_compare(const struct lq_reference *reference, const struct lq_onnx *onnx,
                         int count, struct lq_output_error *errors, double *noise,
                         struct lq_error *err)
{
    int outputs = reference->output_count;
    struct lq_output_error *own = calloc((size_t)outputs + 1, sizeof *own);
    struct comparing all = {.reference = reference, .errors = own,
                            .sums = calloc((size_t)outputs + 1, sizeof *all.sums)};
    bool fine = own && all.sums;
    for (int i = 0; i < outputs && fine; i++) {
        size_t channels = reference->shots[i].channels.count;
        all.sums[i] = calloc(channels + 1, sizeof **all.sums);
        fine = all.sums[i] != NULL;
    }
    int status = fine ? lq_reference_run(reference, onnx, count, compare, &all, err)
                      : lq_fail(err, LQ_ERR_MEMORY, "out of memory for the comparison");
    *noise = 0;
    int counted = 0;
    for (int i = 0; i < outputs && status == LQ_OK; i++) {
        if (!reference->shots[i].numbers)
            continue;
        own[i].noise = lq_noise_of(all.sums[i], reference->shots[i].channels.count);
        *noise += own[i].noise;
        counted++;
    }
    *noise = isfinite(*noise) && counted ? *noise / counted : INFINITY;
    if (errors && status == LQ_OK)
        memcpy(errors, own, (size_t)outputs * sizeof *own);
    for (int i = 0; all.sums && i < outputs; i++)
        free(all.sums[i]);
    free(all.sums);
    free(own);
    return status;
}

int lq_reference_outputs(const struct lq_reference *reference)
{
    return reference->output_count;
}

const char *lq_reference_name(const struct lq_reference *reference, int output)
{
    return reference->names[output];
}
