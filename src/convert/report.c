#include "convert/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "convert/tflite_edges.h"
#include "engine/f16.h"
#include "engine/dump.h"

enum {
    POINTS_AT_ONCE = 64,             // tensors compared in one run: limits the memory it needs
    INPUT_ITEMS_MAX = 64 * 1000000,
};

struct gap {
    bool seen;
    double max_abs, sum_abs, largest;
    int64_t items;
};

struct comparison {
    const struct lq_tflite *model;
    const struct lq_convert_exposed *exposed;
    // The source's tensors of this run, as real numbers.
    float **kept;
    size_t *kept_items;
    struct gap *gaps;
};

// ---- inputs

static enum lq_tensor_type tensor_type(int type)
{
    switch (type) {
    case LQ_TFLITE_F32:
        return LQ_TENSOR_F32;
    case LQ_TFLITE_I32:
        return LQ_TENSOR_I32;
    case LQ_TFLITE_I64:
        return LQ_TENSOR_I64;
    case LQ_TFLITE_U8:
        return LQ_TENSOR_U8;
    case LQ_TFLITE_I8:
        return LQ_TENSOR_I8;
    case LQ_TFLITE_I16:
        return LQ_TENSOR_I16;
    case LQ_TFLITE_BOOL:
        return LQ_TENSOR_BOOL;
    default:
        return LQ_TENSOR_OTHER;
    }
}

// A reproducible random number (xorshift32; Marsaglia 2003).
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void fill(struct lq_tensor *tensor, uint32_t *seed)
{
    size_t items = lq_tensor_count(tensor);
    for (size_t i = 0; i < items; i++) {
        uint32_t number = next_random(seed) >> 8;
        if (tensor->type == LQ_TENSOR_F32)
            ((float *)tensor->data)[i] = (float)number / 16777216.0f; // 0..1, like pixels
        else if (tensor->type == LQ_TENSOR_I32)
            ((int32_t *)tensor->data)[i] = (int32_t)(number & 1);
        else if (tensor->type == LQ_TENSOR_I64)
            ((int64_t *)tensor->data)[i] = (int64_t)(number & 1);
        else if (tensor->type == LQ_TENSOR_I16)
            ((int16_t *)tensor->data)[i] = (int16_t)(number & 0xffff);
        else
            ((uint8_t *)tensor->data)[i] =
                (uint8_t)(tensor->type == LQ_TENSOR_BOOL ? number & 1 : number);
    }
}

static int make_input(const struct lq_tflite_tensor *about, struct lq_tensor *tensor,
                      uint32_t *seed, struct lq_error *err)
{
    *tensor = (struct lq_tensor){.type = tensor_type(about->type), .rank = about->rank};
    bool fine = tensor->type != LQ_TENSOR_OTHER && about->rank <= LQ_TENSOR_RANK_MAX;
    for (int i = 0; fine && i < about->rank; i++)
        tensor->dims[i] = about->dims[i] < 0 ? (i == 0 ? 1 : 64) : about->dims[i];
    int64_t items = 1;
    for (int i = 0; fine && i < about->rank; i++)
        fine = !__builtin_mul_overflow(items, tensor->dims[i], &items) && items > 0 &&
               items <= INPUT_ITEMS_MAX;
    if (!fine)
        return lq_fail(err, LQ_ERR_MODEL, "cannot make up numbers for input '%.80s'", about->name);
    tensor->data = malloc(lq_tensor_bytes(tensor));
    if (!tensor->data)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for the comparison's inputs");
    fill(tensor, seed);
    return LQ_OK;
}

static void free_inputs(struct lq_tensor *inputs, int count)
{
    for (int i = 0; inputs && i < count; i++)
        free(inputs[i].data);
    free(inputs);
}

