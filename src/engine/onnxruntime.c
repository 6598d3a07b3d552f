// ONNX Runtime in this process: on NVIDIA GPUs with TensorRT or CUDA, and on the processor.
//
// The requested device (--device) is tried first, then those after it in the order TensorRT, CUDA,
// processor (onnxruntime_open.c). On a GPU, requests that arrive at about the same time form one
// run (batcher.h), in slots of one, two, four … pictures that were set up and run once when the
// model was opened. On the processor each request has its own slot and runs on its own, unless
// batching is requested.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/list.h"
#include "engine/onnxruntime_engine.h"
#include "engine/onnxruntime_load.h"

struct lq_request {
    struct lq_engine *engine;
    struct lq_ort_slot *slot; // NULL: run_batch copies the tensors to and from a slot of the engine
    struct lq_tensors tensors;
    void *memory; // … and where they are stored
};

// Process-wide counters for /metrics.
static struct {
    atomic_int device, asked; // of the model opened last
    atomic_ullong frames, runs, late;
} counts;

// ---- requests

static void onnxruntime_request_free(struct lq_request *request)
{
    if (!request)
        return;
    lq_ort_slot_free(request->slot);
    free(request->memory);
    free(request);
}

static int onnxruntime_request_new(struct lq_request **out, struct lq_engine *engine,
                                   struct lq_error *err)
{
    *out = NULL;
    struct lq_request *request = calloc(1, sizeof *request);
    if (!request)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for an inference request");
    request->engine = engine;
    int status;
    if (engine->batcher) {
        request->tensors = *lq_ort_slot_tensors(engine->slots[0]); // the slot for one picture
        status = lq_tensors_place(&request->tensors, &request->memory, err);
    } else {
        status = lq_ort_slot_new(&request->slot, engine->model, 1, err);
        if (status == LQ_ERR_MEMORY)
            lq_fail(err, status, "out of memory for an inference request");
        if (status == LQ_OK)
            request->tensors = *lq_ort_slot_tensors(request->slot);
    }
    if (status != LQ_OK)
        onnxruntime_request_free(request);
    else
        *out = request;
    return status;
}

static const struct lq_tensors *onnxruntime_request_tensors(struct lq_request *request)
{
    return &request->tensors;
}

static void copy_part(const struct lq_tensor *slot, const struct lq_tensor *request, int part,
                      bool in)
{
    size_t bytes = lq_tensor_bytes(request);
    uint8_t *at = (uint8_t *)slot->data + (size_t)part * bytes;
    memcpy(in ? at : request->data, in ? request->data : at, bytes);
}

// Runs in the smallest slot that holds all items; the rest of the slot is ignored.
static int run_batch(void *context, void *const *items, int count, struct lq_error *err)
{
    struct lq_engine *engine = context;
    int index = 0;
    while (1 << index < count)
        index++;
    struct lq_ort_slot *slot = engine->slots[index];
    const struct lq_tensors *tensors = lq_ort_slot_tensors(slot);
    for (int i = 0; i < count; i++) {
        const struct lq_request *request = items[i];
        copy_part(&tensors->inputs[0], &request->tensors.inputs[0], i, true);
    }
    int status = lq_ort_slot_run(slot, err);
    for (int i = 0; i < count && status == LQ_OK; i++) {
        const struct lq_request *request = items[i];
        for (int o = 0; o < tensors->output_count; o++)
            copy_part(&tensors->outputs[o], &request->tensors.outputs[o], i, false);
    }
    atomic_fetch_add(&counts.runs, 1);
    atomic_fetch_add(&counts.frames, (unsigned)count);
    return status;
}

static int onnxruntime_compile(struct lq_engine **engine, struct lq_engine_model *model,
                               const struct lq_engine_options *options, struct lq_error *err)
{
    int status = lq_ort_engine_compile(engine, (const struct lq_ort_file *)model, options,
                                       run_batch, err);
    if (status == LQ_OK) {
        atomic_store(&counts.device, (int)(*engine)->device);
        atomic_store(&counts.asked, (int)options->device);
    }
    return status;
}

static int onnxruntime_run(struct lq_request *request, uint64_t deadline_us, struct lq_error *err)
{
    if (request->slot) {
        atomic_fetch_add(&counts.runs, 1);
        atomic_fetch_add(&counts.frames, 1);
        return lq_ort_slot_run(request->slot, err);
    }
    int status = lq_batcher_run(request->engine->batcher, request, deadline_us, err);
    if (status == LQ_ERR_TIMEOUT)
        atomic_fetch_add(&counts.late, 1);
    return status;
}

// ---- metrics

static int onnxruntime_print_metrics(struct lq_buf *out)
{
    int status = lq_buf_printf(
        out, "# HELP lacquer_onnxruntime_info Where ONNX Runtime computes, and where it was asked "
             "to; always 1.\n# TYPE lacquer_onnxruntime_info gauge\n"
             "lacquer_onnxruntime_info{version=\"%s\",device=\"%s\",asked=\"%s\"} 1\n",
        lq_ort.version, lq_device_name((enum lq_device)atomic_load(&counts.device)),
        lq_device_name((enum lq_device)atomic_load(&counts.asked)));
    const struct {
        const char *name, *help;
        unsigned long long value;
    } rows[] = {
        {"frames", "Pictures that went through the network.", atomic_load(&counts.frames)},
        {"runs", "Runs of the network; one may take several pictures.", atomic_load(&counts.runs)},
        {"late", "Pictures too old when their run began.", atomic_load(&counts.late)}};
    for (size_t i = 0; i < LQ_COUNT(rows) && status == LQ_OK; i++)
        status = lq_buf_printf(out, "# HELP lacquer_onnxruntime_%s_total %s\n"
                                    "# TYPE lacquer_onnxruntime_%s_total counter\n"
                                    "lacquer_onnxruntime_%s_total %llu\n",
                               rows[i].name, rows[i].help, rows[i].name, rows[i].name,
                               rows[i].value);
    return status;
}

static int onnxruntime_probe(const struct lq_engine_parts *parts, struct lq_error *err)
{
    int status = lq_ort_load(err);
    if (status == LQ_OK && parts)
        lq_ort_parts_list(parts->row, parts->context);
    return status;
}

const struct lq_engine_ops lq_engine_onnxruntime = {
    .name = "onnxruntime",
    .summary = "ONNX Runtime: TensorRT or CUDA on NVIDIA GPUs, or the processor (.onnx)",
    .probe = onnxruntime_probe,
    .read = lq_ort_file_read,
    .forget = lq_ort_file_forget,
    .compile = onnxruntime_compile,
    .close = lq_ort_engine_close,
    .request_new = onnxruntime_request_new,
    .request_tensors = onnxruntime_request_tensors,
    .run = onnxruntime_run,
    .request_free = onnxruntime_request_free,
    .print_metrics = onnxruntime_print_metrics,
};
