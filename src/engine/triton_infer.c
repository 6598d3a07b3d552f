// One inference: through shared memory, over HTTP with the tensors' bytes, or in JSON if the server
// supports nothing else.
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "engine/f16.h"
#include "engine/kserve.h"
#include "engine/kserve_json.h"
#include "engine/triton_steps.h"

enum { NUMBER_CHARS = 32 }; // longest number in JSON, with white space

// Ids tell responses apart and appear in logs; they count up within this process.
static uint64_t next_id(void)
{
    static atomic_uint_fast64_t last;
    uint64_t first = ((uint64_t)time(NULL) << 32) ^ ((uint64_t)getpid() << 20);
    uint64_t none = 0;
    atomic_compare_exchange_strong(&last, &none, first);
    return atomic_fetch_add(&last, 1) + 1;
}

// The longest valid response: its JSON, and the known outputs as bytes or as text.
static size_t reply_max(const struct lq_tensors *wire, enum lq_triton_way way)
{
    bool bytes = way == LQ_TRITON_WAY_ANNOUNCED || way == LQ_TRITON_WAY_BINARY;
    size_t most = LQ_KSERVE_JSON_MAX;
    for (int i = 0; i < wire->output_count; i++)
        most += wire->outputs[i].rank == 0 ? (size_t)LQ_TENSOR_BYTES_MAX
                : bytes                    ? lq_tensor_bytes(&wire->outputs[i])
                                           : lq_tensor_count(&wire->outputs[i]) * NUMBER_CHARS;
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

static void from_f64(float *out, const uint8_t *in, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, in + i * sizeof value, sizeof value);
        out[i] = (float)value;
    }
}

static void from_wire(const struct lq_tensor *wire, const struct lq_tensor *ours, const void *in)
{
    if (!ours->data)
        return;
    if (wire->type == LQ_TENSOR_F16)
        lq_f16_to_f32(ours->data, in, lq_tensor_count(ours));
    else if (wire->type == LQ_TENSOR_F64)
        from_f64(ours->data, in, lq_tensor_count(ours));
    else
        memcpy(ours->data, in, lq_tensor_bytes(ours));
}

static int infer_by_memory(struct lq_triton_call *call, const char *url, uint64_t deadline_us,
                           struct lq_error *err)
{
    struct lq_kserve_region region;
    uint8_t *memory = call->memory.data;
    lq_triton_lay_out(&call->wire, &region);
    for (int i = 0; i < call->wire.input_count; i++)
        to_wire(call->model, &call->wire.inputs[i], &call->tensors->inputs[i],
                memory + region.input_at[i]);
    uint64_t id = next_id();
    lq_kserve_stamp(&call->memory_json, id);
    struct lq_http_call http = {.url = url, .post = true, .deadline_us = deadline_us,
                                .body = {{call->memory_json.data, call->memory_json.len}},
                                .body_count = 1, .head_len = (long)call->memory_json.len};
    int status = lq_triton_request(call, &http, LQ_KSERVE_JSON_MAX, err);
    const struct lq_kserve_reply reply = {call->reply.data, call->reply.len, http.reply_head_len,
                                          id};
    if (status == LQ_OK)
        status = lq_kserve_read_reply(&call->wire, &reply, NULL, err);
    for (int i = 0; i < call->wire.output_count && status == LQ_OK; i++)
        from_wire(&call->wire.outputs[i], &call->tensors->outputs[i],
                  memory + region.output_at[i]);
    return status;
}

// Sends f32 inputs from where they are; converts others first.
static int fill_body(struct lq_triton_call *call, struct lq_http_call *http, struct lq_error *err)
{
    size_t bytes = 0;
    for (int i = 0; i < call->wire.input_count; i++)
        if (call->wire.inputs[i].type != LQ_TENSOR_F32)
            bytes += lq_triton_align(lq_tensor_bytes(&call->wire.inputs[i]));
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
            made += lq_triton_align(lq_tensor_bytes(wire));
        }
        http->body[1 + i] = (struct lq_http_span){from, lq_tensor_bytes(wire)};
    }
    return LQ_OK;
}

// Reads the outputs as bytes or JSON, whichever the server chose.
static int read_response(struct lq_triton_call *call, long head_len, uint64_t id, bool *json,
                         struct lq_error *err)
{
    const uint8_t *bytes[LQ_TENSORS_MAX];
    const float *numbers[LQ_TENSORS_MAX];
    const struct lq_kserve_reply reply = {call->reply.data, call->reply.len, head_len, id};
    *json = head_len < 0;
    int status = *json ? lq_kserve_read_json(&call->wire, &reply, &call->rest, &call->numbers,
                                             numbers, err)
                       : lq_kserve_read_reply(&call->wire, &reply, bytes, err);
    for (int i = 0; i < call->wire.output_count && status == LQ_OK; i++) {
        struct lq_tensor *ours = &call->tensors->outputs[i];
        if (*json && ours->data)
            memcpy(ours->data, numbers[i], lq_tensor_bytes(ours));
        else if (!*json)
            from_wire(&call->wire.outputs[i], ours, bytes[i]);
    }
    return status;
}

