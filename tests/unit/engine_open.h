// Reads, describes and compiles a model in one call, for tests of the later steps.
#pragma once

#include "engine/engine.h"

static inline int engine_describe(const struct lq_engine_ops *ops, const char *path,
                                  struct lq_tensors *tensors, struct lq_error *err)
{
    struct lq_engine_model *model;
    int status = ops->read(&model, &(struct lq_engine_source){.path = path}, err);
    if (status == LQ_OK)
        *tensors = model->tensors;
    ops->forget(model);
    return status;
}

static inline int engine_open(const struct lq_engine_ops *ops, struct lq_engine **engine,
                              const char *path, const struct lq_engine_options *options,
                              struct lq_error *err)
{
    struct lq_engine_model *model;
    *engine = NULL;
    int status = ops->read(&model, &(struct lq_engine_source){.path = path}, err);
    if (status == LQ_OK)
        status = ops->compile(engine, model, options, err);
    ops->forget(model);
    return status;
}