// Transposes inputs to NCHW if the result needs that.
static int transpose_inputs(const struct lq_tflite *model, struct lq_tensor *inputs,
                            struct lq_error *err)
{
    for (int i = 0; i < model->inputs.count; i++) {
        struct lq_tensor *tensor = &inputs[i];
        size_t item = lq_tensor_bytes(tensor) / lq_tensor_count(tensor);
        if (!lq_tflite_channels_last(model, lq_flat_int(model->inputs, i)))
            continue;
        uint8_t *from = tensor->data, *to = malloc(lq_tensor_bytes(tensor)), *at = to;
        if (!to)
            return lq_fail(err, LQ_ERR_MEMORY, "out of memory for the comparison's inputs");
        size_t n = (size_t)tensor->dims[0], c = (size_t)tensor->dims[3];
        size_t area = (size_t)tensor->dims[1] * (size_t)tensor->dims[2];
        for (size_t image = 0; image < n; image++)
            for (size_t k = 0; k < c; k++)
                for (size_t p = 0; p < area; p++, at += item)
                    memcpy(at, from + ((image * area + p) * c + k) * item, item);
        free(from);
        tensor->data = to;
        int64_t dims[4] = {tensor->dims[0], tensor->dims[3], tensor->dims[1], tensor->dims[2]};
        memcpy(tensor->dims, dims, sizeof dims);
    }
    return LQ_OK;
}

// ---- real numbers

static double number_at(const struct lq_tensor *tensor, size_t i)
{
    float single;
    switch (tensor->type) {
    case LQ_TENSOR_F32:
        return (double)((const float *)tensor->data)[i];
    case LQ_TENSOR_F16:
        lq_f16_to_f32(&single, (const uint16_t *)tensor->data + i, 1);
        return (double)single;
    case LQ_TENSOR_U8:
        return ((const uint8_t *)tensor->data)[i];
    case LQ_TENSOR_BOOL:
        return ((const uint8_t *)tensor->data)[i] != 0;
    case LQ_TENSOR_I8:
        return ((const int8_t *)tensor->data)[i];
    case LQ_TENSOR_I16:
        return ((const int16_t *)tensor->data)[i];
    case LQ_TENSOR_I32:
        return ((const int32_t *)tensor->data)[i];
    default:
        return (double)((const int64_t *)tensor->data)[i];
    }
}

// Keeps the source's tensor of a point when the engine returns it.
static void keep(void *context, int index, const struct lq_tensor *output)
{
    struct comparison *all = context;
    size_t items = output->data ? lq_tensor_count(output) : 0;
    if (index >= all->exposed->count || items == 0)
        return;
    const struct lq_tflite_tensor *about = &all->model->tensors[all->exposed->points[index].tensor];
    bool stored = output->type != LQ_TENSOR_F32 && about->scale_count == 1;
    double scale = stored ? (double)lq_tflite_scale(about, 0) : 1;
    double zero = stored ? (double)lq_tflite_zero(about, 0) : 0;
    all->kept[index] = malloc(items * sizeof(float));
    for (size_t i = 0; all->kept[index] && i < items; i++)
        all->kept[index][i] = (float)((number_at(output, i) - zero) * scale);
    all->kept_items[index] = all->kept[index] ? items : 0;
}

// Compares a tensor of the result with the source's, whose axes may be in another order.
static void compare_point(const struct lq_convert_point *point, const struct lq_tensor *output,
                          const float *source, size_t source_items, struct gap *gap)
{
    size_t items = lq_tensor_count(output), step[LQ_TENSOR_RANK_MAX], stride = 1;
    if (items != source_items || output->rank != point->rank)
        return;
    int64_t plain[LQ_TENSOR_RANK_MAX], count[LQ_TENSOR_RANK_MAX] = {0};
    for (int i = 0; i < point->rank; i++)
        plain[point->axis[i]] = output->dims[i];
    for (int axis = point->rank - 1; axis >= 0; axis--) {
        for (int i = 0; i < point->rank; i++)
            if (point->axis[i] == axis)
                step[i] = stride;
        stride *= (size_t)plain[axis];
    }
    double scale = point->quantised ? point->scale : 1, zero = point->quantised ? point->zero : 0;
    size_t at = 0;
    for (size_t i = 0; i < items; i++) {
        double want = (double)source[at], got = (number_at(output, i) - zero) * scale;
        double apart = isfinite(want) || isfinite(got) ? fabs(got - want) : 0;
        gap->max_abs = apart > gap->max_abs || isnan(apart) ? apart : gap->max_abs;
        gap->sum_abs += apart;
        gap->largest = fabs(want) > gap->largest ? fabs(want) : gap->largest;
        for (int d = point->rank - 1; d >= 0; d--) {
            at += step[d];
            if (++count[d] < output->dims[d])
                break;
            at -= step[d] * (size_t)count[d];
            count[d] = 0;
        }
    }
    gap->items = (int64_t)items;
    gap->seen = true;
}

