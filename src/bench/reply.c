// Parses replies, for each way of sending.
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse_json.h"
#include "bench/client_ways.h"
#include "net/ws_frame.h"

enum { REPLY_HEADER = 64, REPLY_TYPE_JPEG = 2, REPLY_TYPE_NAILS = 3 };
enum { QUIET_MS = 2000 }; // how long PROTOCOL.md asks a client to pause after BUSY

// Removes frame `id` from the frames in flight, because its reply has arrived. If replies arrive in
// order, this also removes older frames.
static int complete(struct lq_client *client, uint32_t id, double *ms, struct lq_error *err)
{
    int at = 0;
    while (at < client->in_flight && client->flight[at].id != id)
        at++;
    if (at == client->in_flight)
        return lq_fail(err, LQ_ERR_SYNTAX, "reply to frame %u, which is not awaited", id);
    *ms = (double)(lq_clock_us() - client->flight[at].sent_us) / 1000;
    int first = client->target->in_order ? 0 : at, after = at + 1;
    client->replaced += at - first;
    memmove(client->flight + first, client->flight + after,
            (size_t)(client->in_flight - after) * sizeof *client->flight);
    client->in_flight -= after - first;
    return LQ_OK;
}

static int settle(struct lq_client *client, uint32_t id, size_t len, struct lq_error *err)
{
    struct lq_client_reply reply = {.len = len};
    int status = complete(client, id, &reply.latency_ms, err);
    if (status == LQ_OK && client->on_reply)
        client->on_reply(client->context, &reply);
    return status;
}

// Accepts a reply only if it is a JPEG with its start and end marker.
static int settle_jpeg(struct lq_client *client, uint32_t id, const uint8_t *bytes, size_t len,
                       struct lq_error *err)
{
    if (len < 4 || bytes[0] != 0xff || bytes[1] != 0xd8 || bytes[len - 2] != 0xff ||
        bytes[len - 1] != 0xd9)
        return lq_fail(err, LQ_ERR_FORMAT, "the reply is not a complete JPEG");
    return settle(client, id, len, err);
}

int lq_client_read_http(struct lq_client *client, int http_status, struct lq_error *err)
{
    static const char mark[] = ";base64,/9j/"; // a JPEG's first three bytes
    const char *body = (const char *)client->in.data;
    size_t len = client->in.len;
    int shown = len < 160 ? (int)len : 160;
    if (http_status != 200)
        return lq_fail(err, LQ_ERR_IO, "HTTP %d: %.*s", http_status, shown, len ? body : "");
    const char *data = len ? memmem(body, len, mark, sizeof mark - 1) : NULL;
    const char *end = data ? memchr(data, '"', len - (size_t)(data - body)) : NULL;
    if (!end)
        return lq_fail(err, LQ_ERR_FORMAT, "the reply holds no JPEG: %.*s", shown,
                       len ? body : "");
    return settle(client, client->flight[0].id, (size_t)(end - data - 8) / 4 * 3, err);
}

