// A session's options, opening it, and reading its tensors' descriptions; onnxruntime_slot.c runs
// it.
#include "engine/onnxruntime_model.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/openvino_cache.h"

#define ort lq_ort

enum { PAIRS_MAX = 16 };

// Names and values of a provider's options.
struct pairs {
    const char *names[PAIRS_MAX], *values[PAIRS_MAX];
    size_t count;
};

static void add(struct pairs *pairs, const char *name, const char *value)
{
    pairs->names[pairs->count] = name;
    pairs->values[pairs->count++] = value;
}

// ---- providers

// "image:4x3x288x384"
static void print_profile(char *text, size_t size, const char *input,
                          const struct lq_ort_session_options *options, int batch)
{
    int len = snprintf(text, size, "%s:%d", input, batch);
    for (int i = 1; i < options->rank && len > 0 && (size_t)len < size; i++)
        len += snprintf(text + len, size - (size_t)len, "x%lld", (long long)options->shape[i]);
}

// One folder per GPU, driver, library and model; in it TensorRT names an engine file per size.
static bool open_cache(char *folder, size_t size, const struct lq_buf *bytes,
                       const struct lq_ort_session_options *options)
{
    struct lq_error why = {0};
    char gpu[sizeof options->gpu->name];
    if (!options->cache_dir || !*options->cache_dir)
        return false;
    snprintf(gpu, sizeof gpu, "%s", options->gpu->name);
    for (char *at = gpu; *at; at++)
        if (*at == ' ' || *at == '/')
            *at = '-';
    int len = snprintf(folder, size, "%s/tensorrt-%s-%s-cuda%d-%016llx%s", options->cache_dir,
                       ort.version, gpu, options->gpu->cuda_version,
                       (unsigned long long)lq_openvino_checksum(bytes->data, bytes->len),
                       options->batch_max > 1 ? "-batch" : "");
    if (len > 0 && (size_t)len < size && lq_openvino_cache_make(folder, &why) == LQ_OK)
        return true;
    lq_log_warn("TensorRT's engines are not kept: %s; see --cache-dir", why.text);
    return false;
}

static struct lq_ort_status *use_tensorrt(struct lq_ort_options *to, const struct lq_buf *bytes,
                                          const struct lq_ort_session_options *options,
                                          const char *input)
{
    char folder[PATH_MAX], least[256], most[256];
    struct pairs pairs = {.count = 0};
    struct lq_ort_tensorrt *tensorrt = NULL;
    add(&pairs, "trt_fp16_enable", "1");
    if (options->whole_numbers)
        add(&pairs, "trt_int8_enable", "1");
    if (options->graphs)
        add(&pairs, "trt_cuda_graph_enable", "1");
    if (options->batch_max > 1) {
        print_profile(least, sizeof least, input, options, 1);
        print_profile(most, sizeof most, input, options, options->batch_max);
        add(&pairs, "trt_profile_min_shapes", least);
        add(&pairs, "trt_profile_opt_shapes", most);
        add(&pairs, "trt_profile_max_shapes", most);
    }
    if (open_cache(folder, sizeof folder, bytes, options)) {
        add(&pairs, "trt_engine_cache_enable", "1");
        add(&pairs, "trt_engine_cache_path", folder);
        add(&pairs, "trt_timing_cache_enable", "1");
        add(&pairs, "trt_timing_cache_path", folder);
    }
    struct lq_ort_status *code = ort.create_tensorrt(&tensorrt);
    if (!code)
        code = ort.set_tensorrt(tensorrt, pairs.names, pairs.values, pairs.count);
    if (!code)
        code = ort.use_tensorrt(to, tensorrt);
    if (tensorrt)
        ort.free_tensorrt(tensorrt);
    return code;
}

static struct lq_ort_status *use_cuda(struct lq_ort_options *to, bool graphs)
{
    struct pairs pairs = {.count = 0};
    struct lq_ort_cuda *cuda = NULL;
    add(&pairs, "enable_cuda_graph", graphs ? "1" : "0");
    struct lq_ort_status *code = ort.create_cuda(&cuda);
    if (!code)
        code = ort.set_cuda(cuda, pairs.names, pairs.values, pairs.count);
    if (!code)
        code = ort.use_cuda(to, cuda);
    if (cuda)
        ort.free_cuda(cuda);
    return code;
}

