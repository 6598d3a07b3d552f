#include "engine/trace.h"

#include "base/attr.h"
#include "engine/openvino_load.h"

#define ov lq_openvino

// Indexed by enum lq_tensor_type.
static const ov_element_type_e types[] = {
    [LQ_TENSOR_F32] = F32, [LQ_TENSOR_F16] = F16, [LQ_TENSOR_U8] = U8,
    [LQ_TENSOR_I8] = I8,   [LQ_TENSOR_I32] = I32, [LQ_TENSOR_I64] = I64,
    [LQ_TENSOR_I16] = I16, [LQ_TENSOR_BOOL] = BOOLEAN,
};

static ov_status_e set_input(ov_infer_request_t *infer, size_t index, const struct lq_tensor *input)
{
    ov_shape_t shape = {0};
    ov_tensor_t *tensor = NULL;
    if ((size_t)input->type >= LQ_COUNT(types))
        return NOT_IMPLEMENTED;
    ov_status_e code = ov.shape_create(input->rank, input->dims, &shape);
    if (code != OK)
        return code;
    code = ov.tensor_create_from_host_ptr(types[input->type], shape, input->data, &tensor);
    if (code == OK)
        code = ov.infer_request_set_input_tensor_by_index(infer, index, tensor);
    if (tensor)
        ov.tensor_free(tensor);
    ov.shape_free(&shape);
    return code;
}

static ov_status_e show_output(ov_infer_request_t *infer, size_t index,
                               void (*row)(void *, int, const struct lq_tensor *), void *context)
{
    ov_tensor_t *tensor = NULL;
    struct lq_tensor output = {.type = LQ_TENSOR_OTHER};
    ov_element_type_e type;
    ov_shape_t shape = {0};
    ov_status_e code = ov.infer_request_get_output_tensor_by_index(infer, index, &tensor);
    if (code == OK)
        code = ov.tensor_get_element_type(tensor, &type);
    if (code == OK)
        code = ov.tensor_get_shape(tensor, &shape);
    if (code == OK) {
        for (size_t i = 0; i < LQ_COUNT(types); i++)
            if (types[i] == type)
                output.type = (enum lq_tensor_type)i;
        output.rank = shape.rank <= LQ_TENSOR_RANK_MAX ? (int)shape.rank : 0;
        for (int i = 0; i < output.rank; i++)
            output.dims[i] = shape.dims[i];
        if (output.type != LQ_TENSOR_OTHER && shape.rank <= LQ_TENSOR_RANK_MAX)
            code = ov.tensor_data(tensor, &output.data);
        ov.shape_free(&shape);
    }
    if (code == OK)
        row(context, (int)index, &output);
    if (tensor)
        ov.tensor_free(tensor);
    return code;
}

int lq_trace_run(const char *path, const struct lq_tensor *inputs, int input_count,
                 void (*row)(void *context, int index, const struct lq_tensor *output),
                 void *context, struct lq_error *err)
{
    int status = lq_openvino_load(err);
    if (status != LQ_OK)
        return status;
    // What the file says, not the fastest that comes near it: left alone, the CPU quantises what
    // meets 8-bit weights.
    const ov_property_t exact[] = {{"INFERENCE_PRECISION_HINT", "f32"},
                                   {"DYNAMIC_QUANTIZATION_GROUP_SIZE", "0"}};
    ov_model_t *model = NULL;
    ov_compiled_model_t *compiled = NULL;
    ov_infer_request_t *infer = NULL;
    size_t outputs = 0;
    ov_status_e code = ov.core_read_model(ov.core, path, NULL, &model);
    if (code == OK)
        code = ov.core_compile_model_props(ov.core, model, "CPU", LQ_COUNT(exact), exact,
                                           &compiled);
    if (code == OK)
        code = ov.compiled_model_outputs_size(compiled, &outputs);
    if (code == OK)
        code = ov.compiled_model_create_infer_request(compiled, &infer);
    for (int i = 0; i < input_count && code == OK; i++)
        code = set_input(infer, (size_t)i, &inputs[i]);
    if (code == OK)
        code = ov.infer_request_infer(infer);
    for (size_t i = 0; i < outputs && code == OK; i++)
        code = show_output(infer, i, row, context);
    if (code != OK)
        status = lq_openvino_fail(err, LQ_ERR_ENGINE, code, "run model", path);
    if (infer)
        ov.infer_request_free(infer);
    if (compiled)
        ov.compiled_model_free(compiled);
    if (model)
        ov.model_free(model);
    return status;
}
