// OpenVINO on this machine's processor, through its C interface (openvino_load.h). One core serves
// the whole process; compiled models are stored (openvino_cache.h).
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/log.h"
#include "engine/list.h"
#include "engine/openvino_cache.h"
#include "engine/openvino_read.h"

#define ov lq_openvino

// Compiling for another input size changes the graph, so every compilation needs a fresh one. The
// first uses the graph that read() made (for a large model reading takes as long as compiling);
// later ones read the file again.
struct openvino_model {
    struct lq_engine_model model;
    _Atomic(ov_model_t *) graph; // NULL: already used
};

struct lq_engine {
    ov_compiled_model_t *compiled;
};

struct lq_request {
    ov_infer_request_t *infer;
    ov_tensor_t *held[2 * LQ_TENSORS_MAX]; // keep the memory behind tensors alive
    int held_count;
    struct lq_tensors tensors;
};

// ---- descriptions

static enum lq_tensor_type type_of(ov_element_type_e type)
{
    switch (type) {
    case F32:
        return LQ_TENSOR_F32;
    case F16:
        return LQ_TENSOR_F16;
    case U8:
        return LQ_TENSOR_U8;
    case I8:
        return LQ_TENSOR_I8;
    case I32:
        return LQ_TENSOR_I32;
    case I64:
        return LQ_TENSOR_I64;
    default:
        return LQ_TENSOR_OTHER;
    }
}

// Frees the port.
static int describe_port(ov_output_const_port_t *port, struct lq_tensor *tensor)
{
    *tensor = (struct lq_tensor){.type = LQ_TENSOR_OTHER};
    char *name = NULL;
    if (ov.port_get_any_name(port, &name) == OK && name) {
        snprintf(tensor->name, sizeof tensor->name, "%s", name);
        ov.free(name);
    }
    ov_element_type_e type;
    if (ov.port_get_element_type(port, &type) == OK)
        tensor->type = type_of(type);
    ov_partial_shape_t shape = {0};
    int status = LQ_OK;
    if (ov.port_get_partial_shape(port, &shape) != OK || shape.rank.min != shape.rank.max ||
        shape.rank.max > LQ_TENSOR_RANK_MAX) {
        status = LQ_ERR_MODEL;
    } else {
        tensor->rank = (int)shape.rank.max;
        for (int i = 0; i < tensor->rank; i++)
            tensor->dims[i] = shape.dims[i].min == shape.dims[i].max ? shape.dims[i].min : -1;
    }
    ov.partial_shape_free(&shape);
    ov.output_const_port_free(port);
    return status;
}

static int describe_graph(const ov_model_t *graph, const char *name, struct lq_tensors *tensors,
                          struct lq_error *err)
{
    size_t inputs = 0, outputs = 0;
    ov.model_inputs_size(graph, &inputs);
    ov.model_outputs_size(graph, &outputs);
    if (inputs > LQ_TENSORS_MAX || outputs > LQ_TENSORS_MAX)
        return lq_fail(err, LQ_ERR_MODEL, "'%.100s' has %zu inputs and %zu outputs: more than %d",
                       name, inputs, outputs, LQ_TENSORS_MAX);
    *tensors = (struct lq_tensors){.input_count = (int)inputs, .output_count = (int)outputs};
    for (size_t i = 0; i < inputs + outputs; i++) {
        ov_output_const_port_t *port = NULL;
        bool in = i < inputs;
        ov_status_e code = in ? ov.model_const_input_by_index(graph, i, &port)
                              : ov.model_const_output_by_index(graph, i - inputs, &port);
        if (code != OK)
            return lq_openvino_fail(err, LQ_ERR_MODEL, code, "describe", name);
        if (describe_port(port, in ? &tensors->inputs[i] : &tensors->outputs[i - inputs]))
            return lq_fail(err, LQ_ERR_MODEL,
                           "'%.100s' has a tensor of unknown or too many dimensions", name);
    }
    return LQ_OK;
}