// Operators that TensorRT does not support fall back to CUDA, if CUDA can be loaded.
static struct lq_ort_status *use_device(struct lq_ort_options *to, const struct lq_buf *bytes,
                                        const struct lq_ort_session_options *options,
                                        const char *input)
{
    struct lq_gpu gpu;
    struct lq_ort_status *code = NULL;
    if (options->device == LQ_DEVICE_TENSORRT) {
        code = use_tensorrt(to, bytes, options, input);
        if (!code && lq_ort_parts_load(LQ_DEVICE_CUDA, &gpu, NULL) == LQ_OK)
            code = use_cuda(to, false);
    } else if (options->device == LQ_DEVICE_CUDA) {
        code = use_cuda(to, options->graphs);
    }
    return code;
}

static struct lq_ort_status *set_options(struct lq_ort_options *to, const struct lq_buf *bytes,
                                         const struct lq_ort_session_options *options,
                                         const char *input)
{
    struct lq_ort_status *code = ort.set_optimization(
        to, options->describe_only ? LQ_ORT_OPTIMIZE_NONE : LQ_ORT_OPTIMIZE_ALL);
    if (!code && options->threads > 0)
        code = ort.set_threads(to, options->threads);
    // Decoding and painting need the cores too: idle threads must sleep, not spin.
    if (!code)
        code = ort.add_config(to, "session.intra_op.allow_spinning", "0");
    if (!code && options->folder)
        code = ort.add_config(to, "session.model_external_initializers_file_folder_path",
                              options->folder);
    return code ? code : use_device(to, bytes, options, input);
}

// ---- descriptions

static enum lq_tensor_type type_of(int element)
{
    for (size_t i = 0; i < LQ_COUNT(lq_ort_elements); i++)
        if (lq_ort_elements[i] == element)
            return (enum lq_tensor_type)i;
    return LQ_TENSOR_OTHER;
}

struct lq_ort_status *lq_ort_describe(const struct lq_ort_shape *shape, struct lq_tensor *tensor)
{
    size_t rank = 0;
    int element = 0;
    int64_t dims[LQ_TENSOR_RANK_MAX];
    struct lq_ort_status *code = ort.element_type(shape, &element);
    if (!code)
        code = ort.rank(shape, &rank);
    tensor->type = type_of(element);
    tensor->rank = rank <= LQ_TENSOR_RANK_MAX ? (int)rank : -1;
    if (!code && tensor->rank > 0)
        code = ort.dims(shape, dims, rank);
    for (int i = 0; !code && i < tensor->rank; i++)
        tensor->dims[i] = dims[i] >= 0 ? dims[i] : -1;
    return code;
}

static struct lq_ort_status *describe(const struct lq_ort_model *model, bool input, size_t index,
                                      struct lq_tensor *tensor)
{
    struct lq_ort_allocator *allocator = NULL;
    struct lq_ort_type *type = NULL;
    const struct lq_ort_shape *shape = NULL;
    char *name = NULL;
    *tensor = (struct lq_tensor){.type = LQ_TENSOR_OTHER, .rank = -1};
    struct lq_ort_status *code = ort.default_allocator(&allocator);
    if (!code)
        code = input ? ort.input_name(model->session, index, allocator, &name)
                     : ort.output_name(model->session, index, allocator, &name);
    if (!code) {
        snprintf(tensor->name, sizeof tensor->name, "%s", name);
        code = ort.allocator_free(allocator, name);
    }
    if (!code)
        code = input ? ort.input_type(model->session, index, &type)
                     : ort.output_type(model->session, index, &type);
    if (!code)
        code = ort.type_to_shape(type, &shape);
    if (!code && shape) // NULL: not a tensor but a sequence or a map
        code = lq_ort_describe(shape, tensor);
    if (type)
        ort.free_type(type);
    return code;
}

