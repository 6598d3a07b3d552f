// A model on NVIDIA Triton, or any server with the KServe v2 protocol. The source's path names the
// local file of the same model: its sidecar is used, and a fallback runs it. A frame goes to the
// least busy and fastest server that is up (triton_pool.h). If that fails, it is tried once on
// another server; if no server is left, the fallback runs it.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/list.h"
#include "engine/triton_served.h"
#include "engine/triton_steps.h"

// A server that speaks only JSON prints and parses about 100,000 numbers: it gets more time.
enum { TIMEOUT_MS = 1000, JSON_TIMEOUT_MS = 10000, OPEN_MS = 30000 };

struct lq_engine {
    struct lq_triton_model model;
    struct lq_fallback fallback;
    uint64_t timeout_us;
};

struct lq_request {
    struct lq_engine *engine;
    struct lq_tensors tensors;
    void *memory; // memory of `tensors`
    struct lq_triton_call call;
    struct lq_request *fallback;
};

// Number of frames that a fallback ran, and whether it ran the last one (to log only changes).
static atomic_uint_fast64_t fallback_frames;
static atomic_bool on_fallback;

static uint64_t in_ms(int ms)
{
    return lq_clock_us() + (uint64_t)ms * 1000;
}

static int triton_probe(const struct lq_engine_parts *parts, struct lq_error *err)
{
    (void)parts;
    struct lq_http *http = NULL;
    int status = lq_http_new(&http, err);
    lq_http_free(http);
    return status;
}

// ---- requests

static void triton_request_free(struct lq_request *request)
{
    if (!request)
        return;
    if (request->fallback)
        request->engine->fallback.ops->request_free(request->fallback);
    lq_triton_call_release(&request->call);
    free(request->memory);
    free(request);
}

static int triton_request_new(struct lq_request **out, struct lq_engine *engine,
                              struct lq_error *err)
{
    *out = NULL;
    struct lq_request *request = calloc(1, sizeof *request);
    if (!request)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for an inference request");
    request->engine = engine;
    request->tensors = engine->model.tensors;
    int status = lq_tensors_place(&request->tensors, &request->memory, err);
    if (status != LQ_OK)
        lq_fail_within(err, "triton");
    else
        status = lq_triton_call_init(&request->call, &engine->model, &request->tensors, err);
    if (status == LQ_OK && engine->fallback.engine)
        status =
            engine->fallback.ops->request_new(&request->fallback, engine->fallback.engine, err);
    if (status != LQ_OK) {
        triton_request_free(request);
        return status;
    }
    *out = request;
    return LQ_OK;
}

static const struct lq_tensors *triton_request_tensors(struct lq_request *request)
{
    return &request->tensors;
}

// ---- running

// The frame's deadline ended the request early: that says nothing about the server.
static bool cut_short(int status, uint64_t began_us, uint64_t end_us, uint64_t timeout_us)
{
    return status == LQ_ERR_TIMEOUT && end_us < began_us + timeout_us / 2;
}

static uint64_t timeout_of(struct lq_engine *engine, const struct lq_triton_server *server)
{
    if (engine->timeout_us)
        return engine->timeout_us;
    bool json = lq_triton_way(&engine->model, server) == LQ_TRITON_WAY_JSON;
    return (json ? JSON_TIMEOUT_MS : TIMEOUT_MS) * 1000u;
}

static int try_server(struct lq_request *request, struct lq_triton_server *server,
                      uint64_t deadline_us, struct lq_error *err)
{
    struct lq_engine *engine = request->engine;
    uint64_t timeout_us = timeout_of(engine, server);
    uint64_t now = lq_clock_us(), end = now + timeout_us;
    if (deadline_us && deadline_us < end)
        end = deadline_us;
    int status = lq_triton_infer(&request->call, server, end, err);
    if (status == LQ_OK)
        lq_triton_pool_latency(engine->model.pool, server, lq_clock_us() - now);
    if (cut_short(status, now, end, timeout_us))
        lq_triton_pool_cut_short(engine->model.pool, server);
    else
        lq_triton_pool_give(engine->model.pool, server, status, err);
    if (status != LQ_OK)
        lq_fail_within(err, "triton %.90s", server->url);
    return status;
}

