// The tensors of a run. For a GPU each exists twice: in memory that the processor writes to, and in
// the GPU's own at a fixed address, which CUDA graphs require: a recorded graph always reads the
// addresses it was recorded with. Copies are made before and after a run.
// Source: microsoft/onnxruntime issues 20050 and 22583 (every run returns the first picture's
// results).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/onnxruntime_model.h"

#define ort lq_ort

enum { TO_GPU = 1, FROM_GPU = 2 }; // cudaMemcpyKind

struct lq_ort_slot {
    struct lq_ort_model *model;
    struct lq_ort_binding *binding;
    struct lq_ort_run_options *how;
    struct lq_tensors tensors;
    struct lq_ort_value *host[2 * LQ_TENSORS_MAX]; // inputs, then outputs
    struct lq_ort_value *gpu[2 * LQ_TENSORS_MAX];
    void *gpu_data[2 * LQ_TENSORS_MAX];
};

static struct lq_tensor *tensor_at(struct lq_ort_slot *slot, int index)
{
    int inputs = slot->tensors.input_count;
    return index < inputs ? &slot->tensors.inputs[index] : &slot->tensors.outputs[index - inputs];
}

// Allocates a tensor's memory and binds it.
static struct lq_ort_status *bind(struct lq_ort_slot *slot, int index)
{
    const struct lq_ort_model *model = slot->model;
    struct lq_tensor *tensor = tensor_at(slot, index);
    int element = lq_ort_elements[tensor->type];
    struct lq_ort_status *code = ort.create_tensor(model->host, tensor->dims, (size_t)tensor->rank,
                                                   element, &slot->host[index]);
    if (!code)
        code = ort.tensor_data(slot->host[index], &tensor->data);
    if (!code && model->gpu)
        code = ort.create_tensor(model->gpu, tensor->dims, (size_t)tensor->rank, element,
                                 &slot->gpu[index]);
    if (!code && model->gpu)
        code = ort.tensor_data(slot->gpu[index], &slot->gpu_data[index]);
    const struct lq_ort_value *bound = model->gpu ? slot->gpu[index] : slot->host[index];
    if (code)
        return code;
    return index < slot->tensors.input_count ? ort.bind_input(slot->binding, tensor->name, bound)
                                             : ort.bind_output(slot->binding, tensor->name, bound);
}

static int bind_inputs(struct lq_ort_slot *slot, int batch, struct lq_error *err)
{
    const struct lq_ort_model *model = slot->model;
    for (int i = 0; i < slot->tensors.input_count; i++) {
        struct lq_tensor *tensor = &slot->tensors.inputs[i];
        if (i == 0 && model->rank > 0) {
            tensor->rank = model->rank;
            memcpy(tensor->dims, model->shape, sizeof tensor->dims);
        }
        if (tensor->dims[0] < 0 || (i == 0 && batch > 1))
            tensor->dims[0] = batch;
        if (tensor->type == LQ_TENSOR_OTHER || lq_tensor_bytes(tensor) == 0)
            return lq_fail(err, LQ_ERR_MODEL, "cannot run the model: the size of its input "
                           "'%.60s' is open", tensor->name);
        struct lq_ort_status *code = bind(slot, i);
        if (code)
            return lq_ort_fail(err, LQ_ERR_ENGINE, code, "bind", tensor->name);
        memset(tensor->data, 0, lq_tensor_bytes(tensor));
    }
    return LQ_OK;
}

// ---- running

static int copy_all(struct lq_ort_slot *slot, int from, int to, int kind, struct lq_error *err)
{
    for (int i = from; i < to && slot->model->gpu; i++) {
        struct lq_tensor *tensor = tensor_at(slot, i);
        void *target = kind == TO_GPU ? slot->gpu_data[i] : tensor->data;
        const void *source = kind == TO_GPU ? tensor->data : slot->gpu_data[i];
        int result = lq_ort_cuda_copy(target, source, lq_tensor_bytes(tensor), kind);
        if (result != 0)
            return lq_fail(err, LQ_ERR_ENGINE, "cannot copy to or from the GPU: CUDA error %d",
                           result);
    }
    return LQ_OK;
}

static int run_bound(struct lq_ort_slot *slot, struct lq_error *err)
{
    return lq_ort_check(err, LQ_ERR_ENGINE,
                        ort.run_bound(slot->model->session, slot->how, slot->binding), "run",
                        "the model");
}

int lq_ort_slot_run(struct lq_ort_slot *slot, struct lq_error *err)
{
    int inputs = slot->tensors.input_count, all = inputs + slot->tensors.output_count;
    int status = copy_all(slot, 0, inputs, TO_GPU, err);
    if (status == LQ_OK)
        status = run_bound(slot, err);
    return status == LQ_OK ? copy_all(slot, inputs, all, FROM_GPU, err) : status;
}

// ---- outputs: their sizes are known after a first run

