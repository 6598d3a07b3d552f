// /ws: pictures in, painted pictures out, with or without the lacquer.v1 header.
// The loop only moves bytes here: a message is gathered in the session's slot and posted.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "config.h"
#include "serve/access.h"
#include "serve/answer.h"
#include "serve/json.h"
#include "serve/keep_pace.h"
#include "serve/server.h"
#include "serve/wire.h"

enum { EXCESS_BYTES_MAX = 64 * 1024 * 1024 };

struct lq_live {
    struct lq_conn *conn;
    struct lq_session *session; // NULL: refused
    bool v1;
    bool text;                  // the message that is coming is text
    bool idle;                  // no frame has come for too long
    struct lq_error refused;    // why there is no session
    size_t excess;              // bytes of a message over the limit that were thrown away
    struct lq_look look;
    int jpeg_quality;
    bool smooth;
    struct lq_keep_pace pace;
    struct lq_buf said;         // a text message as it comes
    struct lq_outbox outbox;
};

static enum lq_transport via(const struct lq_live *live)
{
    return live->v1 ? LQ_VIA_V1 : LQ_VIA_WS;
}

static void on_ready(struct lq_session *session)
{
    struct lq_live *live = session->owner;
    lws_callback_on_writable(live->conn->wsi);
}

int lq_live_upgrade(struct lq_conn *conn, bool v1)
{
    struct lq_live *live = calloc(1, sizeof *live);
    if (!live)
        return -1;
    live->conn = conn;
    live->v1 = v1;
    live->look = lq_look_default();
    live->jpeg_quality = conn->server->options->jpeg_quality;
    live->smooth = conn->server->options->smooth;
    lq_buf_init(&live->said, LQ_TEXT_BYTES_MAX);
    lq_outbox_init(&live->outbox);
    live->session =
        lq_server_admit(conn->server, conn->wsi, via(live), live, on_ready, &live->refused);
    lq_conn_set(conn, &lq_live_ops, live);
    return 0;
}

// Ends the connection with the close code that belongs to a status.
static int close_with(struct lq_live *live, const struct lq_error *error)
{
    lq_metrics_count_error(&live->conn->server->metrics, error->status);
    char text[124];
    snprintf(text, sizeof text, "%.123s", error->text);
    lws_close_reason(live->conn->wsi, (enum lws_close_status)lq_status_ws_close(error->status),
                     (unsigned char *)text, strlen(text));
    return -1;
}

// Tells an error in a message; the connection stays.
static void tell(struct lq_live *live, const struct lq_error *error, int64_t id)
{
    struct lq_buf text;
    lq_buf_init(&text, 4096);
    lq_metrics_count_error(&live->conn->server->metrics, error->status);
    // A client that takes nothing is told nothing: what waits is bounded.
    if (lq_answer_ws_error(&text, error, id) == LQ_OK)
        (void)!lq_outbox_add(&live->outbox, text.data, text.len);
    lq_buf_release(&text);
    lws_callback_on_writable(live->conn->wsi);
}

static void say_hello(struct lq_live *live)
{
    json_t *finishes = json_array();
    for (int i = 0; i < LQ_FINISH_COUNT; i++)
        json_array_append_new(finishes, json_string(lq_finish_name((enum lq_finish)i)));
    json_t *hello = json_pack("{s:s, s:s, s:s, s:i, s:i, s:[s,s], s:b, s:o}", "type", "hello",
                              "version", LQ_VERSION, "model",
                              lq_model_info(live->conn->server->model)->name,
                              "in_flight", LQ_IN_FLIGHT_MAX, "message_bytes_max",
                              LQ_MESSAGE_BYTES_MAX, "replies", "jpeg", "nails", "pace", 1,
                              "finishes", finishes);
    char *text = hello ? json_dumps(hello, JSON_COMPACT) : NULL;
    if (text)
        (void)!lq_outbox_add(&live->outbox, text, strlen(text));
    free(text);
    json_decref(hello);
}

static int on_established(struct lq_conn *conn)
{
    struct lq_live *live = conn->state;
    if (live->session && live->v1)
        say_hello(live);
    lws_callback_on_writable(conn->wsi);
    return 0;
}

static int set_quality(struct lq_live *live, const json_t *message, struct lq_error *err)
{
    const json_t *jpeg = json_object_get(message, "jpeg");
    if (!json_is_integer(jpeg) || json_integer_value(jpeg) < 30 || json_integer_value(jpeg) > 95)
        return lq_fail(err, LQ_ERR_FIELD, "jpeg must be a whole number from 30 to 95");
    live->jpeg_quality = (int)json_integer_value(jpeg);
    return LQ_OK;
}

