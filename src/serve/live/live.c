// The loop only moves bytes here: it collects a message in the session's slot and submits it.
#include "serve/live/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "config.h"
#include "model/model.h"
#include "serve/http/request.h"
#include "serve/live/client_rate.h"
#include "serve/live/reply.h"
#include "serve/message/frame_request.h"
#include "serve/message/frame_response.h"
#include "serve/message/json.h"
#include "serve/message/receive.h"
#include "frame/wire.h"
#include "serve/sched/admission.h"

struct lq_live {
    struct lq_live_connections *all;
    struct lq_ws *ws;
    struct lq_live *next, **link; // in the list of all
    struct lq_session *session; // NULL: refused
    bool v1;
    struct lq_look look;
    int jpeg_quality;
    bool smooth;
    struct lq_client_rate rate;
    struct lq_buf text;         // a text message while it arrives …
    struct lq_charge held;      // … and its memory
};

static enum lq_transport via(const struct lq_live *live)
{
    return live->v1 ? LQ_VIA_V1 : LQ_VIA_WS;
}

static void on_ready(struct lq_session *session)
{
    struct lq_live *live = session->owner;
    lq_ws_wake(live->ws);
}

// Ends the connection with the close code that belongs to a status.
static void close_with(struct lq_live *live, const struct lq_error *error)
{
    lq_metrics_count_error(live->all->metrics, error->status);
    lq_ws_close(live->ws, lq_status_ws_close(error->status), error->text);
}

// Sends a short message. It is dropped if the client does not read: what is queued is bounded.
static void send_text(struct lq_live *live, const char *text, size_t len)
{
    (void)!lq_ws_send_copy(live->ws, LQ_WS_TEXT, text, len);
}

// Reports an error in a message; the connection stays open.
static void send_error(struct lq_live *live, const struct lq_error *error, int64_t id)
{
    struct lq_buf text;
    lq_buf_init(&text, 4096);
    lq_metrics_count_error(live->all->metrics, error->status);
    if (lq_response_ws_error(&text, error, id) == LQ_OK)
        send_text(live, (const char *)text.data, text.len);
    lq_buf_release(&text);
}