static int read_graph(ov_model_t **graph, const struct lq_engine_model *model,
                      struct lq_error *err)
{
    const char *name = model->name;
    int status = lq_openvino_load(err);
    if (status != LQ_OK)
        return status;
    if (access(model->path, R_OK) != 0)
        return lq_fail(err, LQ_ERR_MODEL, "cannot open model '%.150s': %s", name,
                       strerror(errno));
    ov_status_e code = lq_openvino_read(model->path, graph);
    if (code == OK)
        return LQ_OK;
    lq_openvino_fail(err, LQ_ERR_MODEL, code, "read model", name);
    // No OpenVINO reader recognised the file: report that in our own words.
    if (err && strstr(err->text, "Unable to read the model"))
        lq_fail(err, LQ_ERR_MODEL,
                "'%.150s' is no model, or a damaged one: .onnx, .tflite and .xml are read", name);
    return LQ_ERR_MODEL;
}

static void openvino_forget(struct lq_engine_model *model)
{
    struct openvino_model *own = (struct openvino_model *)model;
    if (!own)
        return;
    ov_model_t *graph = atomic_exchange(&own->graph, NULL);
    if (graph)
        ov.model_free(graph);
    lq_engine_model_release(&own->model);
    free(own);
}

static int openvino_read(struct lq_engine_model **out, const struct lq_engine_source *source,
                         struct lq_error *err)
{
    *out = NULL;
    ov_model_t *graph = NULL;
    struct openvino_model *own = calloc(1, sizeof *own);
    if (!own)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", source->path);
    int status = lq_engine_model_init(&own->model, source, err);
    if (status == LQ_OK)
        status = read_graph(&graph, &own->model, err);
    atomic_init(&own->graph, graph);
    if (status == LQ_OK)
        status = describe_graph(graph, own->model.name, &own->model.tensors, err);
    if (status != LQ_OK)
        openvino_forget(&own->model);
    else
        *out = &own->model;
    return status;
}

// ---- compiling

static int reshape(ov_model_t *model, const char *path, const struct lq_engine_options *options,
                   struct lq_error *err)
{
    if (options->shape_rank == 0)
        return LQ_OK;
    ov_partial_shape_t shape;
    ov_status_e code = ov.partial_shape_create_static(options->shape_rank, options->shape, &shape);
    if (code == OK) {
        size_t port = 0;
        code = ov.model_reshape_by_port_indexes(model, &port, &shape, 1);
        ov.partial_shape_free(&shape);
    }
    return code == OK ? LQ_OK : lq_openvino_fail(err, LQ_ERR_MODEL, code, "reshape model", path);
}

// Sets threads per request and concurrent requests for the processor.
static ov_status_e compile_cpu(ov_compiled_model_t **compiled, const ov_model_t *model,
                               const char *folder, const struct lq_engine_options *options)
{
    bool half = options->precision == LQ_PRECISION_BF16 || options->precision == LQ_PRECISION_F16;
    const char *precision = lq_precision_name(half ? options->precision : LQ_PRECISION_F32);
    bool latency = options->tune == LQ_TUNE_LATENCY;
    int cores = lq_cpu_count();
    int threads = options->threads > 0 ? options->threads : cores;
    // If OpenVINO may use the whole machine, leave the choice to it (0): it puts one thread on a
    // core and avoids slow cores.
    if (latency && options->threads == 0 && cores == sysconf(_SC_NPROCESSORS_ONLN))
        threads = 0;
    char threads_text[16], streams_text[16];
    snprintf(threads_text, sizeof threads_text, "%d", threads);
    // Throughput: one stream per core, so that no request waits for another's threads.
    snprintf(streams_text, sizeof streams_text, "%d", latency ? 1 : threads);
    const ov_property_t properties[] = {
        {"PERFORMANCE_HINT", latency ? "LATENCY" : "THROUGHPUT"},
        {"NUM_STREAMS", streams_text},
        {"INFERENCE_NUM_THREADS", threads_text},
        {"INFERENCE_PRECISION_HINT", precision},
        // Decoding and painting share the cores: the scheduler places threads better than pinning.
        {"ENABLE_CPU_PINNING", "NO"},
        {"CACHE_DIR", folder},
    };
    return ov.core_compile_model_props(ov.core, model, "CPU",
                                       LQ_COUNT(properties) - (*folder ? 0 : 1), properties,
                                       compiled);
}

