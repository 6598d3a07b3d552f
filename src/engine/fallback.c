#include "engine/fallback.h"

#include <string.h>

int lq_fallback_read(struct lq_fallback_model *fallback, const char *engine,
                     const struct lq_engine_source *source, struct lq_error *err)
{
    const struct lq_engine_source file = {.path = source->path, .name = source->name};
    int status = LQ_ERR_ARGUMENT;
    fallback->ops = lq_engine_find(engine, err);
    if (fallback->ops)
        status = fallback->ops->probe(NULL, err);
    if (status == LQ_OK)
        status = fallback->ops->read(&fallback->model, &file, err);
    return status == LQ_OK ? LQ_OK : lq_fail_within(err, "cannot open the fallback");
}

void lq_fallback_forget(struct lq_fallback_model *fallback)
{
    if (fallback->ops)
        fallback->ops->forget(fallback->model);
    *fallback = (struct lq_fallback_model){0};
}

int lq_fallback_compile(struct lq_fallback *fallback, const struct lq_fallback_model *from,
                        const struct lq_engine_options *options, struct lq_error *err)
{
    fallback->ops = from->ops;
    int status = from->ops->compile(&fallback->engine, from->model, options, err);
    return status == LQ_OK ? LQ_OK : lq_fail_within(err, "cannot open the fallback");
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
