#include "engine/triton_steps.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

enum { FORGET_MS = 200 };

int lq_triton_call_init(struct lq_triton_call *call, struct lq_triton_model *model,
                        struct lq_tensors *tensors, struct lq_error *err)
{
    *call = (struct lq_triton_call){.model = model, .tensors = tensors};
    lq_buf_init(&call->reply, LQ_TENSOR_BYTES_MAX);
    lq_buf_init(&call->json, LQ_KSERVE_JSON_MAX);
    lq_buf_init(&call->memory_json, LQ_KSERVE_JSON_MAX);
    lq_buf_init(&call->converted, LQ_TENSOR_BYTES_MAX);
    lq_buf_init(&call->text, LQ_TENSOR_BYTES_MAX);
    lq_buf_init(&call->rest, LQ_KSERVE_JSON_MAX);
    lq_buf_init(&call->numbers, LQ_TENSOR_BYTES_MAX);
    return lq_http_new(&call->http, err);
}

// ---- requests

int lq_triton_request(struct lq_triton_call *call, struct lq_http_call *http, size_t reply_max,
                      struct lq_error *err)
{
    call->reply.max = reply_max;
    http->reply = &call->reply;
    int status = lq_http_call(call->http, http, err);
    if (status != LQ_OK || http->http_status == 200)
        return status;
    char words[128];
    lq_kserve_read_refusal(words, sizeof words, call->reply.data, call->reply.len);
    // A 4xx is the request's fault and will repeat; any other failure may pass.
    bool ours = http->http_status >= 400 && http->http_status < 500;
    return lq_fail(err, ours ? LQ_ERR_MODEL : LQ_ERR_UNAVAILABLE, "it answers HTTP %d: %s",
                   http->http_status, words);
}

int lq_triton_get(struct lq_triton_call *call, struct lq_triton_server *server, const char *tail,
                  uint64_t deadline_us, struct lq_error *err)
{
    char url[LQ_TRITON_URL_MAX];
    lq_triton_pool_url(call->model->pool, server, tail, url, sizeof url);
    struct lq_http_call http = {.url = url, .deadline_us = deadline_us};
    return lq_triton_request(call, &http, LQ_KSERVE_JSON_MAX, err);
}

// ---- matching tensors

static int find(const struct lq_tensor *tensors, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(tensors[i].name, name) == 0)
            return i;
    return -1;
}

// Numbers are sent and received as f32 or f16; pictures can also be sent as u8, outputs received as
// f64.
static bool is_supported(enum lq_tensor_type type, const struct lq_tensor *ours, bool input)
{
    bool picture = input && ours->rank == 4 && lq_tensor_count(ours) % 3 == 0;
    return type == LQ_TENSOR_F32 || type == LQ_TENSOR_F16 || (type == LQ_TENSOR_U8 && picture) ||
           (type == LQ_TENSOR_F64 && !input);
}

// 1 if the server's model has no batch dimension, so that its tensors lack our first dimension.
static int first_dim(const struct lq_tensor *ours, const struct lq_tensor *theirs)
{
    return ours->rank == theirs->rank + 1 && ours->dims[0] == 1;
}

static bool fits(const struct lq_tensor *ours, const struct lq_tensor *theirs)
{
    int first = first_dim(ours, theirs);
    bool fit = ours->rank == 0 || ours->rank - first == theirs->rank;
    for (int d = first; d < ours->rank && fit; d++)
        fit = theirs->dims[d - first] == -1 || theirs->dims[d - first] == ours->dims[d];
    return fit;
}

// Pairs our tensors with the server's: by name if the server knows all our names, else by index. If
// the shapes do not fit by index, each takes the first unused one that fits, as exporters order
// them differently.
static void pair(int which[LQ_TENSORS_MAX], const struct lq_tensor *ours, int count,
                 const struct lq_tensor *theirs)
{
    bool named = true, placed = true;
    unsigned taken = 0;
    for (int i = 0; i < count; i++) {
        named &= find(theirs, count, ours[i].name) >= 0;
        placed &= fits(&ours[i], &theirs[i]);
    }
    for (int i = 0; i < count; i++) {
        which[i] = named ? find(theirs, count, ours[i].name) : i;
        for (int j = 0; j < count && !named && !placed; j++)
            if (!(taken & 1u << j) && fits(&ours[i], &theirs[j])) {
                which[i] = j;
                break;
            }
        taken |= 1u << which[i];
    }
}