static void compare(void *context, int index, const struct lq_tensor *output)
{
    struct comparison *all = context;
    for (int p = 0; output->data && p < all->exposed->count; p++)
        if (all->exposed->points[p].output == index && all->kept[p])
            compare_point(&all->exposed->points[p], output, all->kept[p], all->kept_items[p],
                          &all->gaps[p]);
}

// ---- files for the engine

// Writes the source with the points as its outputs: appends a vector to the file and points the
// graph's offset to it.
static int write_source(struct lq_buf *file, const struct lq_tflite *model,
                        const struct lq_convert_exposed *exposed, const char *path,
                        struct lq_error *err)
{
    uint32_t count = (uint32_t)exposed->count;
    lq_buf_clear(file);
    int status = lq_buf_append(file, model->data, model->len);
    static const uint8_t nothing[4];
    if (status == LQ_OK)
        status = lq_buf_append(file, nothing, (4 - file->len % 4) % 4);
    uint32_t offset = (uint32_t)(file->len - model->outputs_at);
    if (status == LQ_OK)
        status = lq_buf_append(file, &count, 4);
    for (int i = 0; status == LQ_OK && i < exposed->count; i++)
        status = lq_buf_append(file, &exposed->points[i].tensor, 4);
    if (status != LQ_OK)
        return lq_fail(err, status, "out of memory for the comparison");
    memcpy(file->data + model->outputs_at, &offset, 4);
    return lq_file_write(path, file->data, file->len, err);
}

struct place {
    char source[96], result[96];
};

static void find_place(struct place *place, const char *folder)
{
    snprintf(place->source, sizeof place->source, "%s/source.tflite", folder);
    snprintf(place->result, sizeof place->result, "%s/result.onnx", folder);
}

void lq_convert_report_sweep(const char *folder)
{
    struct place place;
    find_place(&place, folder);
    unlink(place.source);
    unlink(place.result);
    rmdir(folder);
}

// ---- one run

struct job {
    const struct lq_conversion *conversion;
    struct lq_convert_options options; // the conversion's; inner tensors are exposed
    struct lq_tflite model;
    struct place place;
    struct lq_buf file;
    struct lq_tensor *inputs, *transposed; // for the source, for the result
    json_t *outputs, *intermediates;
};

static bool is_output(const struct lq_tflite *model, int tensor)
{
    for (int i = 0; i < model->outputs.count; i++)
        if (lq_flat_int(model->outputs, i) == tensor)
            return true;
    return false;
}

static json_t *finite_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null(); // JSON has no infinity
}

static json_t *name_text(const char *name)
{
    json_t *text = json_string(name);
    return text ? text : json_string("(a name that is no UTF-8)");
}

static void add_rows(struct job *job, const struct comparison *all)
{
    for (int p = 0; p < all->exposed->count; p++) {
        const struct gap *gap = &all->gaps[p];
        const struct lq_convert_point *point = &all->exposed->points[p];
        if (!gap->seen)
            continue;
        double relative = gap->largest > 0 ? gap->max_abs / gap->largest : gap->max_abs;
        json_t *row = json_pack("{s:o, s:o, s:o, s:o}", "name", name_text(point->name), "max_abs",
                                finite_number(gap->max_abs), "max_rel", finite_number(relative),
                                "mean_abs", finite_number(gap->sum_abs / (double)gap->items));
        json_array_append_new(is_output(&job->model, point->tensor) ? job->outputs
                                                                    : job->intermediates, row);
    }
}