static struct lq_ort_status *bind_outputs_to_cpu(struct lq_ort_slot *slot)
{
    struct lq_ort_memory *memory = NULL;
    struct lq_ort_status *code = ort.create_memory("Cpu", LQ_ORT_ALLOCATE_DEVICE, 0,
                                                   LQ_ORT_MEMORY_DEFAULT, &memory);
    for (int i = 0; i < slot->tensors.output_count && !code; i++)
        code = ort.bind_output_to(slot->binding, slot->tensors.outputs[i].name, memory);
    if (memory)
        ort.free_memory(memory);
    return code;
}

static struct lq_ort_status *read_sizes(struct lq_ort_slot *slot)
{
    struct lq_ort_allocator *allocator = NULL;
    struct lq_ort_value **values = NULL;
    size_t count = 0;
    struct lq_ort_status *code = ort.default_allocator(&allocator);
    if (!code)
        code = ort.bound_values(slot->binding, allocator, &values, &count);
    for (size_t i = 0; values && i < count; i++) {
        struct lq_ort_shape *shape = NULL;
        if (!code)
            code = ort.value_shape(values[i], &shape);
        if (!code && i < (size_t)slot->tensors.output_count)
            code = lq_ort_describe(shape, &slot->tensors.outputs[i]);
        if (shape)
            ort.free_shape(shape);
        ort.free_value(values[i]);
    }
    if (values) {
        struct lq_ort_status *freed = ort.allocator_free(allocator, values);
        if (freed)
            ort.free_status(freed);
    }
    return code;
}

static int bind_outputs(struct lq_ort_slot *slot, struct lq_error *err)
{
    struct lq_ort_status *code = bind_outputs_to_cpu(slot);
    if (code)
        return lq_ort_fail(err, LQ_ERR_ENGINE, code, "bind", "outputs");
    int status = copy_all(slot, 0, slot->tensors.input_count, TO_GPU, err);
    if (status == LQ_OK)
        status = run_bound(slot, err);
    if (status != LQ_OK)
        return status;
    code = read_sizes(slot);
    for (int i = 0; i < slot->tensors.output_count && !code; i++) {
        const struct lq_tensor *tensor = &slot->tensors.outputs[i];
        if (tensor->type == LQ_TENSOR_OTHER || tensor->rank < 0 || lq_tensor_bytes(tensor) == 0)
            return lq_fail(err, LQ_ERR_MODEL, "cannot run the model: its output '%.60s' is empty "
                           "or of an unsupported type", tensor->name);
        code = bind(slot, slot->tensors.input_count + i);
    }
    return lq_ort_check(err, LQ_ERR_ENGINE, code, "bind", "outputs");
}

// One CUDA graph per batch size, with the size as its id.
static struct lq_ort_status *set_run(struct lq_ort_slot *slot, int batch, bool recording)
{
    char number[12];
    if (slot->how)
        ort.free_run_options(slot->how);
    slot->how = NULL;
    struct lq_ort_status *code = ort.create_run_options(&slot->how);
    snprintf(number, sizeof number, "%d", recording ? batch : -1); // -1: no graph
    if (!code && slot->model->graphs)
        code = ort.add_run_config(slot->how, "gpu_graph_id", number);
    return code;
}

int lq_ort_slot_new(struct lq_ort_slot **out, struct lq_ort_model *model, int batch,
                    struct lq_error *err)
{
    *out = NULL;
    struct lq_ort_slot *slot = calloc(1, sizeof *slot);
    if (!slot)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for an inference request");
    slot->model = model;
    slot->tensors = model->tensors;
    struct lq_ort_status *code = ort.create_binding(model->session, &slot->binding);
    if (!code)
        code = set_run(slot, batch, false);
    int status = lq_ort_check(err, LQ_ERR_ENGINE, code, "start", "an inference request");
    if (status == LQ_OK)
        status = bind_inputs(slot, batch, err);
    if (status == LQ_OK)
        status = bind_outputs(slot, err);
    if (status == LQ_OK)
        status = lq_ort_check(err, LQ_ERR_ENGINE, set_run(slot, batch, true), "start",
                              "an inference request");
    if (status == LQ_OK && model->graphs) // this run records the graph
        status = lq_ort_slot_run(slot, err);
    if (status != LQ_OK) {
        lq_ort_slot_free(slot);
        return status;
    }
    *out = slot;
    return LQ_OK;
}

void lq_ort_slot_free(struct lq_ort_slot *slot)
{
    if (!slot)
        return;
    for (size_t i = 0; i < LQ_COUNT(slot->host); i++) {
        if (slot->host[i])
            ort.free_value(slot->host[i]);
        if (slot->gpu[i])
            ort.free_value(slot->gpu[i]);
    }
    if (slot->binding)
        ort.free_binding(slot->binding);
    if (slot->how)
        ort.free_run_options(slot->how);
    free(slot);
}

const struct lq_tensors *lq_ort_slot_tensors(const struct lq_ort_slot *slot)
{
    return &slot->tensors;
}
