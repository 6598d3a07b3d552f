// The converter's reader of .tflite files: everything that it accepts must be complete.
#include "format/tflite.h"
#include "fuzz/fuzz.h"

#include <string.h>

static void touch_tensor(const struct lq_tflite *model, const struct lq_tflite_tensor *tensor)
{
    fuzz_touch(tensor->name, strlen(tensor->name) + 1);
    FUZZ_CHECK(tensor->rank >= 0 && tensor->rank <= LQ_RANK_MAX);
    if (tensor->data)
        fuzz_touch(tensor->data, tensor->bytes);
    for (int i = 0; i < tensor->scale_count; i++) {
        (void)lq_tflite_scale(tensor, i);
        (void)lq_tflite_zero(tensor, i);
    }
    uint8_t dense[256];
    int64_t steps = 1 << 20;
    if (tensor->sparsity && tensor->data) {
        size_t items = 1;
        for (int i = 0; i < tensor->rank && items <= sizeof dense; i++)
            items = tensor->dims[i] < 0 ? sizeof dense + 1 : items * (size_t)tensor->dims[i];
        if (items <= sizeof dense)
            (void)!lq_tflite_densify(model, tensor, 1, &steps, dense, items);
    }
}

static void touch_op(const struct lq_tflite *model, const struct lq_tflite_op *op)
{
    for (int i = 0; i < op->inputs.count; i++)
        FUZZ_CHECK(lq_flat_int(op->inputs, i) < model->tensor_count);
    for (int i = 0; i < op->outputs.count; i++)
        FUZZ_CHECK(lq_flat_int(op->outputs, i) < model->tensor_count);
    const char *name = lq_tflite_op_name(op);
    fuzz_touch(name, strlen(name) + 1);
    if (op->custom_options)
        fuzz_touch(op->custom_options, op->custom_bytes);
    for (unsigned field = 0; field < 8; field++) {
        (void)lq_tflite_option(model, op, field, 0);
        (void)lq_tflite_option_float(model, op, field, 0);
        (void)lq_tflite_option_byte(model, op, field, 0);
        struct lq_flat_list ints = lq_tflite_option_ints(model, op, field);
        for (int i = 0; i < ints.count; i++)
            (void)lq_flat_int(ints, i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_tflite model;
    struct lq_error error = {0};
    if (lq_tflite_read(&model, bytes, len, &error) != LQ_OK) {
        FUZZ_CHECK(error.text[0]);
        return 0;
    }
    for (int i = 0; i < model.tensor_count; i++)
        touch_tensor(&model, &model.tensors[i]);
    for (int i = 0; i < model.op_count; i++)
        touch_op(&model, &model.ops[i]);
    lq_tflite_release(&model);
    return 0;
}
