#include "engine/fallback.h"

#include <string.h>

int lq_fallback_open(struct lq_fallback *fallback, const char *name, const char *path,
                     const struct lq_engine_options *options, struct lq_error *err)
{
    fallback->ops = lq_engine_find(name, err);
    if (!fallback->ops)
        return LQ_ERR_ARGUMENT;
    int status = fallback->ops->probe(err);
    if (status == LQ_OK)
        status = fallback->ops->open(&fallback->engine, path, options, err);
    return status;
}

void lq_fallback_close(struct lq_fallback *fallback)
{
    if (fallback->ops)
        fallback->ops->close(fallback->engine);
    *fallback = (struct lq_fallback){0};
}

int lq_fallback_run(const struct lq_fallback *fallback, struct lq_request *request,
                    const struct lq_tensors *tensors, uint64_t deadline_us, struct lq_error *err)
{
    const struct lq_tensors *own = fallback->ops->request_tensors(request);
    for (int i = 0; i < own->input_count; i++)
        memcpy(own->inputs[i].data, tensors->inputs[i].data, lq_tensor_bytes(&own->inputs[i]));
    int status = fallback->ops->run(request, deadline_us, err);
    for (int i = 0; i < own->output_count && status == LQ_OK; i++)
        memcpy(tensors->outputs[i].data, own->outputs[i].data, lq_tensor_bytes(&own->outputs[i]));
    return status;
}