static int describe_all(struct lq_ort_model *model, const char *name, struct lq_error *err)
{
    struct lq_tensors *tensors = &model->tensors;
    size_t inputs = 0, outputs = 0;
    struct lq_ort_status *code = ort.input_count(model->session, &inputs);
    if (!code)
        code = ort.output_count(model->session, &outputs);
    if (!code && (inputs > LQ_TENSORS_MAX || outputs > LQ_TENSORS_MAX))
        return lq_fail(err, LQ_ERR_MODEL, "'%.100s' has %zu inputs and %zu outputs: more than %d",
                       name, inputs, outputs, LQ_TENSORS_MAX);
    tensors->input_count = (int)inputs;
    tensors->output_count = (int)outputs;
    for (size_t i = 0; i < inputs + outputs && !code; i++) {
        bool in = i < inputs;
        struct lq_tensor *tensor = in ? &tensors->inputs[i] : &tensors->outputs[i - inputs];
        code = describe(model, in, in ? i : i - inputs, tensor);
        if (!code && tensor->rank < 0)
            return lq_fail(err, LQ_ERR_MODEL,
                           "'%.100s' has a tensor of unknown or too many dimensions", name);
    }
    return lq_ort_check(err, LQ_ERR_MODEL, code, "describe", name);
}

// ---- opening

static int make_memories(struct lq_ort_model *model, const char *name, struct lq_error *err)
{
    if (model->device == LQ_DEVICE_CPU)
        return lq_ort_check(err, LQ_ERR_ENGINE, ort.default_allocator(&model->host), "use", name);
    struct lq_ort_status *code =
        ort.create_memory("CudaPinned", LQ_ORT_ALLOCATE_DEVICE, 0, LQ_ORT_MEMORY_PINNED,
                          &model->pinned_memory);
    if (!code)
        code = ort.create_allocator(model->session, model->pinned_memory, &model->host);
    if (!code)
        code = ort.create_memory("Cuda", LQ_ORT_ALLOCATE_DEVICE, 0, LQ_ORT_MEMORY_DEFAULT,
                                 &model->gpu_memory);
    if (!code)
        code = ort.create_allocator(model->session, model->gpu_memory, &model->gpu);
    return lq_ort_check(err, LQ_ERR_UNAVAILABLE, code, "find memory on the GPU for", name);
}

static const char *input_of(const struct lq_ort_session_options *options)
{
    return options->input && *options->input ? options->input : "image";
}

int lq_ort_model_open(struct lq_ort_model **out, const struct lq_buf *bytes,
                      const struct lq_ort_session_options *options, struct lq_error *err)
{
    *out = NULL;
    struct lq_ort_options *how = NULL;
    struct lq_ort_model *model = calloc(1, sizeof *model);
    if (!model)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", options->name);
    model->device = options->device;
    model->graphs = options->graphs;
    model->rank = options->rank;
    memcpy(model->shape, options->shape, sizeof model->shape);
    struct lq_ort_status *code = ort.create_options(&how);
    if (!code)
        code = set_options(how, bytes, options, input_of(options));
    if (!code)
        code = ort.create_session(ort.env, bytes->data, bytes->len, how, &model->session);
    int status = lq_ort_check(err, LQ_ERR_MODEL, code, "compile model", options->name);
    if (status == LQ_OK)
        status = describe_all(model, options->name, err);
    if (status == LQ_OK)
        status = make_memories(model, options->name, err);
    if (how)
        ort.free_options(how);
    if (status != LQ_OK) {
        lq_ort_model_close(model);
        return status;
    }
    *out = model;
    return LQ_OK;
}

void lq_ort_model_close(struct lq_ort_model *model)
{
    if (!model)
        return;
    if (model->gpu)
        ort.free_allocator(model->gpu);
    if (model->gpu_memory)
        ort.free_memory(model->gpu_memory);
    if (model->pinned_memory) { // otherwise `host` is the library's default allocator
        if (model->host)
            ort.free_allocator(model->host);
        ort.free_memory(model->pinned_memory);
    }
    if (model->session)
        ort.free_session(model->session);
    free(model);
}

const struct lq_tensors *lq_ort_model_tensors(const struct lq_ort_model *model)
{
    return &model->tensors;
}