static int run_fallback(struct lq_request *request, uint64_t deadline_us,
                        const struct lq_error *why, struct lq_error *err)
{
    if (!atomic_exchange(&on_fallback, true))
        lq_log_warn("frames run on %s for now: %s", request->engine->fallback.ops->name, why->text);
    atomic_fetch_add_explicit(&fallback_frames, 1, memory_order_relaxed);
    return lq_fallback_run(&request->engine->fallback, request->fallback, &request->tensors,
                           deadline_us, err);
}

static int triton_run(struct lq_request *request, uint64_t deadline_us, struct lq_error *err)
{
    struct lq_triton_pool *pool = request->engine->model.pool;
    struct lq_error why;
    struct lq_triton_server *server = NULL;
    int status = lq_triton_pool_explain(pool, &why);
    for (int attempt = 0; attempt < 2 && status != LQ_OK; attempt++) {
        if (deadline_us && lq_clock_us() >= deadline_us)
            return lq_fail(err, LQ_ERR_TIMEOUT, "the frame is too old to be processed");
        server = lq_triton_pool_take(pool, server);
        if (!server)
            break;
        status = try_server(request, server, deadline_us, &why);
    }
    if (status == LQ_OK) {
        if (atomic_load_explicit(&on_fallback, memory_order_relaxed) &&
            atomic_exchange(&on_fallback, false))
            lq_log_info("frames run on triton again");
        return LQ_OK;
    }
    if (request->fallback && (!deadline_us || lq_clock_us() < deadline_us))
        return run_fallback(request, deadline_us, &why, err);
    // For the sender a missing model is the same as no server: nothing can run the frame.
    return lq_fail(err, status == LQ_ERR_NOT_FOUND ? LQ_ERR_UNAVAILABLE : status, "%s", why.text);
}

// ---- opening

static struct lq_u8_rule bytes_of(const struct lq_pixel_rule *pixels)
{
    struct lq_u8_rule rule = {.planes = pixels->channels_first};
    for (int c = 0; c < 3; c++) {
        rule.scale[c] = 255 * (pixels->std[c] > 0 ? pixels->std[c] : 1);
        rule.bias[c] = 255 * pixels->mean[c];
    }
    return rule;
}

static void triton_close(struct lq_engine *engine)
{
    if (!engine)
        return;
    lq_fallback_close(&engine->fallback);
    lq_triton_pool_close(engine->model.pool);
    pthread_mutex_destroy(&engine->model.lock);
    free(engine);
}

// With a fallback, the tensors are the fallback's.
static int open_fallback(struct lq_engine *engine, const struct lq_triton_served *own,
                         const struct lq_engine_options *options, struct lq_error *err)
{
    struct lq_request *request = NULL;
    int status = lq_fallback_compile(&engine->fallback, &own->fallback, options, err);
    if (status != LQ_OK)
        return status;
    status = engine->fallback.ops->request_new(&request, engine->fallback.engine, err);
    if (status != LQ_OK)
        return lq_fail_within(err, "cannot open the fallback");
    engine->model.tensors = *engine->fallback.ops->request_tensors(request);
    engine->fallback.ops->request_free(request);
    for (int i = 0; i < engine->model.tensors.input_count + engine->model.tensors.output_count; i++)
        lq_tensor_at(&engine->model.tensors, i)->data = NULL;
    return LQ_OK;
}

