#include "engine/triton_call.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/f16.h"
#include "engine/kserve.h"

enum { URL_MAX = LQ_REMOTE_URL_MAX + LQ_TENSOR_NAME_MAX + LQ_SHARED_NAME_MAX + 96, FORGET_MS = 200 };

int lq_triton_call_init(struct lq_triton_call *call, struct lq_triton_model *model,
                        struct lq_tensors *tensors, struct lq_error *err)
{
    *call = (struct lq_triton_call){.model = model, .tensors = tensors};
    lq_buf_init(&call->reply, LQ_TENSOR_BYTES_MAX);
    lq_buf_init(&call->json, LQ_KSERVE_JSON_MAX);
    lq_buf_init(&call->memory_json, LQ_KSERVE_JSON_MAX);
    lq_buf_init(&call->converted, LQ_TENSOR_BYTES_MAX);
    return lq_http_new(&call->http, err);
}

// ---- asking

static int ask(struct lq_triton_call *call, struct lq_http_call *http, size_t reply_max,
               struct lq_error *err)
{
    call->reply.max = reply_max;
    http->reply = &call->reply;
    int status = lq_http_call(call->http, http, err);
    if (status != LQ_OK || http->http_status == 200)
        return status;
    char words[128];
    lq_kserve_read_refusal(words, sizeof words, call->reply.data, call->reply.len);
    // What it holds against us (4xx) will not change by asking again; its own trouble may.
    bool ours = http->http_status >= 400 && http->http_status < 500;
    return lq_fail(err, ours ? LQ_ERR_MODEL : LQ_ERR_UNAVAILABLE, "it answers HTTP %d: %s",
                   http->http_status, words);
}

int lq_triton_get(struct lq_triton_call *call, struct lq_triton_server *server, const char *tail,
                  uint64_t deadline_us, struct lq_error *err)
{
    char url[URL_MAX];
    lq_triton_pool_url(call->model->pool, server, tail, url, sizeof url);
    struct lq_http_call http = {.url = url, .deadline_us = deadline_us};
    return ask(call, &http, LQ_KSERVE_JSON_MAX, err);
}

// ---- what travels

static int find(const struct lq_tensor *tensors, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(tensors[i].name, name) == 0)
            return i;
    return -1;
}

// Numbers travel in single or half precision; a picture in bytes, too.
static bool can_travel(enum lq_tensor_type type, const struct lq_tensor *ours, bool input)
{
    bool picture = input && ours->rank == 4 && lq_tensor_count(ours) % 3 == 0;
    return type == LQ_TENSOR_F32 || type == LQ_TENSOR_F16 || (type == LQ_TENSOR_U8 && picture);
}

// Ours in the order we have them, by name where the server knows all our names, else by place.
static int match(struct lq_tensor *wire, const struct lq_tensor *ours, int count,
                 const struct lq_tensor *theirs, bool inputs, struct lq_error *err)
{
    bool named = true;
    for (int i = 0; i < count; i++)
        named &= find(theirs, count, ours[i].name) >= 0;
    for (int i = 0; i < count; i++) {
        const struct lq_tensor *their = &theirs[named ? find(theirs, count, ours[i].name) : i];
        wire[i] = ours[i];
        wire[i].data = NULL;
        memcpy(wire[i].name, their->name, sizeof wire[i].name);
        wire[i].type = their->type;
        if (!can_travel(their->type, &ours[i], inputs))
            return lq_fail(err, LQ_ERR_MODEL,
                           "its model's %s '%.60s' is %s: only FP32, FP16 and, for a picture that "
                           "goes in, UINT8 are spoken here", inputs ? "input" : "output",
                           their->name, lq_tensor_type_name(their->type));
        bool fits = ours[i].rank == 0 || ours[i].rank == their->rank;
        for (int d = 0; d < ours[i].rank && fits; d++)
            fits = their->dims[d] == -1 || their->dims[d] == ours[i].dims[d];
        if (!fits)
            return lq_fail(err, LQ_ERR_MODEL,
                           "its model's %s '%.60s' has another shape than ours",
                           inputs ? "input" : "output",
                           their->name);
    }
    return LQ_OK;
}

static bool alike(const struct lq_tensor *a, const struct lq_tensor *b, int count)
{
    bool same = true;
    for (int i = 0; i < count && same; i++)
        same = strcmp(a[i].name, b[i].name) == 0 && a[i].type == b[i].type &&
               a[i].rank == b[i].rank &&
               memcmp(a[i].dims, b[i].dims, sizeof a->dims[0] * (size_t)a[i].rank) == 0;
    return same;
}

