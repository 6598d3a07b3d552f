// OpenVINO on this machine's processor, by its C interface, loaded with dlopen when first wanted:
// a build without it still runs and says what is missing.
//
// The library is looked for in $LACQUER_OPENVINO (and then nowhere else), in the folder it was
// unpacked to when Lacquer was built, in ../lib/lacquer beside the program, and by the loader.
// Its own libraries find each other by their RPATH ($ORIGIN).
//
// One core serves the whole process, made on first use. A compiled-model cache lives in a folder
// named for the OpenVINO build, the processor and the precision, so that a cache carried to another
// machine is never read there.
#include <dlfcn.h>
#include <errno.h>
#include <openvino/c/openvino.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/cpu.h"
#include "base/log.h"
#include "config.h"
#include "engine/list.h"

// Every function we call; the library's header declares them, dlsym finds them.
#define OV_FUNCTIONS(X)                                                                           \
    X(get_openvino_version) X(version_free) X(core_create) X(core_read_model)                     \
    X(core_compile_model_props) X(model_free) X(model_inputs_size) X(model_outputs_size)          \
    X(model_const_input_by_index) X(model_const_output_by_index)                                  \
    X(model_reshape_by_port_indexes) X(compiled_model_create_infer_request)                       \
    X(compiled_model_inputs_size) X(compiled_model_outputs_size)                                  \
    X(compiled_model_input_by_index) X(compiled_model_output_by_index) X(compiled_model_free)     \
    X(port_get_any_name) X(port_get_partial_shape) X(port_get_element_type)                       \
    X(output_const_port_free) X(partial_shape_create_static) X(partial_shape_free)                \
    X(infer_request_get_input_tensor_by_index) X(infer_request_get_output_tensor_by_index)        \
    X(infer_request_infer) X(infer_request_free) X(tensor_data) X(tensor_get_shape)               \
    X(tensor_free) X(shape_free) X(get_last_err_msg) X(get_error_info) X(free)

static struct {
#define X(name) __typeof__(ov_##name) *name;
    OV_FUNCTIONS(X)
#undef X
    ov_core_t *core;
    char build[64]; // "2026.4.1"
    int status;     // of loading, once for all
    struct lq_error err;
} ov;

static pthread_once_t ov_once = PTHREAD_ONCE_INIT;

struct lq_engine {
    ov_compiled_model_t *compiled;
};

struct lq_request {
    ov_infer_request_t *infer;
    ov_tensor_t *held[2 * LQ_TENSORS_MAX]; // keep the memory behind tensors alive
    int held_count;
    struct lq_tensors tensors;
};

// OpenVINO's message is a few lines of "Exception from file:line:" before the one that matters.
static void keep_reason(char *out, size_t size, const char *message)
{
    snprintf(out, size, "no reason given");
    while (message && *message) {
        size_t len = strcspn(message, "\n");
        bool noise = strncmp(message, "Exception from ", 15) == 0 ||
                     strspn(message, " \t\r") >= len ||
                     (len > 6 && strncmp(message, "Check '", 7) == 0 && message[len - 1] == ':');
        if (!noise) {
            snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), message);
            return;
        }
        message += len + (message[len] == '\n');
    }
}

static int ov_fail(struct lq_error *err, int status, ov_status_e code, const char *what,
                   const char *path)
{
    const char *message = ov.get_last_err_msg();
    char reason[160];
    keep_reason(reason, sizeof reason,
                message && *message ? message : ov.get_error_info(code));
    if (message)
        ov.free(message);
    return lq_fail(err, status, "cannot %s '%.70s': %s", what, path, reason);
}

// ---- loading

#if defined(LQ_SANITIZE)
// TBB opens a helper with RTLD_DEEPBIND, at which the address sanitizer ends the process. In
// sanitized builds every dlopen of the process comes by here and goes on without that flag.
LQ_PUBLIC void *dlopen(const char *path, int flags);

void *dlopen(const char *path, int flags)
{
    void *(*next)(const char *, int);
    *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    return next(path, flags & ~RTLD_DEEPBIND);
}

// What these keep until the process ends is theirs to know.
LQ_PUBLIC const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libopenvino\nleak:libtbb\nleak:libhwloc\n";
}
#endif

static void *try_open(const char *folder)
{
    static const char *const names[] = {"libopenvino_c.so.2641", "libopenvino_c.so"};
    char path[4096];
    for (size_t i = 0; i < LQ_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", names[i]);
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
    }
    return NULL;
}

static void *open_beside_program(void)
{
    char path[2048];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len <= 0)
        return NULL;
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    snprintf(slash, sizeof path - (size_t)(slash - path), "/../lib/lacquer");
    return try_open(path);
}

