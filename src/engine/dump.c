#include "engine/dump.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "engine/openvino_read.h"

#define ov lq_openvino

struct lq_dumper {
    char path[512];
    ov_model_t *model;
    ov_compiled_model_t *compiled;
    ov_infer_request_t *infer;
    size_t outputs;
};

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
                               lq_dump_row *row, void *context)
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

int lq_dumper_open(struct lq_dumper **out, const char *path, struct lq_error *err)
{
    *out = NULL;
    int status = lq_openvino_load(err);
    if (status != LQ_OK)
        return status;
    struct lq_dumper *dumper = calloc(1, sizeof *dumper);
    if (!dumper)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for model '%.100s'", path);
    // Compute exactly what the file specifies: by default the CPU plugin quantises the inputs of
    // layers with 8-bit weights.
    const ov_property_t exact[] = {{"INFERENCE_PRECISION_HINT", "f32"},
                                   {"DYNAMIC_QUANTIZATION_GROUP_SIZE", "0"}};
    snprintf(dumper->path, sizeof dumper->path, "%s", path);
    ov_status_e code = lq_openvino_read(path, &dumper->model);
    if (code == OK)
        code = ov.core_compile_model_props(ov.core, dumper->model, "CPU", LQ_COUNT(exact), exact,
                                           &dumper->compiled);
    if (code == OK)
        code = ov.compiled_model_outputs_size(dumper->compiled, &dumper->outputs);
    if (code == OK)
        code = ov.compiled_model_create_infer_request(dumper->compiled, &dumper->infer);
    if (code != OK) {
        status = lq_openvino_fail(err, LQ_ERR_ENGINE, code, "run model", path);
        lq_dumper_close(dumper);
        return status;
    }
    *out = dumper;
    return LQ_OK;
}

void lq_dumper_close(struct lq_dumper *dumper)
{
    if (!dumper)
        return;
    if (dumper->infer)
        ov.infer_request_free(dumper->infer);
    if (dumper->compiled)
        ov.compiled_model_free(dumper->compiled);
    if (dumper->model)
        ov.model_free(dumper->model);
    free(dumper);
}

int lq_dumper_infer(struct lq_dumper *dumper, const struct lq_tensor *inputs, int input_count,
                   lq_dump_row *row, void *context, struct lq_error *err)
{
    ov_status_e code = OK;
    for (int i = 0; i < input_count && code == OK; i++)
        code = set_input(dumper->infer, (size_t)i, &inputs[i]);
    if (code == OK)
        code = ov.infer_request_infer(dumper->infer);
    for (size_t i = 0; i < dumper->outputs && code == OK; i++)
        code = show_output(dumper->infer, i, row, context);
    return code == OK ? LQ_OK
                      : lq_openvino_fail(err, LQ_ERR_ENGINE, code, "run model", dumper->path);
}

int lq_dump_run(const char *path, const struct lq_tensor *inputs, int input_count,
                 lq_dump_row *row, void *context, struct lq_error *err)
{
    struct lq_dumper *dumper;
    int status = lq_dumper_open(&dumper, path, err);
    if (status == LQ_OK)
        status = lq_dumper_infer(dumper, inputs, input_count, row, context, err);
    lq_dumper_close(dumper);
    return status;
}