// Sorts the server's tensors into our order.
static int match(struct lq_tensor *wire, const struct lq_tensor *ours, int count,
                 const struct lq_tensor *theirs, bool inputs, struct lq_error *err)
{
    int which[LQ_TENSORS_MAX];
    const char *kind = inputs ? "input" : "output";
    pair(which, ours, count, theirs);
    for (int i = 0; i < count; i++) {
        const struct lq_tensor *their = &theirs[which[i]];
        int first = first_dim(&ours[i], their);
        wire[i] = ours[i];
        wire[i].data = NULL;
        wire[i].rank -= first;
        memmove(wire[i].dims, wire[i].dims + first,
                sizeof wire[i].dims - (size_t)first * sizeof *wire[i].dims);
        memcpy(wire[i].name, their->name, sizeof wire[i].name);
        wire[i].type = their->type;
        if (!is_supported(their->type, &ours[i], inputs))
            return lq_fail(err, LQ_ERR_MODEL,
                           "its model's %s '%.60s' is %s: only FP32, FP16 and, for an input "
                           "picture, UINT8 are supported", kind, their->name,
                           lq_tensor_type_name(their->type));
        if (!fits(&ours[i], their))
            return lq_fail(err, LQ_ERR_MODEL, "its model's %s '%.60s' has another shape than ours; "
                           "--model FILE says which model is ours", kind, their->name);
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

// Stores a server's tensor layout. Servers with the same layout share a version number.
static void store_wire(struct lq_triton_model *model, int index, const struct lq_tensors *wire,
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

// A server may announce that it accepts binary tensors. If it does not, keep what earlier requests
// showed.
static int update_way(struct lq_triton_call *call, struct lq_triton_server *server,
                      uint64_t deadline_us, struct lq_error *err)
{
    char url[LQ_TRITON_URL_MAX];
    snprintf(url, sizeof url, "%s/v2", server->url);
    struct lq_http_call http = {.url = url, .deadline_us = deadline_us};
    int status = lq_triton_request(call, &http, LQ_KSERVE_JSON_MAX, err);
    bool announced = status == LQ_OK && lq_kserve_speaks_binary(call->reply.data, call->reply.len);
    enum lq_triton_way was = lq_triton_way(call->model, server);
    if (announced || was == LQ_TRITON_WAY_ANNOUNCED)
        lq_triton_learn_way(call->model, server,
                            announced ? LQ_TRITON_WAY_ANNOUNCED : LQ_TRITON_WAY_UNKNOWN);
    return http.http_status ? LQ_OK : status; // some servers lack this document
}

// Reads the model's metadata from a server and compares it with ours.
static int learn(struct lq_triton_call *call, struct lq_triton_server *server,
                 uint64_t deadline_us, struct lq_error *err)
{
    struct lq_triton_model *model = call->model;
    struct lq_tensors theirs, wire = {0};
    unsigned epoch = lq_triton_pool_epoch(model->pool, server);
    int status = update_way(call, server, deadline_us, err);
    if (status == LQ_OK)
        status = lq_triton_get(call, server, "", deadline_us, err);
    if (status == LQ_OK)
        status = lq_kserve_read_model(&theirs, call->reply.data, call->reply.len, err);
    if (status != LQ_OK)
        return status;
    wire.input_count = model->tensors.input_count;
    wire.output_count = model->tensors.output_count;
    if (theirs.input_count != wire.input_count || theirs.output_count != wire.output_count)
        return lq_fail(err, LQ_ERR_MODEL, "its model has %d inputs and %d outputs, ours %d and %d; "
                       "--model FILE says which model is ours",
                       theirs.input_count, theirs.output_count, wire.input_count,
                       wire.output_count);
    status = match(wire.inputs, model->tensors.inputs, wire.input_count, theirs.inputs, true,
                   err);
    if (status == LQ_OK)
        status = match(wire.outputs, model->tensors.outputs, wire.output_count, theirs.outputs,
                       false, err);
    if (status == LQ_OK)
        store_wire(model, lq_triton_pool_index(model->pool, server), &wire, epoch);
    return status;
}

struct lq_tensor lq_triton_with_batch(const struct lq_tensor *named, const struct lq_tensor *shape,
                                      bool unbatched)
{
    struct lq_tensor made = *named;
    int first = unbatched && shape->rank < LQ_TENSOR_RANK_MAX;
    made.rank = shape->rank + first;
    made.dims[0] = 1;
    memcpy(made.dims + first, shape->dims, sizeof made.dims[0] * (size_t)shape->rank);
    return made;
}

void lq_triton_keep_shapes(const struct lq_triton_call *call)
{
    struct lq_triton_model *model = call->model;
    bool unbatched = first_dim(&model->tensors.inputs[0], &call->wire.inputs[0]);
    for (int i = 0; i < call->wire.output_count; i++) {
        struct lq_tensor *ours = &model->tensors.outputs[i];
        *ours = lq_triton_with_batch(ours, &call->wire.outputs[i], unbatched);
    }
    for (int i = 0; i < LQ_REMOTE_URLS_MAX; i++)
        if (model->wires[i].version == call->wire_version)
            model->wires[i].tensors = call->wire;
}

size_t lq_triton_align(size_t size)
{
    return (size + 63) / 64 * 64;
}

size_t lq_triton_lay_out(const struct lq_tensors *wire, struct lq_kserve_region *region)
{
    size_t at = 0;
    for (int i = 0; i < wire->input_count; i++) {
        region->input_at[i] = at;
        at += lq_triton_align(lq_tensor_bytes(&wire->inputs[i]));
    }
    for (int i = 0; i < wire->output_count; i++) {
        region->output_at[i] = at;
        at += lq_triton_align(lq_tensor_bytes(&wire->outputs[i]));
    }
    return at;
}

int lq_triton_follow(struct lq_triton_call *call, struct lq_triton_server *server,
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
            lq_triton_drop_memory(call);
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

void lq_triton_forget(struct lq_triton_model *model, const struct lq_triton_server *server,
                      int status)
{
    int index = lq_triton_pool_index(model->pool, server);
    pthread_mutex_lock(&model->lock);
    model->wires[index].version = 0;
    if (status == LQ_ERR_MODEL && model->ways[index] != LQ_TRITON_WAY_ANNOUNCED)
        model->ways[index] = LQ_TRITON_WAY_UNKNOWN;
    pthread_mutex_unlock(&model->lock);
}

enum lq_triton_way lq_triton_way(struct lq_triton_model *model,
                                 const struct lq_triton_server *server)
{
    pthread_mutex_lock(&model->lock);
    enum lq_triton_way way = model->ways[lq_triton_pool_index(model->pool, server)];
    pthread_mutex_unlock(&model->lock);
    return way;
}

void lq_triton_learn_way(struct lq_triton_model *model, const struct lq_triton_server *server,
                         enum lq_triton_way way)
{
    int index = lq_triton_pool_index(model->pool, server);
    pthread_mutex_lock(&model->lock);
    bool first = way == LQ_TRITON_WAY_JSON && model->ways[index] != way;
    model->ways[index] = way;
    pthread_mutex_unlock(&model->lock);
    if (first)
        lq_log_info("triton %s accepts pictures only as JSON, which takes two to three times as "
                    "many bytes", server->url);
}

// ---- shared memory

static int request_memory(struct lq_triton_call *call, const struct lq_triton_server *server,
                          const char *name, const char *verb, uint64_t deadline_us,
                          struct lq_error *err)
{
    char url[LQ_TRITON_URL_MAX], body[160];
    // The region has the object's name without its slash.
    snprintf(url, sizeof url, "%s/v2/systemsharedmemory/region/%s/%s", server->url, name + 1, verb);
    int len = snprintf(body, sizeof body, "{\"key\":\"%s\",\"offset\":0,\"byte_size\":%zu}", name,
                       call->memory.size);
    struct lq_http_call http = {.url = url, .post = strcmp(verb, "status") != 0,
                                .deadline_us = deadline_us};
    if (strcmp(verb, "register") == 0) {
        http.body[0] = (struct lq_http_span){body, (size_t)len};
        http.body_count = 1;
    }
    return lq_triton_request(call, &http, LQ_KSERVE_JSON_MAX, err);
}

void lq_triton_drop_memory(struct lq_triton_call *call)
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
    size_t size = lq_triton_lay_out(&call->wire, &region);
    int status = lq_shared_memory_init(&call->memory, size, err);
    if (status != LQ_OK)
        return status;
    region.name = call->memory.name + 1;
    lq_buf_clear(&call->memory_json);
    return lq_kserve_print_request(&call->memory_json, &call->wire, &region, err);
}

bool lq_triton_share_memory(struct lq_triton_call *call, struct lq_triton_server *server,
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
        (void)!request_memory(call, server, call->stale[index], "unregister", deadline_us, &err);
        call->stale[index][0] = '\0';
    }
    int status = request_memory(call, server, call->memory.name, "register", deadline_us, &err);
    // A server that was down but did not restart still has the region registered.
    if (status == LQ_ERR_MODEL &&
        request_memory(call, server, call->memory.name, "status", deadline_us, NULL) == LQ_OK &&
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

void lq_triton_call_release(struct lq_triton_call *call)
{
    struct lq_error err;
    if (call->model)
        lq_triton_drop_memory(call);
    for (int i = 0; call->http && i < LQ_REMOTE_URLS_MAX; i++) {
        struct lq_triton_server *server =
            call->stale[i][0] ? lq_triton_pool_server(call->model->pool, i) : NULL;
        if (server) // a server that is down loses the region by itself
            (void)!request_memory(call, server, call->stale[i], "unregister",
                                  lq_clock_us() + FORGET_MS * 1000u, &err);
    }
    lq_http_free(call->http);
    lq_buf_release(&call->reply);
    lq_buf_release(&call->json);
    lq_buf_release(&call->memory_json);
    lq_buf_release(&call->converted);
    lq_buf_release(&call->text);
    lq_buf_release(&call->rest);
    lq_buf_release(&call->numbers);
}