static int set_smoothing(struct lq_live *live, const json_t *message, struct lq_error *err)
{
    const json_t *on = json_object_get(message, "on");
    if (!json_is_boolean(on))
        return lq_fail(err, LQ_ERR_FIELD, "on must be true or false");
    live->smooth = json_is_true(on);
    return LQ_OK;
}

// The rate and size to send, when they changed or the client asks.
static void tell_pace(struct lq_live *live, bool asked)
{
    char told[LQ_KEEP_PACE_TEXT];
    if (!lq_keep_pace_tell(&live->pace, &live->conn->server->load, asked, told))
        return;
    (void)!lq_outbox_printf(&live->outbox, "{\"type\":\"pace\",%s}", told);
    lws_callback_on_writable(live->conn->wsi);
}

static int keep_pace(struct lq_live *live, const json_t *message, struct lq_error *err)
{
    bool begins;
    int status = lq_keep_pace_hear(&live->pace, message, &begins, err);
    if (status == LQ_OK)
        tell_pace(live, begins);
    return status;
}

// A whole text message: look fields, or with lacquer.v1 an object with a type.
static int hear(struct lq_live *live, struct lq_error *err)
{
    json_t *message;
    int status = lq_json_read(&message, live->said.data, live->said.len, err);
    if (status != LQ_OK) {
        lq_fail_within(err, "message");
        return status;
    }
    const char *type = json_string_value(json_object_get(message, "type"));
    if (!json_is_object(message))
        status = lq_fail(err, LQ_ERR_SYNTAX, "message is not a JSON object");
    else if (!live->v1 || (type && strcmp(type, "look") == 0))
        status = lq_ask_look_json(&live->look, live->conn->server->options->catalogue, message,
                                  err);
    else if (type && strcmp(type, "quality") == 0)
        status = set_quality(live, message, err);
    else if (type && strcmp(type, "smoothing") == 0)
        status = set_smoothing(live, message, err);
    else if (type && strcmp(type, "pace") == 0)
        status = keep_pace(live, message, err);
    else
        status = lq_fail(err, LQ_ERR_FIELD, "unknown type '%.40s'", type ? type : "");
    json_decref(message);
    return status;
}

// A whole binary message lies in the slot: says what is asked and hands it over.
static int post(struct lq_live *live)
{
    struct lq_slot *slot = lq_session_fill(live->session);
    struct lq_error error;
    struct lq_wire_frame frame = {0};
    if (live->v1 && lq_wire_frame_read(&frame, slot->body.data, slot->body.len, &error) != LQ_OK)
        return close_with(live, &error);
    if (live->v1 && frame.want > LQ_WIRE_WANT_NAILS) {
        lq_fail(&error, LQ_ERR_FIELD, "reply kind %u is not known here; 0 is jpeg, 1 is nails",
                frame.want);
        tell(live, &error, frame.id);
        lq_session_drop(live->session);
        return 0;
    }
    slot->ask = (struct lq_ask){
        .body_form = LQ_BODY_PICTURE,
        .reply_form = !live->v1 ? LQ_REPLY_PICTURE
                      : frame.want == LQ_WIRE_WANT_NAILS ? LQ_REPLY_V1_NAILS : LQ_REPLY_V1,
        .live = true,
        .look = live->look,
        .jpeg_quality = lq_keep_pace_jpeg(&live->pace, live->jpeg_quality),
        .smooth = live->smooth,
        .picture_at = frame.header_bytes,
        .frame_id = frame.id,
        .client_time = frame.client_time,
        .ack = -1,
    };
    lq_server_count_in(live->conn->server, via(live), slot->body.len);
    lq_server_post(live->conn->server, live->session);
    return 0;
}

// Reads a message over the limit to its end, within bounds, before closing: closing with unread
// bytes would take the reason from the client.
static int throw_away(struct lq_live *live, size_t len)
{
    struct lq_error error;
    live->excess += len;
    if (!lws_is_final_fragment(live->conn->wsi) && live->excess < EXCESS_BYTES_MAX)
        return 0;
    lq_fail(&error, LQ_ERR_TOO_LARGE, "message is larger than %d bytes",
            live->text ? LQ_TEXT_BYTES_MAX : LQ_MESSAGE_BYTES_MAX);
    return close_with(live, &error);
}