// On an Intel GPU, in its fastest precision.
static ov_status_e compile_gpu(ov_compiled_model_t **compiled, const ov_model_t *model,
                               const char *folder, const struct lq_engine_options *options)
{
    const ov_property_t properties[] = {
        {"PERFORMANCE_HINT", options->tune == LQ_TUNE_LATENCY ? "LATENCY" : "THROUGHPUT"},
        {"CACHE_DIR", folder},
    };
    return ov.core_compile_model_props(ov.core, model, "GPU",
                                       LQ_COUNT(properties) - (*folder ? 0 : 1), properties,
                                       compiled);
}

static ov_status_e compile(ov_compiled_model_t **compiled, const ov_model_t *model,
                           const char *name, bool gpu, const struct lq_engine_options *options)
{
    ov_status_e (*compile_on)(ov_compiled_model_t **, const ov_model_t *, const char *,
                              const struct lq_engine_options *) = gpu ? compile_gpu : compile_cpu;
    char kind[16], folder[4096];
    // A folder per kind, as both may be compiled at the same time.
    snprintf(kind, sizeof kind, "%s%s", gpu ? "gpu"
                                        : options->precision == LQ_PRECISION_BF16 ? "bf16" : "f32",
             options->tune == LQ_TUNE_LATENCY ? "" : "-side");
    lq_openvino_cache_open(folder, sizeof folder, options->cache_dir, name, kind);
    ov_status_e code = compile_on(compiled, model, folder, options);
    if (code == OK) {
        lq_openvino_cache_seal(folder);
    } else if (folder[0]) {
        // The cache itself may be the cause: a full disk, a missing permission.
        code = compile_on(compiled, model, "", options);
        if (code == OK)
            lq_log_warn("a compiled model could not be kept in '%s'", folder);
    }
    return code;
}

// Logs once, not once per input size.
static void log_no_gpu(ov_status_e code, const char *name)
{
    static atomic_flag logged = ATOMIC_FLAG_INIT;
    struct lq_error why;
    if (!atomic_flag_test_and_set(&logged)) {
        lq_openvino_fail(&why, LQ_ERR_UNAVAILABLE, code, "compile on an Intel GPU", name);
        lq_log_warn("%.250s; computing on the processor instead; `tools/setup_gpu.sh intel` brings "
                    "what it takes", why.text);
    }
}

// Compiles for the requested device, or for the processor if that is not available.
static ov_status_e compile_somewhere(ov_compiled_model_t **compiled, const ov_model_t *model,
                                     const char *name, const struct lq_engine_options *options)
{
    if (options->device == LQ_DEVICE_GPU) {
        ov_status_e code = compile(compiled, model, name, true, options);
        if (code == OK)
            return OK;
        log_no_gpu(code, name);
    }
    return compile(compiled, model, name, false, options);
}

static void openvino_close(struct lq_engine *engine)
{
    if (!engine)
        return;
    if (engine->compiled)
        ov.compiled_model_free(engine->compiled);
    free(engine);
}

// Not every processor can run every network in bf16: oneDNN has no AMX kernel for an int8
// convolution next to one in bf16.
static int fail_compile(ov_status_e code, const char *name, enum lq_precision precision,
                        struct lq_error *err)
{
    bool half = precision > LQ_PRECISION_F32;
    const char *what = precision == LQ_PRECISION_BF16 ? "compile in bf16 model"
                       : half                         ? "compile in f16 model"
                                                      : "compile model";
    return lq_openvino_fail(err, half ? LQ_ERR_UNAVAILABLE : LQ_ERR_MODEL, code, what, name);
}

static int openvino_compile(struct lq_engine **out, struct lq_engine_model *model,
                            const struct lq_engine_options *options, struct lq_error *err)
{
    *out = NULL;
    ov_model_t *graph = atomic_exchange(&((struct openvino_model *)model)->graph, NULL);
    int status = graph ? LQ_OK : read_graph(&graph, model, err);
    if (status == LQ_OK)
        status = reshape(graph, model->name, options, err);
    struct lq_engine *engine = status == LQ_OK ? calloc(1, sizeof *engine) : NULL;
    if (engine) {
        ov_status_e code = compile_somewhere(&engine->compiled, graph, model->name, options);
        if (code != OK)
            status = fail_compile(code, model->name, options->precision, err);
    } else if (status == LQ_OK) {
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", model->name);
    }
    if (graph)
        ov.model_free(graph);
    if (status != LQ_OK)
        openvino_close(engine);
    else
        *out = engine;
    return status;
}