static uint32_t little_endian(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static int fail_with_json(const char *text, size_t len, const char *key, struct lq_error *err)
{
    json_error_t where;
    json_t *root = lq_json_parse(text, len, JSON_DISABLE_EOF_CHECK, &where);
    json_t *object = json_is_array(root) ? json_array_get(root, 1) : root;
    const char *reason = json_string_value(json_object_get(object, key));
    int status = lq_fail(err, LQ_ERR_IO, "the server reports: %s", reason ? reason : "an error");
    json_decref(root);
    return status;
}

// Handles a text message. After BUSY the client stays connected and pauses; after TIMEOUT the frame
// counts as replaced. Any other error ends the measurement.
static int read_lacquer_text(struct lq_client *client, const char *text, size_t len,
                             struct lq_error *err)
{
    json_error_t where;
    json_t *root = lq_json_parse(text, len, 0, &where);
    const char *type = json_string_value(json_object_get(root, "type"));
    const char *name = json_string_value(json_object_get(root, "status"));
    json_t *id = json_object_get(root, "id");
    bool error = type && strcmp(type, "error") == 0;
    bool of_frame = error && name && json_is_integer(id);
    bool busy = of_frame && strcmp(name, "BUSY") == 0;
    bool late = of_frame && strcmp(name, "TIMEOUT") == 0;
    if (type && strcmp(type, "rate") == 0)
        client->fps_max = json_number_value(json_object_get(root, "fps"));
    int status = LQ_OK;
    double ms;
    if (busy || late) {
        status = complete(client, (uint32_t)json_integer_value(id), &ms, err);
        client->replaced += late;
        client->refused += busy;
        if (busy)
            client->quiet_until_us = lq_clock_us() + QUIET_MS * 1000;
    } else if (error) {
        status = fail_with_json(text, len, "error", err);
    }
    json_decref(root);
    return status;
}

static void note_times(struct lq_client *client, const uint8_t *header)
{
    for (int i = 0; i < LQ_CLIENT_TIMES; i++)
        client->times_us[i] += little_endian(header + 16 + 4 * i);
    client->timed++;
    client->propagated += header[57] & 1;
}

// lacquer.v1, docs/PROTOCOL.md
static int read_lacquer(struct lq_client *client, uint8_t kind, const uint8_t *bytes,
                        size_t len, struct lq_error *err)
{
    if (kind == LQ_WS_OP_TEXT)
        return read_lacquer_text(client, (const char *)bytes, len, err);
    size_t header = len >= REPLY_HEADER ? bytes[2] | (size_t)bytes[3] << 8 : 0;
    int wanted = client->target->nails ? REPLY_TYPE_NAILS : REPLY_TYPE_JPEG;
    if (header < REPLY_HEADER || header > len || bytes[0] != wanted)
        return lq_fail(err, LQ_ERR_SYNTAX, "the reply's header is not that of lacquer.v1");
    note_times(client, bytes);
    if (client->target->nails)
        return settle(client, little_endian(bytes + 4), len - header, err);
    return settle_jpeg(client, little_endian(bytes + 4), bytes + header, len - header, err);
}

// 451-["result",{"image":{"_placeholder":true,"num":0},"id":7}]: the picture is the next message.
static int read_event(struct lq_client *client, const char *text, size_t len,
                      struct lq_error *err)
{
    const char *start = memchr(text, '[', len);
    size_t left = start ? len - (size_t)(start - text) : 0;
    json_error_t where;
    json_t *root = start ? lq_json_parse(start, left, 0, &where) : NULL;
    const char *name = json_string_value(json_array_get(root, 0));
    json_t *id = json_object_get(json_array_get(root, 1), "id");
    bool result = name && strcmp(name, "result") == 0, error = name && strcmp(name, "error") == 0;
    if (result && text[1] == '5' && client->in_flight > 0)
        client->binary_id = json_is_integer(id) ? (uint32_t)json_integer_value(id)
                                                : client->flight[0].id;
    json_decref(root);
    return error ? fail_with_json(start, left, "error", err) : LQ_OK;
}

// Engine.IO packet types: 0 open, 2 ping, 4 message; Socket.IO's within 4: 0 connected, 2 event,
// 4 refused, 5 event with binary.
static int read_socketio(struct lq_client *client, uint8_t kind, const uint8_t *bytes,
                         size_t len, struct lq_error *err)
{
    const char *text = (const char *)bytes;
    if (kind == LQ_WS_OP_BINARY) {
        uint32_t id = client->binary_id;
        client->binary_id = 0;
        return id ? settle_jpeg(client, id, bytes, len, err) : LQ_OK;
    }
    if (len >= 1 && text[0] == '0')
        return lq_client_ws_queue(client, LQ_WS_OP_TEXT, "40", 2, NULL, 0);
    if (len >= 1 && text[0] == '2')
        return lq_client_ws_queue(client, LQ_WS_OP_TEXT, "3", 1, NULL, 0);
    if (len < 2 || text[0] != '4')
        return LQ_OK;
    if (text[1] == '0')
        client->ready = true;
    else if (text[1] == '4')
        return fail_with_json(text + 2, len - 2, "message", err);
    else if (text[1] == '2' || text[1] == '5')
        return read_event(client, text, len, err);
    return LQ_OK;
}

static int read_message(struct lq_client *client, uint8_t kind, const uint8_t *bytes,
                        size_t len, struct lq_error *err)
{
    return client->target->way == LQ_CLIENT_WS ? read_lacquer(client, kind, bytes, len, err)
                                               : read_socketio(client, kind, bytes, len, err);
}

// Reassembles fragmented messages; control frames may arrive between the fragments.
static int read_frame(struct lq_client *client, const struct lq_ws_header *frame,
                      const uint8_t *payload, struct lq_error *err)
{
    struct lq_buf *message = &client->message;
    size_t len = (size_t)frame->len;
    if (frame->opcode == LQ_WS_OP_PING)
        return lq_client_ws_queue(client, LQ_WS_OP_PONG, payload, len, NULL, 0);
    if (frame->opcode == LQ_WS_OP_CLOSE)
        return lq_fail(err, LQ_ERR_IO, "the server closed the WebSocket with code %d",
                       len < 2 ? 1005 : payload[0] << 8 | payload[1]);
    if (frame->opcode == LQ_WS_OP_PONG)
        return LQ_OK;
    bool continues = frame->opcode == LQ_WS_OP_CONTINUATION;
    if (!continues && frame->fin)
        return read_message(client, frame->opcode, payload, len, err);
    if (!continues)
        client->message_kind = frame->opcode;
    if (lq_buf_append(message, payload, len) != LQ_OK)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "WebSocket message over %zu bytes", message->max);
    if (!frame->fin)
        return LQ_OK;
    uint8_t kind = client->message_kind;
    client->message_kind = 0;
    int status = read_message(client, kind, message->data, message->len, err);
    lq_buf_clear(message);
    return status;
}

int lq_client_read_ws(struct lq_client *client, struct lq_error *err)
{
    int status = LQ_OK;
    while (status == LQ_OK) {
        struct lq_ws_header frame;
        const uint8_t *bytes = client->in.data + client->in_done;
        size_t len = client->in.len - client->in_done;
        int found = lq_ws_frame_read(&frame, LQ_WS_FROM_SERVER, bytes, len,
                                     client->message_kind != 0);
        if (found > 1)
            return lq_fail(err, LQ_ERR_SYNTAX, "the server sends an invalid WebSocket frame");
        if (found == 1 && frame.len > client->in.max - frame.head)
            return lq_fail(err, LQ_ERR_TOO_LARGE, "WebSocket frame over %zu bytes",
                           client->in.max);
        if (found == 0 || frame.len > len - frame.head)
            break;
        client->in_done += frame.head + (size_t)frame.len;
        status = read_frame(client, &frame, bytes + frame.head, err);
    }
    return status;
}
