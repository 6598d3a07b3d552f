#include "bench/reply.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse_json.h"

enum { REPLY_HEADER = 64, REPLY_TYPE_JPEG = 2, REPLY_TYPE_NAILS = 3 };
enum { QUIET_MS = 2000 }; // what PROTOCOL.md asks of a client that was told BUSY

bool lq_client_is_ready(const struct lq_client *client)
{
    return client->ready;
}

bool lq_client_has_head(const struct lq_client *client)
{
    return client->head.size > 0;
}

// Frame `id` is answered. Where replies keep their order that settles older frames too; elsewhere
// they may overtake one another.
static int land(struct lq_client *client, uint32_t id, double *ms, struct lq_error *err)
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
    int status = land(client, id, &reply.latency_ms, err);
    if (status == LQ_OK && client->on_reply)
        client->on_reply(client->context, &reply);
    return status;
}

// A JPEG from its first to its last marker.
static int settle_jpeg(struct lq_client *client, uint32_t id, const uint8_t *bytes, size_t len,
                       struct lq_error *err)
{
    if (len < 4 || bytes[0] != 0xff || bytes[1] != 0xd8 || bytes[len - 2] != 0xff ||
        bytes[len - 1] != 0xd9)
        return lq_fail(err, LQ_ERR_FORMAT, "the reply is not a whole JPEG");
    return settle(client, id, len, err);
}

static int settle_json(struct lq_client *client, const char *body, size_t len,
                       struct lq_error *err)
{
    static const char mark[] = ";base64,/9j/"; // a JPEG's first three bytes
    int room = len < 160 ? (int)len : 160;
    if (client->head.status != 200)
        return lq_fail(err, LQ_ERR_IO, "HTTP %d: %.*s", client->head.status, room, body);
    const char *data = memmem(body, len, mark, sizeof mark - 1);
    const char *end = data ? memchr(data, '"', len - (size_t)(data - body)) : NULL;
    if (!end)
        return lq_fail(err, LQ_ERR_FORMAT, "the reply holds no JPEG: %.*s", room, body);
    return settle(client, client->flight[0].id, (size_t)(end - data - 8) / 4 * 3, err);
}

static void hang_up(struct lq_client *client)
{
    close(client->fd);
    client->fd = -1;
    lq_buf_clear(&client->in);
    client->in_done = 0;
}

int lq_client_read_http(struct lq_client *client, bool ended, struct lq_error *err)
{
    const uint8_t *bytes = client->in.data + client->in_done;
    size_t len = client->in.len - client->in_done;
    struct lq_http_head *head = &client->head;
    if (head->size == 0) {
        int size = len ? lq_http_head_parse(bytes, len, head) : 0;
        if (size < 0)
            return lq_fail(err, LQ_ERR_SYNTAX, "the server does not answer in HTTP/1.x");
        client->in_done += (size_t)size;
        bytes += size;
        len -= (size_t)size;
    }
    bool asked = client->in_flight > 0;
    if (head->size > 0 && !asked)
        return LQ_OK; // lq_client_get wants no more than the head
    bool whole = head->size > 0 && (head->body_len < 0 ? ended : len >= (size_t)head->body_len);
    if (!whole && ended && asked)
        return lq_fail(err, LQ_ERR_IO, "the server closed the connection before it replied");
    if (whole) {
        size_t body_len = head->body_len < 0 ? len : (size_t)head->body_len;
        int status = settle_json(client, (const char *)bytes, body_len, err);
        if (status != LQ_OK)
            return status;
        client->in_done += body_len;
        ended |= head->close;
        *head = (struct lq_http_head){0};
    }
    if (ended)
        hang_up(client);
    return LQ_OK;
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
    int status = lq_fail(err, LQ_ERR_IO, "the server answers: %s", reason ? reason : "an error");
    json_decref(root);
    return status;
}

