// Compiles a model for onnxruntime.c: sets the wanted size in the file's bytes and opens a session
// on the first device that is usable and computes test pictures like the processor.
#include "engine/onnxruntime_engine.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/log.h"
#include "engine/onnxruntime_check.h"
#include "engine/onnxruntime_load.h"
#include "format/onnx_shape.h"

enum { GPU_BATCH = 8, BATCH_WAIT_US = 2000 };

// f16 and int8 arithmetic differ from the processor's output by less than this; a wrong output
// differs by more.
static const double gpu_distance_max = 0.1, batch_distance_max = 0.02;

// A model while it is being compiled.
struct opening {
    const struct lq_ort_file *file;
    const char *name;             // for messages
    struct lq_buf shaped, batched; // with the wanted input size; with any batch size
    struct lq_ort_session_options how;
    const struct lq_engine_options *options;
    lq_batch_run *run_batch;
    struct lq_gpu gpu;
    struct lq_ort_model *reference; // on the processor
    struct lq_ort_slot *references[LQ_ORT_PICTURES]; // its outputs for the test pictures
};

static void release(struct opening *opening)
{
    for (int i = 0; i < LQ_ORT_PICTURES; i++)
        lq_ort_slot_free(opening->references[i]);
    lq_ort_model_close(opening->reference);
    lq_buf_release(&opening->shaped);
    lq_buf_release(&opening->batched);
    free(opening);
}

// Sets the requested input size, or the file's own, in the model's bytes.
static int settle_shape(struct opening *opening, struct lq_error *err)
{
    const struct lq_engine_options *options = opening->options;
    const struct lq_ort_file *file = opening->file;
    struct lq_ort_session_options *how = &opening->how;
    const struct lq_tensor *input = &file->model.tensors.inputs[0];
    bool requested = options->shape_rank > 0;
    how->input = input->name;
    how->rank = requested ? options->shape_rank : input->rank;
    memcpy(how->shape, requested ? options->shape : input->dims, sizeof how->shape);
    for (int i = 0; i < how->rank; i++)
        if (how->shape[i] < 0)
            return lq_fail(err, LQ_ERR_MODEL, "cannot run model '%.100s': the size of its input is "
                           "open", opening->name);
    if (!requested)
        return lq_buf_append(&opening->shaped, file->bytes.data, file->bytes.len);
    return lq_onnx_bind_shape(file->bytes.data, file->bytes.len, how->shape, how->rank,
                             &opening->shaped, err);
}

// ---- trying a device

void lq_ort_engine_close(struct lq_engine *engine)
{
    if (!engine)
        return;
    lq_batcher_free(engine->batcher);
    for (int i = 0; i < engine->slot_count; i++)
        lq_ort_slot_free(engine->slots[i]);
    lq_ort_model_close(engine->model);
    free(engine);
}

// Computes the reference outputs on the processor.
static int open_reference(struct opening *opening, struct lq_error *err)
{
    if (opening->reference)
        return LQ_OK;
    struct lq_ort_session_options how = opening->how;
    how.device = LQ_DEVICE_CPU;
    how.graphs = false;
    how.batch_max = 1;
    how.threads = lq_cpu_count();
    int status = lq_ort_model_open(&opening->reference, &opening->shaped, &how, err);
    for (int i = 0; i < LQ_ORT_PICTURES && status == LQ_OK; i++) {
        status = lq_ort_slot_new(&opening->references[i], opening->reference, 1, err);
        if (status != LQ_OK)
            break;
        lq_ort_draw(lq_ort_slot_tensors(opening->references[i]), 0, 1, i);
        status = lq_ort_slot_run(opening->references[i], err);
    }
    return status;
}

// A batch that was run on the device under test.
struct batch {
    const struct lq_tensors *tensors;
    int parts;           // pictures in it
    double distance_max; // of a part's outputs from the processor's (lq_ort_distance)
};

// The output must be close to the reference for this picture, and much closer than to the one for
// the other picture.
static int check_part(const struct opening *opening, const struct batch *batch, int part,
                      int picture, struct lq_error *err)
{
    double found[LQ_ORT_PICTURES], distance_max = batch->distance_max;
    for (int i = 0; i < LQ_ORT_PICTURES; i++)
        found[i] = lq_ort_distance(batch->tensors, part, batch->parts,
                                   lq_ort_slot_tensors(opening->references[i]));
    double own = found[picture], other = found[1 - picture];
    double apart = lq_ort_distance(lq_ort_slot_tensors(opening->references[picture]), 0, 1,
                                   lq_ort_slot_tensors(opening->references[1 - picture]));
    // Some networks compute the same output for both pictures.
    if (own <= distance_max && (own < other / 2 || apart < distance_max / 10))
        return LQ_OK;
    return lq_fail(err, LQ_ERR_ENGINE, "in a batch of %d its output is %.3g away from the "
                   "processor's (and %.3g away from that for another picture)",
                   batch->parts, own, other);
}