static void *open_library(struct lq_error *err)
{
    const char *chosen = getenv("LACQUER_OPENVINO");
    void *library = NULL;
    if (chosen && *chosen) {
        library = try_open(chosen);
        if (!library)
            lq_fail(err, LQ_ERR_UNAVAILABLE,
                    "cannot load OpenVINO from LACQUER_OPENVINO='%.80s': %s; name a folder that "
                    "holds libopenvino_c.so",
                    chosen, access(chosen, F_OK) == 0 ? "not in there" : "no such folder");
        return library;
    }
    library = try_open(LQ_OPENVINO_LIBS);
    if (!library)
        library = open_beside_program();
    if (!library)
        library = try_open("");
    if (!library)
        lq_fail(err, LQ_ERR_UNAVAILABLE,
                "cannot load OpenVINO: libopenvino_c.so is not here; run 'make build', or set "
                "LACQUER_OPENVINO to the folder that holds it");
    return library;
}

static int load(struct lq_error *err)
{
    void *library = open_library(err);
    if (!library)
        return err->status;
#define X(name)                                                                                   \
    ov.name = (__typeof__(ov.name))dlsym(library, "ov_" #name);                                   \
    if (!ov.name)                                                                                 \
        return lq_fail(err, LQ_ERR_UNAVAILABLE, "this OpenVINO is too old: it has no ov_" #name);
    OV_FUNCTIONS(X)
#undef X
    ov_version_t version;
    if (ov.get_openvino_version(&version) == OK) {
        // "2026.4.1-12345-hash-releases/2026/4" or with dots only; the head is the release
        snprintf(ov.build, sizeof ov.build, "%.*s", (int)strcspn(version.buildNumber, "-"),
                 version.buildNumber);
        ov.version_free(&version);
    }
    ov_status_e code = ov.core_create(&ov.core);
    if (code != OK)
        return ov_fail(err, LQ_ERR_UNAVAILABLE, code, "start", "OpenVINO");
    return LQ_OK;
}

static void load_once(void)
{
    ov.status = load(&ov.err);
}

static int openvino_probe(struct lq_error *err)
{
    pthread_once(&ov_once, load_once);
    return ov.status == LQ_OK ? LQ_OK : lq_fail(err, ov.status, "%s", ov.err.text);
}

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

// Takes the port.
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

static int describe_model(const ov_model_t *model, const char *path, struct lq_tensors *tensors,
                          struct lq_error *err)
{
    size_t inputs = 0, outputs = 0;
    ov.model_inputs_size(model, &inputs);
    ov.model_outputs_size(model, &outputs);
    if (inputs > LQ_TENSORS_MAX || outputs > LQ_TENSORS_MAX)
        return lq_fail(err, LQ_ERR_MODEL, "'%.100s' has %zu inputs and %zu outputs: more than %d",
                       path, inputs, outputs, LQ_TENSORS_MAX);
    *tensors = (struct lq_tensors){.input_count = (int)inputs, .output_count = (int)outputs};
    for (size_t i = 0; i < inputs + outputs; i++) {
        ov_output_const_port_t *port = NULL;
        bool in = i < inputs;
        ov_status_e code = in ? ov.model_const_input_by_index(model, i, &port)
                              : ov.model_const_output_by_index(model, i - inputs, &port);
        if (code != OK)
            return ov_fail(err, LQ_ERR_MODEL, code, "describe", path);
        if (describe_port(port, in ? &tensors->inputs[i] : &tensors->outputs[i - inputs]))
            return lq_fail(err, LQ_ERR_MODEL,
                           "'%.100s' has a tensor of unknown or too many dimensions", path);
    }
    return LQ_OK;
}

static int read_model(ov_model_t **model, const char *path, struct lq_error *err)
{
    int status = openvino_probe(err);
    if (status != LQ_OK)
        return status;
    if (access(path, R_OK) != 0)
        return lq_fail(err, LQ_ERR_MODEL, "cannot open model '%.150s': %s", path,
                       strerror(errno));
    ov_status_e code = ov.core_read_model(ov.core, path, NULL, model);
    if (code == OK)
        return LQ_OK;
    ov_fail(err, LQ_ERR_MODEL, code, "read model", path);
    // No reader wanted the file at all: say so in our own words.
    if (err && strstr(err->text, "Unable to read the model"))
        lq_fail(err, LQ_ERR_MODEL, "'%.150s' is no model, or a damaged one: .onnx, .tflite and .xml are read",
                path);
    return LQ_ERR_MODEL;
}

static int openvino_describe(const char *path, struct lq_tensors *tensors, struct lq_error *err)
{
    ov_model_t *model = NULL;
    int status = read_model(&model, path, err);
    if (status == LQ_OK)
        status = describe_model(model, path, tensors, err);
    if (model)
        ov.model_free(model);
    return status;
}

// ---- compiling

// Tells processors apart that a compiled model cannot travel between: family, model and features.
static unsigned processor_tag(void)
{
    unsigned hash = 2166136261u;
#if defined(__x86_64__)
    unsigned words[7] = {0}, a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d))
        words[0] = a, words[1] = c & ~(1u << 27), words[2] = d; // without OSXSAVE
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        words[3] = b, words[4] = c & ~(1u << 4), words[5] = d; // without OSPKE
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d))
        words[6] = a;
    for (size_t i = 0; i < LQ_COUNT(words); i++)
        for (int shift = 0; shift < 32; shift += 8)
            hash = (hash ^ (words[i] >> shift & 255)) * 16777619u; // FNV-1a
