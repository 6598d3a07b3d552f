// Models after reading, tensors, and names that all engines share.
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

int lq_engine_model_init(struct lq_engine_model *model, const struct lq_engine_source *source,
                         struct lq_error *err)
{
    model->path = strdup(source->path);
    model->name = strdup(source->name ? source->name : source->path);
    lq_buf_init(&model->sidecar, LQ_SIDECAR_BYTES_MAX);
    return model->path && model->name
               ? LQ_OK
               : lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", source->path);
}

void lq_engine_model_release(struct lq_engine_model *model)
{
    free(model->path);
    free(model->name);
    lq_buf_release(&model->sidecar);
}

const char *lq_device_name(enum lq_device device)
{
    static const char *const names[] = {
        [LQ_DEVICE_AUTO] = "auto", [LQ_DEVICE_CPU] = "cpu",           [LQ_DEVICE_GPU] = "gpu",
        [LQ_DEVICE_CUDA] = "cuda", [LQ_DEVICE_TENSORRT] = "tensorrt"};
    return names[device];
}

const char *lq_precision_name(enum lq_precision precision)
{
    static const char *const names[LQ_PRECISION_COUNT] = {"auto", "f32", "bf16", "f16"};
    return names[precision];
}

static size_t type_bytes(enum lq_tensor_type type)
{
    switch (type) {
    case LQ_TENSOR_F32:
    case LQ_TENSOR_I32:
        return 4;
    case LQ_TENSOR_F16:
    case LQ_TENSOR_I16:
        return 2;
    case LQ_TENSOR_U8:
    case LQ_TENSOR_I8:
    case LQ_TENSOR_BOOL:
        return 1;
    case LQ_TENSOR_I64:
    case LQ_TENSOR_F64:
        return 8;
    case LQ_TENSOR_OTHER:
        break;
    }
    return 0;
}

size_t lq_tensor_count(const struct lq_tensor *tensor)
{
    size_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        if (tensor->dims[i] <= 0 ||
            __builtin_mul_overflow(count, (size_t)tensor->dims[i], &count))
            return 0;
    return count;
}

size_t lq_tensor_bytes(const struct lq_tensor *tensor)
{
    size_t bytes;
    if (__builtin_mul_overflow(lq_tensor_count(tensor), type_bytes(tensor->type), &bytes))
        return 0;
    return bytes;
}

const char *lq_tensor_type_name(enum lq_tensor_type type)
{
    static const char *const names[] = {
        [LQ_TENSOR_F32] = "f32", [LQ_TENSOR_F16] = "f16", [LQ_TENSOR_U8] = "u8",
        [LQ_TENSOR_I8] = "i8",   [LQ_TENSOR_I32] = "i32", [LQ_TENSOR_I64] = "i64",
        [LQ_TENSOR_I16] = "i16", [LQ_TENSOR_BOOL] = "bool", [LQ_TENSOR_F64] = "f64",
        [LQ_TENSOR_OTHER] = "other",
    };
    return names[type];
}

enum { ALIGNMENT = 64 }; // what the widest vector loads need

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int lq_tensors_place(struct lq_tensors *tensors, void **memory, struct lq_error *err)
{
    int count = tensors->input_count + tensors->output_count;
    size_t size = 0;
    *memory = NULL;
    for (int i = 0; i < count; i++) {
        const struct lq_tensor *tensor = lq_tensor_at(tensors, i);
        size_t bytes = lq_tensor_bytes(tensor);
        if (bytes > LQ_TENSOR_BYTES_MAX)
            return lq_fail(err, LQ_ERR_MODEL, "tensor '%.60s' takes more than %d bytes",
                           tensor->name, LQ_TENSOR_BYTES_MAX);
        size += aligned(bytes);
    }
    uint8_t *at = *memory = aligned_alloc(ALIGNMENT, size ? size : ALIGNMENT);
    if (!at)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for an inference request");
    memset(at, 0, size);
    for (int i = 0; i < count; i++) {
        struct lq_tensor *tensor = lq_tensor_at(tensors, i);
        size_t bytes = lq_tensor_bytes(tensor);
        tensor->data = bytes ? at : NULL;
        at += aligned(bytes);
    }
    return LQ_OK;
}
