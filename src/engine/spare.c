#include "engine/spare.h"

#include <string.h>

int lq_spare_open(struct lq_spare *spare, const char *name, const char *path,
                  const struct lq_engine_options *options, struct lq_error *err)
{
    spare->ops = lq_engine_find(name, err);
    if (!spare->ops)
        return LQ_ERR_ARGUMENT;
    int status = spare->ops->probe(err);
    if (status == LQ_OK)
        status = spare->ops->open(&spare->engine, path, options, err);
    return status;
}

void lq_spare_close(struct lq_spare *spare)
{
    if (spare->ops)
        spare->ops->close(spare->engine);
    *spare = (struct lq_spare){0};
}

int lq_spare_run(const struct lq_spare *spare, struct lq_request *request,
                 const struct lq_tensors *tensors, uint64_t deadline_us, struct lq_error *err)
{
    const struct lq_tensors *own = spare->ops->request_tensors(request);
    for (int i = 0; i < own->input_count; i++)
        memcpy(own->inputs[i].data, tensors->inputs[i].data, lq_tensor_bytes(&own->inputs[i]));
    int status = spare->ops->run(request, deadline_us, err);
    for (int i = 0; i < own->output_count && status == LQ_OK; i++)
        memcpy(tensors->outputs[i].data, own->outputs[i].data, lq_tensor_bytes(&own->outputs[i]));
    return status;
}
