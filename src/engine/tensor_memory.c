#include "engine/tensor_memory.h"

#include <stdlib.h>

static void free_list(struct lq_tensor *tensors, int count)
{
    for (int i = 0; i < count; i++) {
        free(tensors[i].data);
        tensors[i].data = NULL;
    }
}

void lq_tensors_free(struct lq_tensors *tensors)
{
    free_list(tensors->inputs, tensors->input_count);
    free_list(tensors->outputs, tensors->output_count);
}

static int alloc_list(struct lq_tensor *tensors, int count, struct lq_error *err)
{
    for (int i = 0; i < count; i++) {
        size_t bytes = lq_tensor_bytes(&tensors[i]);
        if (bytes == 0)
            return lq_fail(err, LQ_ERR_MODEL, "the size of tensor '%.60s' is open",
                           tensors[i].name);
        tensors[i].data = calloc(1, bytes);
        if (!tensors[i].data)
            return lq_fail(err, LQ_ERR_MEMORY, "out of memory for tensor '%.60s'",
                           tensors[i].name);
    }
    return LQ_OK;
}

int lq_tensors_alloc(struct lq_tensors *tensors, struct lq_error *err)
{
    for (int i = 0; i < LQ_TENSORS_MAX; i++)
        tensors->inputs[i].data = tensors->outputs[i].data = NULL;
    int status = alloc_list(tensors->inputs, tensors->input_count, err);
    if (status == LQ_OK)
        status = alloc_list(tensors->outputs, tensors->output_count, err);
    if (status != LQ_OK)
        lq_tensors_free(tensors);
    return status;
}
