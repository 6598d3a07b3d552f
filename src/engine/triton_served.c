#include "engine/triton_served.h"

#include <stdlib.h>

#include "base/clock.h"
#include "engine/kserve.h"
#include "engine/triton_call.h"

enum { REQUEST_MS = 1000 };

// [3,h,w] or [h,w,3]: the model takes one picture at a time.
static bool has_no_batch(const struct lq_tensors *tensors)
{
    const struct lq_tensor *input = &tensors->inputs[0];
    return tensors->input_count == 1 && input->rank == 3 &&
           (input->dims[0] == 3 || input->dims[2] == 3);
}

// Converts a served model's tensors to what callers see: a batch of one in single precision. A u8
// picture becomes one of floats in 0..1.
static void present(struct lq_tensors *tensors)
{
    bool unbatched = has_no_batch(tensors);
    for (int i = 0; i < tensors->input_count + tensors->output_count; i++) {
        struct lq_tensor *tensor = lq_tensor_at(tensors, i);
        bool bytes = tensor->type == LQ_TENSOR_U8 && i < tensors->input_count;
        bool wide = tensor->type == LQ_TENSOR_F64 && i >= tensors->input_count;
        if (tensor->type == LQ_TENSOR_F16 || bytes || wide)
            tensor->type = LQ_TENSOR_F32;
        if (unbatched)
            *tensor = lq_triton_with_batch(tensor, tensor, true);
        if (tensor->rank > 0 && tensor->dims[0] == -1)
            tensor->dims[0] = 1;
    }
    tensors->fixed = true;
}

// Requests a document about the model from one server after another. A missing or optional document
// does not count as the server's failure.
static int get(struct lq_triton_call *call, const char *tail, bool needed, struct lq_error *err)
{
    struct lq_triton_pool *pool = call->model->pool;
    int status = lq_triton_pool_explain(pool, err);
    struct lq_triton_server *server = NULL;
    for (int i = 0; i < LQ_REMOTE_URLS_MAX && status != LQ_OK; i++) {
        server = lq_triton_pool_take(pool, server);
        if (!server)
            break;
        status = lq_triton_get(call, server, tail, lq_clock_us() + REQUEST_MS * 1000u, err);
        bool failed = status != LQ_OK && status != LQ_ERR_MODEL && needed;
        lq_triton_pool_give(pool, server, failed ? status : LQ_OK, err);
        if (status != LQ_OK)
            lq_fail_within(err, "triton %.90s", server->url);
    }
    return status;
}

// Reads the tensors from the model's metadata, which the caller keeps.
static int read_tensors(struct lq_triton_served *own, struct lq_triton_call *call,
                        struct lq_buf *metadata, struct lq_error *err)
{
    int status = get(call, "", true, err);
    if (status == LQ_OK && lq_buf_append(metadata, call->reply.data, call->reply.len) != LQ_OK)
        status = lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    if (status == LQ_OK)
        status = lq_kserve_read_model(&own->model.tensors, metadata->data, metadata->len, err);
    if (status == LQ_OK)
        present(&own->model.tensors);
    return status;
}

// Reads the sidecar from Triton's model configuration, or from the metadata if the server has no
// such configuration.
static int read_sidecar(struct lq_triton_served *own, struct lq_triton_call *call,
                        const struct lq_buf *metadata, struct lq_error *err)
{
    static const char key[] = "lacquer";
    struct lq_error why; // ignored: not every server has or shows one
    struct lq_buf *json = &own->model.sidecar;
    int status = LQ_OK;
    if (get(call, "/config", false, &why) == LQ_OK)
        status = lq_kserve_read_parameter(json, key, call->reply.data, call->reply.len, err);
    if (status == LQ_OK && json->len == 0)
        status = lq_kserve_read_parameter(json, key, metadata->data, metadata->len, err);
    return status;
}

// Describes the model when no server did (`status` and `why` say why not): the fallback's file
// stands in.
static int describe_without(struct lq_triton_served *own, int status, const struct lq_error *why,
                            struct lq_error *err)
{
    if (status == LQ_ERR_ARGUMENT)
        return lq_fail(err, status, "%s", why->text);
    if (own->fallback.model) {
        own->model.tensors = own->fallback.model->tensors;
        return LQ_OK;
    }
    if (status == LQ_ERR_NOT_FOUND)
        return lq_fail(err, LQ_ERR_MODEL, "%.220s; --triton-model names one", why->text);
    return lq_fail(err, status, "%.180s; start it, or give --fallback openvino", why->text);
}

static int describe(struct lq_triton_served *own, struct lq_error *err)
{
    struct lq_triton_model model = {.pool = own->pool};
    struct lq_triton_call call = {0};
    struct lq_error why;
    struct lq_buf metadata;
    lq_buf_init(&metadata, LQ_KSERVE_JSON_MAX);
    int status = lq_triton_call_init(&call, &model, NULL, &why);
    if (status == LQ_OK)
        status = read_tensors(own, &call, &metadata, &why);
    status = status == LQ_OK ? read_sidecar(own, &call, &metadata, err)
                             : describe_without(own, status, &why, err);
    lq_triton_call_release(&call);
    lq_buf_release(&metadata);
    return status;
}

void lq_triton_served_forget(struct lq_engine_model *model)
{
    struct lq_triton_served *own = (struct lq_triton_served *)model;
    if (!own)
        return;
    lq_fallback_forget(&own->fallback);
    lq_triton_pool_close(own->pool);
    lq_engine_model_release(&own->model);
    free(own);
}

int lq_triton_served_read(struct lq_engine_model **out, const struct lq_engine_source *source,
                          struct lq_error *err)
{
    *out = NULL;
    const struct lq_remote_options *remote = &source->remote;
    struct lq_triton_served *own = calloc(1, sizeof *own);
    if (!own)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    own->timeout_us = (uint64_t)remote->timeout_ms * 1000;
    int status = lq_engine_model_init(&own->model, source, err);
    if (status == LQ_OK)
        status = lq_triton_pool_open(&own->pool, remote, err);
    if (status == LQ_OK && remote->fallback)
        status = lq_fallback_read(&own->fallback, remote->fallback, source, err);
    if (status == LQ_OK)
        status = describe(own, err);
    if (status != LQ_OK)
        lq_triton_served_forget(&own->model);
    else
        *out = &own->model;
    return status;
}