static void send_hello(struct lq_live *live)
{
    json_t *finishes = json_array();
    for (int i = 0; i < LQ_FINISH_COUNT; i++)
        json_array_append_new(finishes, json_string(lq_finish_name((enum lq_finish)i)));
    json_t *hello = json_pack("{s:s, s:s, s:s, s:i, s:i, s:[s,s], s:b, s:b, s:o}", "type", "hello",
                              "version", LQ_VERSION, "model",
                              lq_model_info(live->all->model)->name,
                              "in_flight", LQ_IN_FLIGHT_MAX, "message_bytes_max",
                              LQ_MESSAGE_BYTES_MAX, "replies", "jpeg", "nails", "rate", 1,
                              "pace", 1, "finishes", finishes);
    char *text = hello ? json_dumps(hello, JSON_COMPACT) : NULL;
    if (text)
        send_text(live, text, strlen(text));
    free(text);
    json_decref(hello);
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

static const char *const RATE_NAMES[] = LQ_CLIENT_RATE_NAMES;

// Sends the rate and size to use, if they changed or the client requested them.
static void send_rate(struct lq_live *live, bool requested)
{
    char fields[LQ_CLIENT_RATE_TEXT], text[LQ_CLIENT_RATE_TEXT + 32];
    if (!lq_client_rate_update(&live->rate, &live->all->admission->load, requested, fields))
        return;
    int len = snprintf(text, sizeof text, "{\"type\":\"%s\",%s}", RATE_NAMES[live->rate.name],
                       fields);
    send_text(live, text, (size_t)len);
}

static int set_rate_control(struct lq_live *live, const json_t *message, const char *type,
                            struct lq_error *err)
{
    bool begins;
    live->rate.name = strcmp(type, RATE_NAMES[0]) == 0 ? 0 : 1;
    int status = lq_client_rate_receive(&live->rate, message, &begins, err);
    if (status == LQ_OK)
        send_rate(live, begins);
    return status;
}

// Handles a complete text message: look fields, or with lacquer.v1 an object with a type.
static int receive_message(struct lq_live *live, struct lq_error *err)
{
    json_t *message;
    int status = lq_json_read(&message, live->text.data, live->text.len, err);
    if (status != LQ_OK) {
        lq_fail_within(err, "message");
        return status;
    }
    const char *type = json_string_value(json_object_get(message, "type"));
    if (!json_is_object(message))
        status = lq_fail(err, LQ_ERR_SYNTAX, "message is not a JSON object");
    else if (!live->v1 || (type && strcmp(type, "look") == 0))
        status = lq_frame_request_look(&live->look, live->all->options->catalogue, message,
                                  err);
    else if (type && strcmp(type, "quality") == 0)
        status = set_quality(live, message, err);
    else if (type && strcmp(type, "smoothing") == 0)
        status = set_smoothing(live, message, err);
    else if (type && (strcmp(type, RATE_NAMES[0]) == 0 || strcmp(type, RATE_NAMES[1]) == 0))
        status = set_rate_control(live, message, type, err);
    else
        status = lq_fail(err, LQ_ERR_FIELD, "unknown type '%.40s'", type ? type : "");
    json_decref(message);
    return status;
}

// A complete binary message is in the slot: sets what it requests and submits it.
static void post(struct lq_live *live)
{
    struct lq_frame_slot *slot = lq_session_fill(live->session);
    struct lq_error error;
    struct lq_wire_frame frame = {0};
    if (live->v1 && lq_wire_frame_read(&frame, slot->body.data, slot->body.len, &error) != LQ_OK) {
        close_with(live, &error);
        return;
    }
    if (live->v1 && frame.want > LQ_WIRE_WANT_NAILS) {
        lq_fail(&error, LQ_ERR_FIELD, "reply kind %u is not known here; 0 is jpeg, 1 is nails",
                frame.want);
        send_error(live, &error, frame.id);
        lq_session_drop(live->session);
        return;
    }
    slot->request = (struct lq_frame_request){
        .body_form = LQ_BODY_PICTURE,
        .reply_form = !live->v1 ? LQ_REPLY_PICTURE
                      : frame.want == LQ_WIRE_WANT_NAILS ? LQ_REPLY_V1_NAILS : LQ_REPLY_V1,
        .live = true,
        .look = live->look,
        .jpeg_quality = lq_client_rate_jpeg(&live->rate, live->jpeg_quality),
        .smooth = live->smooth,
        .picture_at = frame.header_bytes,
        .frame_id = frame.id,
        .client_time = frame.client_time,
        .ack = -1,
    };
    lq_admission_count_in(live->all->admission, via(live), slot->body.len);
    lq_admission_post(live->all->admission, live->session);
}

static struct lq_buf *buffer_of(struct lq_live *live, enum lq_ws_kind kind)
{
    return kind == LQ_WS_TEXT ? &live->text : &lq_session_fill(live->session)->body;
}

static uint8_t *on_room(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t *size)
{
    struct lq_live *live = lq_ws_state(ws);
    struct lq_error error;
    if (piece->first) {
        lq_buf_clear(&live->text);
        lq_session_drop(live->session);
    }
    struct lq_buf *into = buffer_of(live, piece->kind);
    size_t max = piece->kind == LQ_WS_TEXT ? LQ_TEXT_BYTES_MAX : LQ_MESSAGE_BYTES_MAX;
    if (piece->coming > max - into->len) {
        lq_fail(&error, LQ_ERR_TOO_LARGE, "message is larger than %zu bytes", max);
        close_with(live, &error);
        return NULL;
    }
    uint8_t *room = lq_receive_room(into, piece->coming, size);
    if (!room) {
        lq_fail(&error, LQ_ERR_MEMORY, "out of memory");
        close_with(live, &error);
    }
    return room;
}

static void on_received(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t len, bool last)
{
    struct lq_live *live = lq_ws_state(ws);
    struct lq_error error;
    if (piece->first && len == 0) { // an empty message
        lq_buf_clear(&live->text);
        lq_session_drop(live->session);
    }
    struct lq_buf *into = buffer_of(live, piece->kind);
    into->len += len;
    if (piece->kind == LQ_WS_TEXT ? !lq_charge_grow(&live->held, into->cap)
                                  : !lq_session_hold(live->session, len)) {
        lq_fail(&error, LQ_ERR_BUSY, "the server has no memory left for frames; send smaller ones");
        close_with(live, &error);
    } else if (last && piece->kind == LQ_WS_BINARY) {
        post(live);
    } else if (last && receive_message(live, &error) != LQ_OK) {
        send_error(live, &error, -1);
    }
}

static void on_writable(struct lq_ws *ws)
{
    struct lq_live *live = lq_ws_state(ws);
    if (live->session && !lq_ws_is_closing(ws) && !lq_reply_send(ws, live->session))
        lq_ws_kill(ws); // there was no memory for a reply
}

static void on_sent(struct lq_ws *ws)
{
    struct lq_live *live = lq_ws_state(ws);
    lq_reply_sent(live->all->admission, via(live), live->session);
    if (lq_reply_waits(live->session))
        lq_ws_wake(ws);
}

static void on_closed(struct lq_ws *ws, int code, enum lq_net_end end)
{
    struct lq_live *live = lq_ws_state(ws);
    (void)code;
    if (end == LQ_END_SLOW)
        lq_metrics_count_error(live->all->metrics, LQ_ERR_TIMEOUT);
    lq_admission_dismiss(live->all->admission, via(live), live->session);
    *live->link = live->next;
    if (live->next)
        live->next->link = live->link;
    lq_buf_release(&live->text);
    lq_charge_end(&live->held);
    free(live);
}

static const struct lq_ws_handler handler = {.room = on_room, .received = on_received,
                                             .writable = on_writable, .sent = on_sent,
                                             .closed = on_closed};

// ---- from its opening to its end ---------------------------------------------------------------

static void join(struct lq_live *live)
{
    struct lq_live_connections *all = live->all;
    live->next = all->first;
    live->link = &all->first;
    if (live->next)
        live->next->link = &live->next;
    all->first = live;
}

void lq_live_upgrade(void *context, struct lq_http_request *http)
{
    struct lq_live_connections *all = context;
    struct lq_error refused;
    if (lq_http_header(http, "sec-websocket-protocol") && !lq_http_ws_offers(http, "lacquer.v1")) {
        lq_fail(&refused, LQ_ERR_ARGUMENT, "the supported subprotocol is lacquer.v1, or none");
        lq_web_refuse(all->web, http, 400, NULL, &refused);
        return;
    }
    struct lq_live *live = calloc(1, sizeof *live);
    if (!live) {
        lq_http_kill(http);
        return;
    }
    live->all = all;
    live->v1 = lq_http_ws_offers(http, "lacquer.v1");
    live->look = lq_look_default();
    live->jpeg_quality = all->options->jpeg_quality;
    live->smooth = all->options->smooth;
    lq_buf_init(&live->text, LQ_TEXT_BYTES_MAX);
    live->session = lq_admission_admit(all->admission, http, via(live), live, on_ready, &refused);
    live->ws = lq_http_upgrade(http, live->v1 ? "lacquer.v1" : NULL, NULL, &handler, live);
    if (!live->ws) {
        lq_admission_dismiss(all->admission, via(live), live->session);
        free(live);
        lq_http_kill(http);
        return;
    }
    join(live);
    lq_charge_begin(&live->held, live->session ? live->session->holder : NULL);
    if (!live->session)
        close_with(live, &refused);
    else if (live->v1)
        send_hello(live);
}

static void tick(struct lq_live *live, uint64_t now_us)
{
    struct lq_admission *admission = live->all->admission;
    if (!live->session || lq_ws_is_closing(live->ws))
        return;
    lq_admission_trim(admission, live->session, now_us);
    send_rate(live, false);
    if (lq_admission_is_idle(admission, live->session, now_us))
        lq_ws_close(live->ws, 1001, "idle");
}

void lq_live_tick(struct lq_live_connections *connections, uint64_t now_us)
{
    for (struct lq_live *live = connections->first; live; live = live->next)
        tick(live, now_us);
}

void lq_live_end_revoked(struct lq_live_connections *connections)
{
    struct lq_error error;
    lq_fail(&error, LQ_ERR_AUTH, LQ_TOKEN_GONE);
    for (struct lq_live *live = connections->first; live; live = live->next)
        if (live->session && live->session->revoked)
            close_with(live, &error);
}

void lq_live_drain(struct lq_live_connections *connections)
{
    static const char stopping[] = "{\"type\":\"stopping\"}";
    // A client that stops sending now loses nothing.
    for (struct lq_live *live = connections->first; live; live = live->next)
        if (live->session && live->v1)
            send_text(live, stopping, sizeof stopping - 1);
}

void lq_live_end_done(struct lq_live_connections *connections)
{
    for (struct lq_live *live = connections->first; live; live = live->next)
        if (live->session && lq_admission_done_with(connections->admission, live->session))
            lq_ws_close(live->ws, 1001, "stopping");
}
