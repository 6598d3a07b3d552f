#include "model/precision.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum { ROUNDS = 5, RACE_US_MAX = 500 * 1000 };

struct racer {
    struct lq_engine *engine;
    struct lq_request *request;
    uint64_t best_us;
};

static int enter(struct racer *racer, const struct lq_engine_ops *ops,
                 struct lq_engine_model *model, struct lq_engine_options options,
                 enum lq_precision precision, struct lq_error *err)
{
    options.precision = precision;
    int status = ops->compile(&racer->engine, model, &options, err);
    if (status == LQ_OK)
        status = ops->request_new(&racer->request, racer->engine, err);
    if (status != LQ_OK)
        return status;
    const struct lq_tensors *tensors = ops->request_tensors(racer->request);
    for (int i = 0; i < tensors->input_count; i++)
        memset(tensors->inputs[i].data, 0, lq_tensor_bytes(&tensors->inputs[i]));
    racer->best_us = UINT64_MAX;
    return ops->run(racer->request, 0, err); // warm-up run
}

static int lap(struct racer *racer, const struct lq_engine_ops *ops, struct lq_error *err)
{
    uint64_t from_us = lq_clock_us();
    int status = ops->run(racer->request, 0, err);
    uint64_t took_us = lq_clock_us() - from_us;
    racer->best_us = took_us < racer->best_us ? took_us : racer->best_us;
    return status;
}

int lq_precision_race(const struct lq_engine_ops *ops, struct lq_engine_model *model,
                      const struct lq_engine_options *options, enum lq_precision *faster,
                      struct lq_engine **winner, struct lq_error *err)
{
    *winner = NULL;
    struct racer full = {0}, half = {0};
    int status = enter(&full, ops, model, *options, LQ_PRECISION_F32, err);
    if (status == LQ_OK)
        status = enter(&half, ops, model, *options, LQ_PRECISION_BF16, err);
    bool f32_only = status == LQ_ERR_UNAVAILABLE; // there is nothing to compare f32 with
    if (f32_only) {
        lq_log_debug("%s", err->text);
        status = LQ_OK;
    }
    uint64_t from_us = lq_clock_us();
    for (int i = 0; status == LQ_OK && !f32_only && i < ROUNDS; i++) {
        if (i > 0 && lq_clock_us() - from_us > RACE_US_MAX)
            break;
        status = lap(&full, ops, err);
        if (status == LQ_OK)
            status = lap(&half, ops, err);
    }
    // Only by a clear margin, so that noise does not decide the precision.
    bool half_wins = !f32_only && (double)half.best_us < (double)full.best_us * 0.85;
    *faster = half_wins ? LQ_PRECISION_BF16 : LQ_PRECISION_F32;
    if (status == LQ_OK && !f32_only)
        lq_log_debug("a frame takes %.1f ms in f32, %.1f ms in bf16", (double)full.best_us / 1000,
                     (double)half.best_us / 1000);
    ops->request_free(half.request);
    ops->request_free(full.request);
    if (status == LQ_OK)
        *winner = half_wins ? half.engine : full.engine;
    if (half.engine != *winner)
        ops->close(half.engine);
    if (full.engine != *winner)
        ops->close(full.engine);
    return status;
}