#endif
    return hash;
}

static int make_folders(char *path)
{
    for (char *at = path + 1;; at++) {
        if (*at && *at != '/')
            continue;
        char kept = *at;
        *at = '\0';
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        *at = kept;
        if (failed)
            return -1;
        if (!kept)
            return access(path, W_OK);
    }
}

// Writes the cache folder's name; empty when there is none or it cannot be made.
static void cache_folder(char *out, size_t size, const char *cache_dir, const char *precision)
{
    out[0] = '\0';
    if (!cache_dir || !*cache_dir)
        return;
    int len = snprintf(out, size, "%s/openvino-%s-%08x-%s", cache_dir, ov.build, processor_tag(),
                       precision);
    if (len < 0 || (size_t)len >= size || make_folders(out) != 0) {
        static atomic_flag said = ATOMIC_FLAG_INIT;
        if (!atomic_flag_test_and_set(&said))
            lq_log_warn("compiled models are not kept: cannot write to '%s'", cache_dir);
        out[0] = '\0';
    }
}

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
    return code == OK ? LQ_OK : ov_fail(err, LQ_ERR_MODEL, code, "reshape model", path);
}

static ov_status_e compile(ov_compiled_model_t **compiled, const ov_model_t *model,
                           const struct lq_engine_options *options)
{
    const char *precision = options->precision == LQ_PRECISION_BF16 ? "bf16" : "f32";
    int threads = options->threads > 0 ? options->threads : lq_cpu_count();
    bool latency = options->tune == LQ_TUNE_LATENCY;
    char threads_text[16], streams_text[16], folder[4096];
    snprintf(threads_text, sizeof threads_text, "%d", threads);
    // Side by side: one stream a core, so that no request waits for another's threads.
    snprintf(streams_text, sizeof streams_text, "%d", latency ? 1 : threads);
    cache_folder(folder, sizeof folder, options->cache_dir, precision);
    ov_property_t properties[] = {
        {"PERFORMANCE_HINT", latency ? "LATENCY" : "THROUGHPUT"},
        {"NUM_STREAMS", streams_text},
        {"INFERENCE_NUM_THREADS", threads_text},
        {"INFERENCE_PRECISION_HINT", precision},
        // The cores are shared with decoding and painting; the scheduler places threads better.
        {"ENABLE_CPU_PINNING", "NO"},
        {"CACHE_DIR", folder},
    };
    size_t count = LQ_COUNT(properties) - (folder[0] ? 0 : 1);
    return ov.core_compile_model_props(ov.core, model, "CPU", count, properties, compiled);
}

static void openvino_close(struct lq_engine *engine)
{
    if (!engine)
        return;
    if (engine->compiled)
        ov.compiled_model_free(engine->compiled);
    free(engine);
}

static int openvino_open(struct lq_engine **out, const char *path,
                         const struct lq_engine_options *options, struct lq_error *err)
{
    *out = NULL;
    ov_model_t *model = NULL;
    struct lq_engine *engine = NULL;
    int status = read_model(&model, path, err);
    if (status == LQ_OK)
        status = reshape(model, path, options, err);
    if (status != LQ_OK)
        goto fail;
    engine = calloc(1, sizeof *engine);
    if (!engine) {
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", path);
        goto fail;
    }
    ov_status_e code = compile(&engine->compiled, model, options);
    if (code != OK) {
        status = ov_fail(err, LQ_ERR_MODEL, code, "compile model", path);
        goto fail;
    }
    ov.model_free(model);
    *out = engine;
    return LQ_OK;
fail:
    if (model)
        ov.model_free(model);
    openvino_close(engine);
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

// Shape and memory of one tensor of the request.
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
        int status = ov_fail(err, LQ_ERR_ENGINE, code, "start", "an inference request");
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

static int openvino_run(struct lq_request *request, struct lq_error *err)
{
    ov_status_e code = ov.infer_request_infer(request->infer);
    return code == OK ? LQ_OK : ov_fail(err, LQ_ERR_ENGINE, code, "run", "the model");
}

const struct lq_engine_ops lq_engine_openvino = {
    .name = "openvino",
    .summary = "OpenVINO on this machine's processor (.onnx, .tflite, .xml)",
    .probe = openvino_probe,
    .operators = lq_operators_count,
    .describe = openvino_describe,
    .open = openvino_open,
    .close = openvino_close,
    .request_new = openvino_request_new,
    .request_free = openvino_request_free,
    .request_tensors = openvino_request_tensors,
    .run = openvino_run,
};