// ---- requests

static void openvino_request_free(struct lq_request *request)
{
    if (!request)
        return;
    for (int i = 0; i < request->held_count; i++)
        ov.tensor_free(request->held[i]);
    if (request->infer)
        ov.infer_request_free(request->infer);
    free(request);
}

// Reads shape and memory of one tensor of the request.
static ov_status_e bind(struct lq_request *request, bool input, size_t index,
                        struct lq_tensor *tensor)
{
    ov_tensor_t *held = NULL;
    ov_status_e code =
        input ? ov.infer_request_get_input_tensor_by_index(request->infer, index, &held)
              : ov.infer_request_get_output_tensor_by_index(request->infer, index, &held);
    if (code != OK)
        return code;
    request->held[request->held_count++] = held;
    ov_shape_t shape = {0};
    code = ov.tensor_get_shape(held, &shape);
    if (code != OK)
        return code;
    tensor->rank = shape.rank <= LQ_TENSOR_RANK_MAX ? (int)shape.rank : 0;
    for (int i = 0; i < tensor->rank; i++)
        tensor->dims[i] = shape.dims[i];
    ov.shape_free(&shape);
    return lq_tensor_count(tensor) > 0 ? ov.tensor_data(held, &tensor->data) : OK;
}

static ov_status_e bind_all(struct lq_request *request, const struct lq_engine *engine)
{
    struct lq_tensors *tensors = &request->tensors;
    size_t inputs = 0, outputs = 0;
    ov.compiled_model_inputs_size(engine->compiled, &inputs);
    ov.compiled_model_outputs_size(engine->compiled, &outputs);
    if (inputs > LQ_TENSORS_MAX || outputs > LQ_TENSORS_MAX)
        return OUT_OF_BOUNDS;
    tensors->input_count = (int)inputs;
    tensors->output_count = (int)outputs;
    for (size_t i = 0; i < inputs + outputs; i++) {
        bool in = i < inputs;
        size_t index = in ? i : i - inputs;
        struct lq_tensor *tensor = in ? &tensors->inputs[index] : &tensors->outputs[index];
        ov_output_const_port_t *port = NULL;
        ov_status_e code = in ? ov.compiled_model_input_by_index(engine->compiled, index, &port)
                              : ov.compiled_model_output_by_index(engine->compiled, index, &port);
        if (code != OK)
            return code;
        describe_port(port, tensor);
        code = bind(request, in, index, tensor);
        if (code != OK)
            return code;
    }
    return OK;
}

static int openvino_request_new(struct lq_request **out, struct lq_engine *engine,
                                struct lq_error *err)
{
    *out = NULL;
    struct lq_request *request = calloc(1, sizeof *request);
    if (!request)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for an inference request");
    ov_status_e code =
        ov.compiled_model_create_infer_request(engine->compiled, &request->infer);
    if (code == OK)
        code = bind_all(request, engine);
    if (code != OK) {
        int status = lq_openvino_fail(err, LQ_ERR_ENGINE, code, "start", "an inference request");
        openvino_request_free(request);
        return status;
    }
    *out = request;
    return LQ_OK;
}

static const struct lq_tensors *openvino_request_tensors(struct lq_request *request)
{
    return &request->tensors;
}

static int openvino_run(struct lq_request *request, uint64_t deadline_us, struct lq_error *err)
{
    (void)deadline_us;
    ov_status_e code = ov.infer_request_infer(request->infer);
    return code == OK ? LQ_OK : lq_openvino_fail(err, LQ_ERR_ENGINE, code, "run", "the model");
}

static int openvino_probe(const struct lq_engine_parts *parts, struct lq_error *err)
{
    (void)parts;
    return lq_openvino_load(err);
}

const struct lq_engine_ops lq_engine_openvino = {
    .name = "openvino",
    .summary = "OpenVINO on this machine's processor (.onnx, .tflite, .xml)",
    .has_precisions = true,
    .frees_slowly = true,
    .probe = openvino_probe,
    .read = openvino_read,
    .forget = openvino_forget,
    .compile = openvino_compile,
    .close = openvino_close,
    .request_new = openvino_request_new,
    .request_tensors = openvino_request_tensors,
    .run = openvino_run,
    .request_free = openvino_request_free,
};