static int run_once(struct job *job, struct lq_convert_exposed *exposed, struct lq_error *err)
{
    struct lq_convert_summary summary;
    job->options.exposed = exposed;
    int status = lq_convert(job->conversion->source, job->conversion->len, &job->options,
                            &job->file, &summary, err);
    if (status == LQ_OK)
        status = lq_file_write(job->place.result, job->file.data, job->file.len, err);
    if (status == LQ_OK)
        status = write_source(&job->file, &job->model, exposed, job->place.source, err);
    if (status != LQ_OK)
        return status;
    size_t points = (size_t)exposed->count + 1;
    struct comparison all = {.model = &job->model, .exposed = exposed,
                             .kept = calloc(points, sizeof *all.kept),
                             .kept_items = calloc(points, sizeof *all.kept_items),
                             .gaps = calloc(points, sizeof *all.gaps)};
    int inputs = job->model.inputs.count;
    if (!all.kept || !all.kept_items || !all.gaps)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for the comparison");
    if (status == LQ_OK)
        status = lq_dump_run(job->place.source, job->inputs, inputs, keep, &all, err);
    if (status == LQ_OK)
        status = lq_dump_run(job->place.result, job->transposed, inputs, compare, &all, err);
    if (status == LQ_OK)
        add_rows(job, &all);
    for (int i = 0; all.kept && i < exposed->count; i++)
        free(all.kept[i]);
    free(all.kept);
    free(all.kept_items);
    free(all.gaps);
    return status;
}

static int make_inputs(struct job *job, struct lq_error *err)
{
    int count = job->model.inputs.count, status = LQ_OK;
    job->inputs = calloc((size_t)count + 1, sizeof *job->inputs);
    job->transposed = calloc((size_t)count + 1, sizeof *job->transposed);
    if (!job->inputs || !job->transposed)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for the comparison");
    for (int pass = 0; pass < 2 && status == LQ_OK; pass++) {
        uint32_t seed = 2463534242u;
        for (int i = 0; i < count && status == LQ_OK; i++)
            status = make_input(&job->model.tensors[lq_flat_int(job->model.inputs, i)],
                                pass ? &job->transposed[i] : &job->inputs[i], &seed, err);
    }
    if (status == LQ_OK && job->options.channels_first)
        status = transpose_inputs(&job->model, job->transposed, err);
    return status;
}

static int run_all(struct job *job, struct lq_error *err)
{
    int total = 1;
    job->options.expose_count = POINTS_AT_ONCE;
    for (int from = 0; from < total; from += POINTS_AT_ONCE) {
        struct lq_convert_exposed exposed = {0};
        job->options.expose_from = from;
        int status = run_once(job, &exposed, err);
        total = exposed.total;
        free(exposed.points);
        if (status != LQ_OK)
            return status;
    }
    return LQ_OK;
}

int lq_convert_report(const struct lq_conversion *conversion, const char *folder, json_t **report,
                      struct lq_error *err)
{
    *report = NULL;
    const struct lq_convert_summary *summary = conversion->summary;
    struct job job = {.conversion = conversion, .options = *conversion->options};
    int status = lq_tflite_read(&job.model, conversion->source, conversion->len, err);
    if (status != LQ_OK)
        return status;
    lq_buf_init(&job.file, INT32_MAX);
    job.outputs = json_array();
    job.intermediates = json_array();
    find_place(&job.place, folder);
    status = make_inputs(&job, err);
    if (status == LQ_OK)
        status = run_all(&job, err);
    if (status == LQ_OK)
        *report = json_pack("{s:i, s:i, s:i, s:i, s:{s:I, s:I}, s:O, s:O}", "operators",
                            summary->operators, "nodes", summary->nodes, "transposes",
                            summary->transposes, "transposes_inner", summary->transposes_inner,
                            "bytes", "source", (json_int_t)conversion->len, "result",
                            (json_int_t)summary->bytes,
                            "outputs", job.outputs, "intermediates", job.intermediates);
    free_inputs(job.inputs, job.model.inputs.count);
    free_inputs(job.transposed, job.model.inputs.count);
    json_decref(job.outputs);
    json_decref(job.intermediates);
    lq_buf_release(&job.file);
    lq_tflite_release(&job.model);
    return status;
}