// Keeps what a server said; a wire that another server has too gets that one's version.
static void keep(struct lq_triton_model *model, int index, const struct lq_tensors *wire,
                 unsigned epoch)
{
    pthread_mutex_lock(&model->lock);
    unsigned version = 0;
    for (int i = 0; i < LQ_REMOTE_URLS_MAX && !version; i++) {
        const struct lq_tensors *other = &model->wires[i].tensors;
        if (model->wires[i].version && alike(other->inputs, wire->inputs, wire->input_count) &&
            alike(other->outputs, wire->outputs, wire->output_count))
            version = model->wires[i].version;
    }
    model->wires[index] = (struct lq_triton_wire){
        .tensors = *wire, .version = version ? version : ++model->versions, .epoch = epoch};
    pthread_mutex_unlock(&model->lock);
}

// Reads the model's metadata from a server and holds it against ours.
static int learn(struct lq_triton_call *call, struct lq_triton_server *server,
                 uint64_t deadline_us, struct lq_error *err)
{
    struct lq_triton_model *model = call->model;
    struct lq_tensors theirs, wire = {0};
    unsigned epoch = lq_triton_pool_epoch(model->pool, server);
    int status = lq_triton_get(call, server, "", deadline_us, err);
    if (status == LQ_OK)
        status = lq_kserve_read_model(&theirs, call->reply.data, call->reply.len, err);
    if (status != LQ_OK)
        return status;
    wire.input_count = model->tensors.input_count;
    wire.output_count = model->tensors.output_count;
    if (theirs.input_count != wire.input_count || theirs.output_count != wire.output_count)
        return lq_fail(err, LQ_ERR_MODEL, "its model has %d inputs and %d outputs, ours %d and %d",
                       theirs.input_count, theirs.output_count, wire.input_count,
                       wire.output_count);
    status = match(wire.inputs, model->tensors.inputs, wire.input_count, theirs.inputs, true,
                   err);
    if (status == LQ_OK)
        status = match(wire.outputs, model->tensors.outputs, wire.output_count, theirs.outputs,
                       false, err);
    if (status == LQ_OK)
        keep(model, lq_triton_pool_index(model->pool, server), &wire, epoch);
    return status;
}

void lq_triton_keep_shapes(const struct lq_triton_call *call)
{
    struct lq_triton_model *model = call->model;
    for (int i = 0; i < call->wire.output_count; i++) {
        struct lq_tensor *ours = &model->tensors.outputs[i];
        ours->rank = call->wire.outputs[i].rank;
        memcpy(ours->dims, call->wire.outputs[i].dims, sizeof ours->dims);
    }
    for (int i = 0; i < LQ_REMOTE_URLS_MAX; i++)
        if (model->wires[i].version == call->wire_version)
            model->wires[i].tensors = call->wire;
}

static size_t align(size_t size)
{
    return (size + 63) / 64 * 64;
}

// Bytes of all tensors, each at a multiple of 64; where each begins goes to the region.
static size_t lay_out(const struct lq_tensors *wire, struct lq_kserve_region *region)
{
    size_t at = 0;
    for (int i = 0; i < wire->input_count; i++) {
        region->input_at[i] = at;
        at += align(lq_tensor_bytes(&wire->inputs[i]));
    }
    for (int i = 0; i < wire->output_count; i++) {
        region->output_at[i] = at;
        at += align(lq_tensor_bytes(&wire->outputs[i]));
    }
    return at;
}

static void drop_memory(struct lq_triton_call *call);

// Brings the call up to what is known of the server's model.
static int follow(struct lq_triton_call *call, struct lq_triton_server *server,
                  uint64_t deadline_us, struct lq_error *err)
{
    struct lq_triton_model *model = call->model;
    for (;;) {
        unsigned epoch = lq_triton_pool_epoch(model->pool, server);
        pthread_mutex_lock(&model->lock);
        struct lq_triton_wire wire = model->wires[lq_triton_pool_index(model->pool, server)];
        pthread_mutex_unlock(&model->lock);
        bool known = wire.version && wire.epoch == epoch;
        if (known && wire.version == call->wire_version)
            return LQ_OK;
        if (known) {
            drop_memory(call);
            call->wire = wire.tensors;
            lq_buf_clear(&call->json);
            int status = lq_kserve_print_request(&call->json, &call->wire, NULL, err);
            call->wire_version = status == LQ_OK ? wire.version : 0;
            return status;
        }
        int status = learn(call, server, deadline_us, err);
        if (status != LQ_OK)
            return status;
    }
}

// What came does not fit what we know: ask again before the next request.
static void forget(struct lq_triton_model *model, const struct lq_triton_server *server)
{
    pthread_mutex_lock(&model->lock);
    model->wires[lq_triton_pool_index(model->pool, server)].version = 0;
    pthread_mutex_unlock(&model->lock);
}

// ---- shared memory

