#include "convert/onnx_numbers.h"

#include <stdlib.h>
#include <string.h>

#include "engine/f16.h"

static bool fill_floats(const Onnx__TensorProto *tensor, float *numbers, size_t count)
{
    const ProtobufCBinaryData *raw = &tensor->raw_data;
    if (tensor->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT) {
        const void *from = tensor->has_raw_data ? (const void *)raw->data : tensor->float_data;
        size_t have = tensor->has_raw_data ? raw->len / sizeof(float) : tensor->n_float_data;
        if (have == count && count)
            memcpy(numbers, from, count * sizeof(float));
        return have == count;
    }
    if (tensor->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16)
        return false;
    if (!tensor->has_raw_data) {
        for (size_t i = 0; i < count && tensor->n_int32_data == count; i++) {
            uint16_t half = (uint16_t)tensor->int32_data[i];
            lq_f16_to_f32(&numbers[i], &half, 1);
        }
        return tensor->n_int32_data == count;
    }
    for (size_t i = 0; i < count && raw->len == count * 2; i++) {
        uint16_t half; // the bytes may lie at any address
        memcpy(&half, raw->data + 2 * i, 2);
        lq_f16_to_f32(&numbers[i], &half, 1);
    }
    return raw->len == count * 2;
}

float *lq_onnx_floats(const Onnx__TensorProto *tensor)
{
    int64_t items = lq_onnx_items(tensor);
    float *numbers = items >= 0 ? malloc(((size_t)items + 1) * sizeof *numbers) : NULL;
    if (numbers && !fill_floats(tensor, numbers, (size_t)items)) {
        free(numbers);
        return NULL;
    }
    return numbers;
}

void lq_onnx_set_floats(struct lq_onnx *onnx, Onnx__TensorProto *tensor, const float *numbers,
                        size_t count)
{
    tensor->has_data_type = true;
    tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->n_float_data = tensor->n_int32_data = 0;
    lq_onnx_set_bytes(onnx, tensor, numbers, count * sizeof *numbers);
}