// Runs each test picture in each part of the slot and checks the outputs.
static int check_slot(struct opening *opening, struct lq_ort_slot *slot, int parts,
                      double distance_max, struct lq_error *err)
{
    const struct batch batch = {lq_ort_slot_tensors(slot), parts, distance_max};
    int status = LQ_OK;
    for (int first = 0; first < LQ_ORT_PICTURES && status == LQ_OK; first++) {
        for (int part = 0; part < parts; part++)
            lq_ort_draw(batch.tensors, part, parts, (first + part) % LQ_ORT_PICTURES);
        status = lq_ort_slot_run(slot, err);
        for (int part = 0; part < parts && status == LQ_OK; part++)
            status = check_part(opening, &batch, part, (first + part) % LQ_ORT_PICTURES, err);
    }
    return status;
}

// Slots for 1, 2, 4 … pictures, up to the largest batch.
_Static_assert(1 << (LQ_ORT_SLOTS_MAX - 1) == LQ_BATCH_MAX, "a slot for each size of batch");

static int open_slots(struct opening *opening, struct lq_engine *engine, int batch_max,
                      struct lq_error *err)
{
    bool gpu = engine->device != LQ_DEVICE_CPU;
    int status = open_reference(opening, err);
    for (int batch = 1; batch <= batch_max && status == LQ_OK; batch *= 2) {
        struct lq_ort_slot **slot = &engine->slots[engine->slot_count];
        status = lq_ort_slot_new(slot, engine->model, batch, err);
        if (status == LQ_OK) {
            engine->slot_count++;
            status = check_slot(opening, *slot, batch, gpu ? gpu_distance_max : batch_distance_max,
                                err);
        }
    }
    return status;
}

static int make_batcher(struct opening *opening, struct lq_engine *engine, struct lq_error *err)
{
    int wait_us = opening->options->batch_wait_us;
    return lq_batcher_new(&engine->batcher, 1 << (engine->slot_count - 1),
                          wait_us > 0 ? wait_us : BATCH_WAIT_US, opening->run_batch, engine, err);
}

// A graph may work only in the size that it was exported in: a first run shows it.
static int try_size(const struct opening *opening, struct lq_engine *engine, struct lq_error *err)
{
    const int64_t *shape = opening->how.shape;
    struct lq_ort_slot *slot = NULL;
    struct lq_error why = {0};
    int status = lq_ort_slot_new(&slot, engine->model, 1, &why);
    lq_ort_slot_free(slot);
    if (status == LQ_OK)
        return LQ_OK;
    if (status != LQ_ERR_ENGINE || opening->how.rank != 4)
        return lq_fail(err, status, "%s", why.text);
    return lq_fail(err, LQ_ERR_MODEL,
                   "cannot run model '%.100s' on a tensor of %lldx%lldx%lldx%lld: "
                   "%.400s; \"sizes\" in its sidecar may name the one that it was exported in",
                   opening->name, (long long)shape[0], (long long)shape[1], (long long)shape[2],
                   (long long)shape[3], why.text);
}

// Opens a session on one device and checks it. batch_max 0: no batching, on the processor.
static int open_session(struct lq_engine **out, struct opening *opening, enum lq_device device,
                        bool graphs, int batch_max, struct lq_error *err)
{
    struct lq_ort_session_options how = opening->how;
    const struct lq_buf *bytes = &opening->shaped;
    int status = LQ_OK;
    if (batch_max > 1) {
        int64_t any_batch[LQ_TENSOR_RANK_MAX];
        memcpy(any_batch, how.shape, sizeof any_batch);
        any_batch[0] = -1;
        lq_buf_clear(&opening->batched);
        status = lq_onnx_bind_shape(opening->file->bytes.data, opening->file->bytes.len,
                                    any_batch, how.rank, &opening->batched, err);
        bytes = &opening->batched;
    }
    struct lq_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", opening->name);
    engine->device = how.device = device;
    how.graphs = graphs;
    how.batch_max = batch_max;
    if (device == LQ_DEVICE_CPU) {
        int threads = opening->options->threads;
        threads = threads > 0 ? threads : lq_cpu_count();
        how.threads = opening->options->tune == LQ_TUNE_THROUGHPUT ? 1 : threads;
    }
    if (status == LQ_OK)
        status = lq_ort_model_open(&engine->model, bytes, &how, err);
    if (status == LQ_OK)
        status = batch_max > 0 ? open_slots(opening, engine, batch_max, err)
                               : try_size(opening, engine, err);
    if (status == LQ_OK && batch_max > 0)
        status = make_batcher(opening, engine, err);
    if (status != LQ_OK) {
        lq_ort_engine_close(engine);
        return status;
    }
    *out = engine;
    return LQ_OK;
}