static int infer_in_bytes(struct lq_triton_call *call, const char *url, enum lq_triton_way *way,
                          uint64_t deadline_us, struct lq_error *err)
{
    uint64_t id = next_id();
    bool json;
    lq_kserve_stamp(&call->json, id);
    struct lq_http_call http = {.url = url, .post = true, .deadline_us = deadline_us,
                                .head_len = (long)call->json.len};
    int status = fill_body(call, &http, err);
    if (status == LQ_OK)
        status = lq_triton_request(call, &http, reply_max(&call->wire, *way), err);
    if (status == LQ_OK)
        status = read_response(call, http.reply_head_len, id, &json, err);
    if (status == LQ_OK && *way == LQ_TRITON_WAY_UNKNOWN)
        *way = json ? LQ_TRITON_WAY_JSON_RESPONSE : LQ_TRITON_WAY_BINARY;
    return status;
}

// f32 and f16 inputs are printed as decimal numbers, u8 inputs as integers.
static int infer_in_json(struct lq_triton_call *call, const char *url, uint64_t deadline_us,
                         struct lq_error *err)
{
    const void *data[LQ_TENSORS_MAX];
    struct lq_http_call http = {.url = url, .post = true, .deadline_us = deadline_us};
    uint64_t id = next_id();
    bool json;
    int status = fill_body(call, &http, err); // converts u8 inputs
    for (int i = 0; i < call->wire.input_count; i++)
        data[i] = call->wire.inputs[i].type == LQ_TENSOR_U8 ? http.body[1 + i].bytes
                                                            : call->tensors->inputs[i].data;
    lq_buf_clear(&call->text);
    if (status == LQ_OK)
        status = lq_kserve_print_json(&call->text, &call->wire, data, id, err);
    http.body[0] = (struct lq_http_span){call->text.data, call->text.len};
    http.body_count = 1;
    if (status == LQ_OK)
        status = lq_triton_request(call, &http, reply_max(&call->wire, LQ_TRITON_WAY_JSON), err);
    return status == LQ_OK ? read_response(call, http.reply_head_len, id, &json, err) : status;
}

// Binary is faster, so a server that announces nothing gets a binary request first, and JSON if it
// rejects that.
static int infer_by_http(struct lq_triton_call *call, struct lq_triton_server *server,
                         const char *url, uint64_t deadline_us, struct lq_error *err)
{
    enum lq_triton_way was = lq_triton_way(call->model, server), way = was;
    struct lq_error first, second;
    int status = LQ_ERR_MODEL;
    if (way != LQ_TRITON_WAY_JSON) {
        status = infer_in_bytes(call, url, &way, deadline_us, &first);
        if (status != LQ_OK && (way != LQ_TRITON_WAY_UNKNOWN || status == LQ_ERR_TIMEOUT))
            return lq_fail(err, status, "%s", first.text);
    }
    if (status != LQ_OK) {
        int in_json = infer_in_json(call, url, deadline_us, &second);
        if (in_json == LQ_OK)
            way = LQ_TRITON_WAY_JSON;
        else if (way == LQ_TRITON_WAY_JSON)
            return lq_fail(err, in_json, "%s", second.text);
        else
            return lq_fail(err, status, "%.110s (in JSON: %.110s)", first.text, second.text);
    }
    if (way != was)
        lq_triton_learn_way(call->model, server, way);
    return LQ_OK;
}

int lq_triton_infer(struct lq_triton_call *call, struct lq_triton_server *server,
                    uint64_t deadline_us, struct lq_error *err)
{
    char url[LQ_TRITON_URL_MAX];
    int status = lq_triton_follow(call, server, deadline_us, err);
    if (status != LQ_OK)
        return status;
    lq_triton_pool_url(call->model->pool, server, "/infer", url, sizeof url);
    if (!lq_triton_share_memory(call, server, deadline_us)) {
        status = infer_by_http(call, server, url, deadline_us, err);
    } else {
        status = infer_by_memory(call, url, deadline_us, err);
        // A late response would overwrite a later frame's data, so the memory is abandoned after a
        // failure. A server that restarted between two frames has lost the region: register it
        // again.
        if (status != LQ_OK)
            lq_triton_drop_memory(call);
        if (status == LQ_ERR_MODEL && lq_triton_share_memory(call, server, deadline_us))
            status = infer_by_memory(call, url, deadline_us, err);
    }
    if (status == LQ_ERR_MODEL || status == LQ_ERR_ENGINE)
        lq_triton_forget(call->model, server, status);
    return status;
}
