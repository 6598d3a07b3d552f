#include "cli/triton_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// A server is not ready until its warm-ups are done, and a batch of hundreds takes minutes and
// gigabytes.
enum { WARM_UP_BATCH_MAX = 16 };

// After a failure further writes do nothing; the first failure is kept.
struct writer {
    const struct lq_triton_config *config;
    struct lq_buf *out;
    int status;
};

static LQ_PRINTF(2, 3) void put(struct writer *writer, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (writer->status == LQ_OK)
        writer->status = len >= 0 && (size_t)len < sizeof line
                             ? lq_buf_append(writer->out, line, (size_t)len)
                             : LQ_ERR_TOO_LARGE;
}

// Writes a string in protobuf's text format.
static void put_text(struct writer *writer, const char *text)
{
    put(writer, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool control = c < 0x20 || c == 0x7f;
        put(writer, control ? "\\%03o" : c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    put(writer, "\"");
}

static void put_dims(struct writer *writer, const struct lq_tensor *tensor, int from)
{
    put(writer, "[ ");
    for (int i = from; i < tensor->rank; i++)
        put(writer, "%s%lld", i > from ? ", " : "", (long long)tensor->dims[i]);
    put(writer, " ]");
}

static const char *type_word(enum lq_tensor_type type)
{
    return type == LQ_TENSOR_U8 ? "TYPE_UINT8" : type == LQ_TENSOR_F16 ? "TYPE_FP16" : "TYPE_FP32";
}

static void put_tensors(struct writer *writer, const char *kind, const struct lq_tensor *tensors,
                        int count)
{
    for (int i = 0; i < count; i++) {
        put(writer, "%s {\n  name: ", kind);
        put_text(writer, tensors[i].name);
        put(writer, "\n  data_type: %s\n  dims: ", type_word(tensors[i].type));
        // With batches the first dimension is implied and not written.
        put_dims(writer, &tensors[i], writer->config->batch_max > 0 ? 1 : 0);
        put(writer, "\n}\n");
    }
}

static void put_batching(struct writer *writer)
{
    const struct lq_triton_config *config = writer->config;
    if (config->batch_max <= 1)
        return;
    put(writer, "dynamic_batching {\n  preferred_batch_size: [ ");
    if (config->batch_max > 3)
        put(writer, "%d, ", config->batch_max / 2);
    put(writer, "%d ]\n  max_queue_delay_microseconds: %d\n}\n", config->batch_max,
        config->queue_delay_us);
}

// Writes a warm-up with input 0 at one of its sizes.
static void put_warm_up(struct writer *writer, int size, int batch)
{
    const struct lq_triton_config *config = writer->config;
    const struct lq_tensor *input = &config->tensors.inputs[0];
    int width = config->sizes[size].width, height = config->sizes[size].height;
    put(writer, "model_warmup {\n  name: \"%dx%d, %d at once\"\n  batch_size: %d\n", width, height,
        batch > 0 ? batch : 1, batch);
    put(writer, "  inputs {\n    key: ");
    put_text(writer, input->name);
    put(writer, "\n    value {\n      data_type: %s\n      dims: [ %s", type_word(input->type),
        batch > 0 ? "" : "1, ");
    if (config->channels_first)
        put(writer, "3, %d, %d", height, width);
    else
        put(writer, "%d, %d, 3", height, width);
    put(writer, " ]\n      zero_data: true\n    }\n  }\n}\n");
}

static void put_warm_ups(struct writer *writer)
{
    const struct lq_triton_config *config = writer->config;
    for (int i = 0; i < config->size_count; i++) {
        put_warm_up(writer, i, config->batch_max > 0 ? 1 : 0);
        if (config->batch_max > 1)
            put_warm_up(writer, i, config->batch_max < WARM_UP_BATCH_MAX ? config->batch_max
                                                                         : WARM_UP_BATCH_MAX);
    }
}

// Writes the smallest, usual or largest input: the batch, and each side over all sizes.
static void put_shape(struct writer *writer, int which, int batch, const char *quote)
{
    const struct lq_triton_config *config = writer->config;
    const char *name = config->tensors.inputs[0].name;
    int width = config->sizes[0].width, height = config->sizes[0].height;
    for (int i = 1; i < config->size_count && which != 0; i++) {
        int w = config->sizes[i].width, h = config->sizes[i].height;
        width = (w - width) * which > 0 ? w : width;
        height = (h - height) * which > 0 ? h : height;
    }
    put(writer, "%s%s%s:%dx", quote, name, quote, batch > 0 ? batch : 1);
    if (config->channels_first)
        put(writer, "3x%dx%d", height, width);
    else
        put(writer, "%dx%dx3", height, width);
}

static int usual_batch(const struct lq_triton_config *config)
{
    return config->batch_max > 1 ? (config->batch_max + 1) / 2 : 1;
}

// Whether the engine must support more than one shape.
static bool is_open(const struct lq_triton_config *config)
{
    return config->batch_max > 0 || config->size_count > 1;
}

// Writes profiles so that one engine covers every shape, instead of a new engine being built for
// each new shape. ONNX Runtime ends a name at its first colon, so a model with such a name gets no
// profiles.
static void put_profiles(struct writer *writer)
{
    static const struct {
        const char *key;
        int which;
    } profiles[] = {{"min", -1}, {"opt", 0}, {"max", 1}};
    for (size_t i = 0; i < LQ_COUNT(profiles); i++) {
        int batch = profiles[i].which < 0   ? 1
                    : profiles[i].which > 0 ? writer->config->batch_max
                                            : usual_batch(writer->config);
        put(writer, "      parameters { key: \"trt_profile_%s_shapes\" value: \"",
            profiles[i].key);
        put_shape(writer, profiles[i].which, batch, "");
        put(writer, "\" }\n");
    }
}

static void put_parameter(struct writer *writer, const char *key, const char *value)
{
    put(writer, "      parameters { key: \"%s\" value: \"%s\" }\n", key, value);
}

// Engines and timings are stored in the model's version folder, so that a restart does not build
// them again. Triton does not search that folder for models; in the repository itself every folder
// must be a model.
static void put_tensorrt(struct writer *writer)
{
    static const char *const words[] = {"FP32", "FP16", "INT8"};
    const struct lq_triton_config *config = writer->config;
    char cache[LQ_TENSOR_NAME_MAX + 32];
    snprintf(cache, sizeof cache, "/models/%s/1/tensorrt", config->name);
    put(writer, "optimization {\n  execution_accelerators {\n    gpu_execution_accelerator {\n"
                "      name: \"tensorrt\"\n");
    if (!config->typed)
        put_parameter(writer, "precision_mode", words[config->precision]);
    put_parameter(writer, "max_workspace_size_bytes", "1073741824");
    put_parameter(writer, "trt_engine_cache_enable", "true");
    put_parameter(writer, "trt_engine_cache_path", cache);
    put_parameter(writer, "trt_timing_cache_enable", "true");
    put_parameter(writer, "trt_timing_cache_path", cache);
    if (is_open(config) && !strpbrk(config->tensors.inputs[0].name, ":,"))
        put_profiles(writer);
    put(writer, "    }\n  }\n}\n");
}

int lq_triton_config_print(const struct lq_triton_config *config, struct lq_buf *out)
{
    static const char *const platforms[] = {
        "backend: \"python\"\n", "platform: \"onnxruntime_onnx\"\nbackend: \"onnxruntime\"\n",
        "platform: \"tensorrt_plan\"\nbackend: \"tensorrt\"\n"};
    struct writer writer = {config, out, LQ_OK};
    put(&writer, "# Written by `lacquer triton-repo`; docs/TRITON.md tells what to tune.\nname: ");
    put_text(&writer, config->name);
    put(&writer, "\n%smax_batch_size: %d\n", platforms[config->platform], config->batch_max);
    put_tensors(&writer, "input", config->tensors.inputs, config->tensors.input_count);
    put_tensors(&writer, "output", config->tensors.outputs, config->tensors.output_count);
    put_batching(&writer);
    put(&writer, "instance_group {\n  count: %d\n  kind: %s\n}\n", config->instances,
        config->platform == LQ_TRITON_PYTHON ? "KIND_CPU" : "KIND_GPU");
    if (config->platform == LQ_TRITON_ONNX && config->tensorrt)
        put_tensorrt(&writer);
    put(&writer, "version_policy { latest { num_versions: 1 } }\n");
    put_warm_ups(&writer);
    if (config->sidecar) {
        // The sidecar for lacquer serve is sent with the model's configuration.
        put(&writer, "parameters {\n  key: \"lacquer\"\n  value { string_value: ");
        put_text(&writer, config->sidecar);
        put(&writer, " }\n}\n");
    }
    return writer.status;
}

bool lq_triton_config_can_trtexec(const struct lq_triton_config *config)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:";
    const char *name = config->tensors.inputs[0].name;
    return name[strspn(name, plain)] == '\0';
}

int lq_triton_config_print_trtexec(const struct lq_triton_config *config, struct lq_buf *out)
{
    static const char *const flags[] = {"", " --fp16", " --int8 --fp16"};
    struct writer writer = {config, out, LQ_OK};
    put(&writer, "trtexec --onnx=model.onnx --saveEngine=1/model.plan%s",
        config->typed ? "" : flags[config->precision]);
    // trtexec needs quotes around a name with a colon; escape them for the shell.
    const char *quote = strchr(config->tensors.inputs[0].name, ':') ? "\\'" : "";
    for (int i = 0; is_open(config) && i < 3; i++) {
        static const char *const names[] = {"min", "opt", "max"};
        put(&writer, " --%sShapes=", names[i]);
        put_shape(&writer, i - 1,
                  i == 0 ? 1 : i == 1 ? usual_batch(config) : config->batch_max, quote);
    }
    put(&writer, " --timingCacheFile=timing.cache");
    return writer.status;
}