static int tell_memory(struct lq_triton_call *call, const struct lq_triton_server *server,
                       const char *name, const char *verb, uint64_t deadline_us,
                       struct lq_error *err)
{
    char url[URL_MAX], body[160];
    // The object's name without its slash is also the region's.
    snprintf(url, sizeof url, "%s/v2/systemsharedmemory/region/%s/%s", server->url, name + 1, verb);
    int len = snprintf(body, sizeof body, "{\"key\":\"%s\",\"offset\":0,\"byte_size\":%zu}", name,
                       call->memory.size);
    struct lq_http_call http = {.url = url, .post = strcmp(verb, "status") != 0,
                                .deadline_us = deadline_us};
    if (strcmp(verb, "register") == 0) {
        http.body[0] = (struct lq_http_span){body, (size_t)len};
        http.body_count = 1;
    }
    return ask(call, &http, LQ_KSERVE_JSON_MAX, err);
}

// Nobody who still knows the object can reach what is shared from now on.
static void drop_memory(struct lq_triton_call *call)
{
    for (int i = 0; i < LQ_REMOTE_URLS_MAX; i++)
        if (call->registered[i]) {
            memcpy(call->stale[i], call->memory.name, sizeof call->stale[i]);
            call->registered[i] = 0;
        }
    lq_shared_memory_release(&call->memory);
}

static int make_memory(struct lq_triton_call *call, struct lq_error *err)
{
    struct lq_kserve_region region;
    size_t size = lay_out(&call->wire, &region);
    int status = lq_shared_memory_init(&call->memory, size, err);
    if (status != LQ_OK)
        return status;
    region.name = call->memory.name + 1;
    lq_buf_clear(&call->memory_json);
    return lq_kserve_print_request(&call->memory_json, &call->wire, &region, err);
}

// Whether this request can go by shared memory; makes and registers it where it is not yet.
static bool share_memory(struct lq_triton_call *call, struct lq_triton_server *server,
                         uint64_t deadline_us)
{
    struct lq_triton_pool *pool = call->model->pool;
    struct lq_error err;
    unsigned epoch;
    int index = lq_triton_pool_index(pool, server);
    if (!lq_triton_pool_memory(pool, server, &epoch) || call->memory_failed)
        return false;
    for (int i = 0; i < call->wire.output_count; i++)
        if (call->wire.outputs[i].rank == 0)
            return false; // their sizes are not known yet
    if (call->memory.data && call->registered[index] == epoch + 1)
        return true;
    if (!call->memory.data && make_memory(call, &err) != LQ_OK) {
        lq_log_warn("frames go to Triton over HTTP: %s", err.text);
        call->memory_failed = true;
        return false;
    }
    if (call->stale[index][0]) {
        (void)!tell_memory(call, server, call->stale[index], "unregister", deadline_us, &err);
        call->stale[index][0] = '\0';
    }
    int status = tell_memory(call, server, call->memory.name, "register", deadline_us, &err);
    // A server that was out but not restarted knows it already.
    if (status == LQ_ERR_MODEL &&
        tell_memory(call, server, call->memory.name, "status", deadline_us, NULL) == LQ_OK &&
        memmem(call->reply.data, call->reply.len, call->memory.name, strlen(call->memory.name)))
        status = LQ_OK;
    if (status == LQ_OK) {
        call->registered[index] = epoch + 1;
        return true;
    }
    if (lq_triton_pool_refuse_memory(pool, server))
        lq_log_info("frames go to triton %s over HTTP, it takes no shared memory: %s", server->url,
                    err.text);
    return false;
}

// ---- inference

// No answer may be longer than the JSON and the outputs we know.
static size_t reply_max(const struct lq_tensors *wire)
{
    size_t most = LQ_KSERVE_JSON_MAX;
    for (int i = 0; i < wire->output_count; i++)
        most += wire->outputs[i].rank ? lq_tensor_bytes(&wire->outputs[i]) : LQ_TENSOR_BYTES_MAX;
    return most;
}

static void to_wire(const struct lq_triton_model *model, const struct lq_tensor *wire,
                    const struct lq_tensor *ours, void *out)
{
    if (wire->type == LQ_TENSOR_U8)
        lq_u8_from_f32(out, ours->data, lq_tensor_count(ours), &model->pixels);
    else if (wire->type == LQ_TENSOR_F16)
        lq_f16_from_f32(out, ours->data, lq_tensor_count(ours));
    else
        memcpy(out, ours->data, lq_tensor_bytes(ours));
}

static void from_wire(const struct lq_tensor *wire, const struct lq_tensor *ours, const void *in)
{
    if (!ours->data)
        return;
    if (wire->type == LQ_TENSOR_F16)
        lq_f16_to_f32(ours->data, in, lq_tensor_count(ours));
    else
        memcpy(ours->data, in, lq_tensor_bytes(ours));
}