// Without a fallback, the tensors are the server's; its first response shows the outputs' shapes.
static int use_server_tensors(struct lq_engine *engine, const struct lq_triton_served *own,
                              const struct lq_engine_options *options, struct lq_error *err)
{
    struct lq_tensors *tensors = &engine->model.tensors;
    *tensors = own->model.tensors;
    if (options->shape_rank) {
        tensors->inputs[0].rank = options->shape_rank;
        memcpy(tensors->inputs[0].dims, options->shape, sizeof options->shape);
    }
    for (int i = 0; i < tensors->input_count; i++)
        if (lq_tensor_count(&tensors->inputs[i]) == 0)
            return lq_fail(err, LQ_ERR_MODEL, "input '%.60s' of Triton's model has no fixed size",
                           tensors->inputs[i].name);
    for (int i = 0; i < tensors->output_count; i++)
        tensors->outputs[i].rank = 0;
    return LQ_OK;
}

// Runs the model once on an empty picture, with enough time for a server that compiles first.
static int try_out(struct lq_engine *engine, struct lq_error *err)
{
    struct lq_request *request = NULL;
    int status = triton_request_new(&request, engine, err);
    struct lq_triton_server *server =
        status == LQ_OK ? lq_triton_pool_take(engine->model.pool, NULL) : NULL;
    if (status == LQ_OK && !server)
        status = lq_triton_pool_explain(engine->model.pool, err);
    if (server) {
        status = lq_triton_infer(&request->call, server, in_ms(OPEN_MS), err);
        lq_triton_pool_give(engine->model.pool, server, status, err);
        if (status != LQ_OK)
            lq_fail_within(err, "triton %.90s", server->url);
    }
    if (status == LQ_OK)
        lq_triton_keep_shapes(&request->call);
    triton_request_free(request);
    return status;
}

// If no server can run the model, the fallback gets the frames, unless the models do not match.
static int try_or_fall_back(struct lq_engine *engine, struct lq_error *err)
{
    struct lq_error why;
    int status = try_out(engine, &why);
    if (status == LQ_OK)
        return LQ_OK;
    if (!engine->fallback.engine || status == LQ_ERR_MODEL)
        return lq_fail(err, status, "%s", why.text);
    if (!atomic_exchange(&on_fallback, true))
        lq_log_warn("frames run on %s for now: %s", engine->fallback.ops->name, why.text);
    return LQ_OK;
}

static int triton_compile(struct lq_engine **out, struct lq_engine_model *model,
                          const struct lq_engine_options *options, struct lq_error *err)
{
    *out = NULL;
    const struct lq_triton_served *own = (const struct lq_triton_served *)model;
    struct lq_engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    pthread_mutex_init(&engine->model.lock, NULL);
    engine->model.pool = lq_triton_pool_share(own->pool);
    engine->model.pixels = bytes_of(&options->pixels);
    engine->timeout_us = own->timeout_us;
    int status = own->fallback.model ? open_fallback(engine, own, options, err)
                                     : use_server_tensors(engine, own, options, err);
    if (status == LQ_OK)
        status = try_or_fall_back(engine, err);
    if (status != LQ_OK)
        triton_close(engine);
    else
        *out = engine;
    return status;
}

static int triton_print_metrics(struct lq_buf *out)
{
    int status = lq_triton_pools_print(out);
    if (status == LQ_OK)
        status = lq_buf_printf(out, "# HELP lacquer_triton_fallback_frames_total Frames that ran "
                                    "here for want of a Triton server.\n"
                                    "# TYPE lacquer_triton_fallback_frames_total counter\n"
                                    "lacquer_triton_fallback_frames_total %llu\n",
                               (unsigned long long)atomic_load(&fallback_frames));
    return status;
}

const struct lq_engine_ops lq_engine_triton = {
    .name = "triton",
    .by_name_only = true,
    .summary = "NVIDIA Triton servers over HTTP (--triton-url, --triton-model)",
    .probe = triton_probe,
    .read = lq_triton_served_read,
    .forget = lq_triton_served_forget,
    .compile = triton_compile,
    .close = triton_close,
    .request_new = triton_request_new,
    .request_tensors = triton_request_tensors,
    .run = triton_run,
    .request_free = triton_request_free,
    .print_metrics = triton_print_metrics,
};