static int on_receive(struct lq_conn *conn, const uint8_t *bytes, size_t len)
{
    struct lq_live *live = conn->state;
    struct lq_error error;
    if (!live->session || live->session->revoked)
        return 0; // about to be closed
    if (lws_is_first_fragment(conn->wsi)) {
        live->text = !lws_frame_is_binary(conn->wsi);
        lq_buf_clear(&live->said);
        lq_session_drop(live->session);
    }
    struct lq_buf *into = live->text ? &live->said : &lq_session_fill(live->session)->body;
    size_t max = live->text ? LQ_TEXT_BYTES_MAX : LQ_MESSAGE_BYTES_MAX;
    size_t coming = len + lws_remaining_packet_payload(conn->wsi);
    if (live->excess || coming > max - into->len)
        return throw_away(live, len);
    if (!lq_server_hold(conn->server, live->session, len)) {
        lq_fail(&error, LQ_ERR_BUSY, "the server has no memory left for frames; send smaller ones");
        return close_with(live, &error);
    }
    // All of a message's room at once: its length is known from its first bytes.
    if (lq_buf_reserve(into, into->len + coming) != LQ_OK ||
        lq_buf_append(into, bytes, len) != LQ_OK) {
        lq_fail(&error, LQ_ERR_MEMORY, "out of memory");
        return close_with(live, &error);
    }
    if (!lws_is_final_fragment(conn->wsi))
        return 0;
    if (!live->text)
        return post(live);
    if (hear(live, &error) != LQ_OK)
        tell(live, &error, -1);
    return 0;
}

static int on_writable(struct lq_conn *conn)
{
    struct lq_live *live = conn->state;
    if (!live->session)
        return close_with(live, &live->refused);
    if (live->session->revoked) {
        struct lq_error error;
        lq_fail(&error, LQ_ERR_AUTH, LQ_TOKEN_GONE);
        return close_with(live, &error);
    }
    if (live->idle) {
        lws_close_reason(conn->wsi, LWS_CLOSE_STATUS_GOINGAWAY, (unsigned char *)"idle", 4);
        return -1;
    }
    int pinged = lq_conn_send_ping(conn);
    if (pinged != 0)
        return pinged < 0 ? -1 : 0;
    size_t len;
    uint8_t *message = lq_outbox_next(&live->outbox, &len);
    int sent = message ? (lws_write(conn->wsi, message, len, LWS_WRITE_TEXT) < 0 ? -1 : 1)
                       : lq_conn_send_reply(conn, via(live), live->session);
    if (sent < 0)
        return -1;
    if (!lq_outbox_empty(&live->outbox) || lq_conn_has_reply(live->session)) {
        lws_callback_on_writable(conn->wsi);
        return 0;
    }
    if (lq_server_done_with(conn->server, live->session)) {
        lws_close_reason(conn->wsi, LWS_CLOSE_STATUS_GOINGAWAY, (unsigned char *)"stopping", 8);
        return -1;
    }
    return 0;
}

static void on_tick(struct lq_conn *conn, uint64_t now_us)
{
    struct lq_live *live = conn->state;
    if (!live->session)
        return;
    lq_conn_tick_ping(conn, now_us);
    conn->server->has_spare |=
        lq_session_trim(live->session, now_us, LQ_IDLE_TRIM_S * UINT64_C(1000000));
    lq_conn_end_if_stuck(conn, live->session, now_us);
    tell_pace(live, false);
    if (lq_server_is_idle(conn->server, live->session, now_us)) {
        live->idle = true;
        lws_callback_on_writable(conn->wsi);
    }
}

void lq_live_end_revoked(struct lq_server *server)
{
    for (struct lq_conn *conn = server->conns; conn; conn = conn->next) {
        const struct lq_live *live = conn->ops == &lq_live_ops ? conn->state : NULL;
        if (live && live->session && live->session->revoked)
            lws_callback_on_writable(conn->wsi);
    }
}

static void on_drain(struct lq_conn *conn)
{
    static const char stopping[] = "{\"type\":\"stopping\"}";
    struct lq_live *live = conn->state;
    // Who stops sending now loses nothing.
    if (live->session && live->v1)
        (void)!lq_outbox_add(&live->outbox, stopping, sizeof stopping - 1);
    lws_callback_on_writable(conn->wsi);
}

static void on_closed(struct lq_conn *conn)
{
    struct lq_live *live = conn->state;
    lq_server_dismiss(conn->server, via(live), live->session);
    lq_buf_release(&live->said);
    lq_outbox_release(&live->outbox);
    free(live);
}

const struct lq_conn_ops lq_live_ops = {
    .established = on_established,
    .receive = on_receive,
    .writable = on_writable,
    .tick = on_tick,
    .drain = on_drain,
    .closed = on_closed,
};