static int infer_by_memory(struct lq_triton_call *call, const char *url, uint64_t deadline_us,
                           struct lq_error *err)
{
    struct lq_kserve_region region;
    uint8_t *memory = call->memory.data;
    lay_out(&call->wire, &region);
    for (int i = 0; i < call->wire.input_count; i++)
        to_wire(call->model, &call->wire.inputs[i], &call->tensors->inputs[i],
                memory + region.input_at[i]);
    struct lq_http_call http = {.url = url, .post = true, .deadline_us = deadline_us,
                                .body = {{call->memory_json.data, call->memory_json.len}},
                                .body_count = 1, .head_len = (long)call->memory_json.len};
    int status = ask(call, &http, LQ_KSERVE_JSON_MAX, err);
    if (status == LQ_OK)
        status = lq_kserve_read_reply(&call->wire, call->reply.data, call->reply.len,
                                      http.reply_head_len, false, NULL, err);
    for (int i = 0; i < call->wire.output_count && status == LQ_OK; i++)
        from_wire(&call->wire.outputs[i], &call->tensors->outputs[i],
                  memory + region.output_at[i]);
    return status;
}

// f32 inputs are sent from where they lie; others are made first.
static int fill_body(struct lq_triton_call *call, struct lq_http_call *http, struct lq_error *err)
{
    size_t bytes = 0;
    for (int i = 0; i < call->wire.input_count; i++)
        if (call->wire.inputs[i].type != LQ_TENSOR_F32)
            bytes += align(lq_tensor_bytes(&call->wire.inputs[i]));
    http->body[0] = (struct lq_http_span){call->json.data, call->json.len};
    http->body_count = 1 + call->wire.input_count;
    if (lq_buf_resize(&call->converted, bytes) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for an inference request");
    uint8_t *made = call->converted.data;
    for (int i = 0; i < call->wire.input_count; i++) {
        const struct lq_tensor *wire = &call->wire.inputs[i], *ours = &call->tensors->inputs[i];
        const void *from = ours->data;
        if (wire->type != LQ_TENSOR_F32) {
            to_wire(call->model, wire, ours, made);
            from = made;
            made += align(lq_tensor_bytes(wire));
        }
        http->body[1 + i] = (struct lq_http_span){from, lq_tensor_bytes(wire)};
    }
    return LQ_OK;
}

static int infer_by_http(struct lq_triton_call *call, const char *url, uint64_t deadline_us,
                         struct lq_error *err)
{
    const uint8_t *parts[LQ_TENSORS_MAX];
    struct lq_http_call http = {.url = url, .post = true, .deadline_us = deadline_us,
                                .head_len = (long)call->json.len};
    int status = fill_body(call, &http, err);
    if (status == LQ_OK)
        status = ask(call, &http, reply_max(&call->wire), err);
    if (status == LQ_OK)
        status = lq_kserve_read_reply(&call->wire, call->reply.data, call->reply.len,
                                      http.reply_head_len, true, parts, err);
    for (int i = 0; i < call->wire.output_count && status == LQ_OK; i++)
        from_wire(&call->wire.outputs[i], &call->tensors->outputs[i], parts[i]);
    return status;
}

int lq_triton_infer(struct lq_triton_call *call, struct lq_triton_server *server,
                    uint64_t deadline_us, struct lq_error *err)
{
    char url[URL_MAX];
    int status = follow(call, server, deadline_us, err);
    if (status != LQ_OK)
        return status;
    lq_triton_pool_url(call->model->pool, server, "/infer", url, sizeof url);
    if (!share_memory(call, server, deadline_us)) {
        status = infer_by_http(call, url, deadline_us, err);
    } else {
        status = infer_by_memory(call, url, deadline_us, err);
        // A late answer would be written over a later frame's: that memory is given up. And a
        // server restarted between two frames does not know it; such a one is told anew.
        if (status != LQ_OK)
            drop_memory(call);
        if (status == LQ_ERR_MODEL && share_memory(call, server, deadline_us))
            status = infer_by_memory(call, url, deadline_us, err);
    }
    if (status == LQ_ERR_MODEL || status == LQ_ERR_ENGINE)
        forget(call->model, server);
    return status;
}

void lq_triton_call_release(struct lq_triton_call *call)
{
    struct lq_error err;
    if (call->model)
        drop_memory(call);
    for (int i = 0; call->http && i < LQ_REMOTE_URLS_MAX; i++) {
        struct lq_triton_server *server =
            call->stale[i][0] ? lq_triton_pool_server(call->model->pool, i) : NULL;
        if (server) // it is in; a server that is away forgets by itself
            (void)!tell_memory(call, server, call->stale[i], "unregister",
                               lq_clock_us() + FORGET_MS * 1000u, &err);
    }
    lq_http_free(call->http);
    lq_buf_release(&call->reply);
    lq_buf_release(&call->json);
    lq_buf_release(&call->memory_json);
    lq_buf_release(&call->converted);
}