// A graph may fail with a batch even if its file can be changed to declare one.
static int open_batched(struct lq_engine **out, struct opening *opening, enum lq_device device,
                        bool graphs, int batch_max, struct lq_error *err)
{
    bool several = batch_max > 1 && opening->how.rank > 1 && opening->how.shape[0] == 1;
    struct lq_error why = {0};
    if (several && open_session(out, opening, device, graphs, batch_max, &why) == LQ_OK)
        return LQ_OK;
    if (several)
        lq_log_debug("'%.100s' is run one picture at a time: %s", opening->name, why.text);
    return open_session(out, opening, device, graphs, device == LQ_DEVICE_CPU ? 0 : 1, err);
}

static int open_gpu(struct lq_engine **out, struct opening *opening, enum lq_device device,
                    struct lq_error *err)
{
    int requested = opening->options->batch_max, batch_max = requested > 0 ? requested : GPU_BATCH;
    struct lq_error why = {0};
    int status = lq_ort_parts_load(device, &opening->gpu, err);
    if (status != LQ_OK)
        return status;
    if (open_batched(out, opening, device, true, batch_max, &why) == LQ_OK)
        return LQ_OK;
    lq_log_debug("without CUDA graphs: %s", why.text);
    return open_batched(out, opening, device, false, batch_max, err);
}

// ---- opening

// Logs once per device, not once per input size.
static void log_fallback(enum lq_device requested, enum lq_device next, const char *reason)
{
    static atomic_uint logged;
    if (!(atomic_fetch_or(&logged, 1u << requested) & 1u << requested))
        lq_log_warn("%.300s; computing on %s instead", reason,
                    next == LQ_DEVICE_CPU ? "the processor" : "the GPU by CUDA alone");
}

static int open_somewhere(struct lq_engine **out, struct opening *opening, struct lq_error *err)
{
    static const enum lq_device gpus[] = {LQ_DEVICE_TENSORRT, LQ_DEVICE_CUDA};
    enum lq_device requested = opening->options->device;
    int from = requested == LQ_DEVICE_CPU ? 2 : requested == LQ_DEVICE_CUDA ? 1 : 0;
    struct lq_error first = {0}, why = {0};
    for (int i = from; i < 2; i++) {
        int status = open_gpu(out, opening, gpus[i], i == from ? &first : &why);
        if (status == LQ_OK && i > from && requested != LQ_DEVICE_AUTO)
            log_fallback(requested, gpus[i], first.text);
        if (status == LQ_OK)
            return LQ_OK;
        lq_log_debug("%s", i == from ? first.text : why.text);
    }
    int status = open_batched(out, opening, LQ_DEVICE_CPU, false, opening->options->batch_max, err);
    if (status == LQ_OK && requested != LQ_DEVICE_AUTO && requested != LQ_DEVICE_CPU)
        log_fallback(requested, LQ_DEVICE_CPU, first.text);
    return status;
}

static void log_opened(struct lq_engine *engine, const struct opening *opening)
{
    if (engine->device == LQ_DEVICE_CPU) {
        lq_log_debug("'%.100s' in ONNX Runtime %s on the processor", opening->name, lq_ort.version);
        return;
    }
    snprintf(engine->gpu, sizeof engine->gpu, "%s", opening->gpu.name);
    lq_log_info("'%.100s' in ONNX Runtime %s, %s on %s, up to %d pictures at once", opening->name,
                lq_ort.version, lq_device_name(engine->device), engine->gpu,
                1 << (engine->slot_count - 1));
}

int lq_ort_engine_compile(struct lq_engine **out, const struct lq_ort_file *file,
                          const struct lq_engine_options *options, lq_batch_run *run_batch,
                          struct lq_error *err)
{
    *out = NULL;
    if (options->precision == LQ_PRECISION_BF16)
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "ONNX Runtime does not compute in bf16");
    struct opening *opening = calloc(1, sizeof *opening);
    if (!opening)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", file->model.name);
    opening->file = file;
    opening->name = file->model.name;
    opening->options = options;
    opening->run_batch = run_batch;
    opening->how = lq_ort_file_session(file);
    opening->how.gpu = &opening->gpu;
    opening->how.cache_dir = options->cache_dir;
    lq_buf_init(&opening->shaped, LQ_ORT_FILE_BYTES_MAX);
    lq_buf_init(&opening->batched, LQ_ORT_FILE_BYTES_MAX);
    int status = settle_shape(opening, err);
    if (status == LQ_OK)
        status = open_somewhere(out, opening, err);
    if (status == LQ_OK)
        log_opened(*out, opening);
    release(opening);
    return status;
}