// Told BUSY, a client stays connected and waits; told TIMEOUT, a frame was too late. Any other
// error ends the measurement.
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
    if (type && strcmp(type, "pace") == 0)
        client->fps_told = json_number_value(json_object_get(root, "fps"));
    int status = LQ_OK;
    double ms;
    if (busy || late) {
        status = land(client, (uint32_t)json_integer_value(id), &ms, err);
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
static int read_lacquer(struct lq_client *client, enum lq_ws_opcode kind, const uint8_t *bytes,
                        size_t len, struct lq_error *err)
{
    if (kind == LQ_WS_TEXT)
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
static int read_socketio(struct lq_client *client, enum lq_ws_opcode kind, const uint8_t *bytes,
                         size_t len, struct lq_error *err)
{
    const char *text = (const char *)bytes;
    if (kind == LQ_WS_BINARY) {
        uint32_t id = client->binary_id;
        client->binary_id = 0;
        return id ? settle_jpeg(client, id, bytes, len, err) : LQ_OK;
    }
    if (len >= 1 && text[0] == '0')
        return lq_client_say(client, LQ_WS_TEXT, "40", 2);
    if (len >= 1 && text[0] == '2')
        return lq_client_say(client, LQ_WS_TEXT, "3", 1);
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

static int read_message(struct lq_client *client, enum lq_ws_opcode kind, const uint8_t *bytes,
                        size_t len, struct lq_error *err)
{
    return client->target->way == LQ_CLIENT_WS ? read_lacquer(client, kind, bytes, len, err)
                                               : read_socketio(client, kind, bytes, len, err);
}

// A message in pieces is put together; control frames may stand between the pieces.
static int read_frame(struct lq_client *client, const struct lq_ws_frame *frame,
                      struct lq_error *err)
{
    struct lq_buf *message = &client->message;
    if (frame->opcode == LQ_WS_PING)
        return lq_client_say(client, LQ_WS_PONG, frame->payload, frame->payload_len);
    if (frame->opcode == LQ_WS_CLOSE)
        return lq_fail(err, LQ_ERR_IO, "the server closed the WebSocket with code %d",
                       frame->payload_len < 2 ? 1005 : frame->payload[0] << 8 | frame->payload[1]);
    if (frame->opcode == LQ_WS_PONG)
        return LQ_OK;
    bool continues = frame->opcode == LQ_WS_CONTINUATION;
    if (continues != (client->message_kind != LQ_WS_CONTINUATION))
        return lq_fail(err, LQ_ERR_SYNTAX, "WebSocket messages are mixed up");
    if (!continues && frame->fin)
        return read_message(client, frame->opcode, frame->payload, frame->payload_len, err);
    if (!continues)
        client->message_kind = frame->opcode;
    if (lq_buf_append(message, frame->payload, frame->payload_len) != LQ_OK)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "WebSocket message over %zu bytes", message->max);
    if (!frame->fin)
        return LQ_OK;
    enum lq_ws_opcode kind = client->message_kind;
    client->message_kind = LQ_WS_CONTINUATION;
    int status = read_message(client, kind, message->data, message->len, err);
    lq_buf_clear(message);
    return status;
}

static int read_upgrade(struct lq_client *client, struct lq_error *err)
{
    struct lq_http_head *head = &client->head;
    size_t len = client->in.len - client->in_done;
    int size = len ? lq_http_head_parse(client->in.data + client->in_done, len, head) : 0;
    if (size == 0)
        return LQ_OK;
    bool own = client->target->way == LQ_CLIENT_WS;
    if (size < 0 || head->status != 101 || !head->accepted || (own && !head->subprotocol))
        return lq_fail(err, LQ_ERR_SYNTAX, "no WebSocket at '%s' (HTTP %d)", client->target->path,
                       size < 0 ? 0 : head->status);
    client->in_done += (size_t)size;
    client->ready = own; // Socket.IO has hands of its own to shake
    static const char pace[] = "{\"type\":\"pace\"}";
    return own && client->target->pace ? lq_client_say(client, LQ_WS_TEXT, pace, sizeof pace - 1)
                                       : LQ_OK;
}

int lq_client_read_ws(struct lq_client *client, struct lq_error *err)
{
    int status = client->head.size ? LQ_OK : read_upgrade(client, err);
    if (status != LQ_OK || !client->head.size)
        return status;
    for (;;) {
        struct lq_ws_frame frame;
        size_t len = client->in.len - client->in_done;
        int found = lq_ws_parse(client->in.data + client->in_done, len, client->in.max, &frame);
        if (found < 0)
            return lq_fail(err, found, "the server sends what is no WebSocket frame");
        if (found == 0)
            return LQ_OK;
        client->in_done += frame.size;
        status = read_frame(client, &frame, err);
        if (status != LQ_OK)
            return status;
    }
}
