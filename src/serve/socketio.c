// /socket.io/: pages written for a Flask-SocketIO server, over long polling and WebSocket.
//
// A struct lq_sio is one client; it outlives its HTTP requests and moves to a WebSocket when the
// client has probed one. What waits for it is in its outbox and in its session's finished slots;
// whichever transport is there takes it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/parse_json.h"
#include "config.h"
#include "base/base64.h"
#include "serve/engineio.h"
#include "serve/http.h"
#include "serve/keep_pace.h"

enum { PING_INTERVAL_MS = 25000, PING_TIMEOUT_MS = 20000, GOODBYE_S = 2,
       SID_BYTES = 15, SID_SIZE = 24 };

struct lq_sio_link; // a WebSocket of a client

struct lq_sio {
    struct lq_server *server;
    struct lq_sio *next;
    char sid[SID_SIZE], space_sid[SID_SIZE];
    struct lq_session *session;
    struct lq_sio_link *link;  // its WebSocket, if any
    bool on_socket;            // the WebSocket is the transport (else it is only being probed)
    struct lq_request *poll;   // a GET that waits for something to say
    struct lq_request *post;   // a POST whose body is coming; one at a time holds the memory of one
    struct lq_outbox outbox;
    bool connected;            // in the default namespace
    int attachments_left;      // of the binary event that is coming
    bool attachment_wanted;    // … the next one is the frame's picture
    struct lq_keep_pace pace;
    uint64_t ping_at_us;       // when to send the next ping
    uint64_t pong_by_us;       // when a pong must have come; 0: none is awaited
};

struct lq_sio_link {
    struct lq_conn *conn;
    struct lq_sio *sio;        // NULL: refused or ended
    struct lq_error refused;   // why there is no client
    bool text;                 // the message that is coming is text
    bool pong_due;             // "3probe" is to be sent
    struct lq_buf said;        // a message as it comes
};

static void make_sid(char sid[SID_SIZE])
{
    uint8_t bytes[SID_BYTES];
    struct lq_buf text;
    lq_buf_init(&text, 4096);
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes ||
        lq_base64_encode(bytes, sizeof bytes, &text) != LQ_OK)
        abort(); // without secret names users could take over each other's sessions
    memcpy(sid, text.data, text.len);
    sid[text.len] = 0;
    lq_buf_release(&text);
    // Fit for a URL.
    for (char *c = sid; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
}

static bool has_news(struct lq_sio *sio)
{
    return !lq_outbox_empty(&sio->outbox) || lq_conn_has_reply(sio->session);
}

static void flush(struct lq_sio *sio)
{
    if (!has_news(sio))
        return;
    if (sio->on_socket)
        lws_callback_on_writable(sio->link->conn->wsi);
    else if (sio->poll)
        lq_request_wake(sio->poll);
}

static void on_ready(struct lq_session *session)
{
    flush(session->owner);
}

static struct lq_sio *sio_new(struct lq_conn *conn, struct lq_error *why)
{
    struct lq_server *server = conn->server;
    struct lq_sio *sio = calloc(1, sizeof *sio);
    if (!sio) {
        lq_fail(why, LQ_ERR_MEMORY, "out of memory");
        return NULL;
    }
    sio->session = lq_server_admit(server, conn->wsi, LQ_VIA_SIO, sio, on_ready, why);
    if (!sio->session) {
        free(sio);
        return NULL;
    }
    sio->server = server;
    make_sid(sio->sid);
    make_sid(sio->space_sid);
    lq_outbox_init(&sio->outbox);
    sio->ping_at_us = lq_clock_us() + PING_INTERVAL_MS * UINT64_C(1000);
    sio->next = server->sios;
    server->sios = sio;
    return sio;
}

// Ends a client: its waiting GET is told, its socket closes, its frames are forgotten.
static void sio_end(struct lq_sio *sio)
{
    for (struct lq_sio **each = &sio->server->sios; *each; each = &(*each)->next)
        if (*each == sio) {
            *each = sio->next;
            break;
        }
    if (sio->link) {
        sio->link->sio = NULL;
        // A stop says goodbye first, so that the last reply is read; others broke the rules.
        bool polite = sio->server->drain_from_us != 0;
        lws_set_timeout(sio->link->conn->wsi, PENDING_TIMEOUT_USER_OK,
                        polite ? GOODBYE_S : LWS_TO_KILL_ASYNC);
        lws_callback_on_writable(sio->link->conn->wsi);
    }
    if (sio->poll) {
        sio->poll->state = NULL;
        lq_request_answer(sio->poll, 200, "text/plain; charset=UTF-8", "1", 1);
    }
    lq_server_dismiss(sio->server, LQ_VIA_SIO, sio->session);
    lq_outbox_release(&sio->outbox);
    free(sio);
}

static struct lq_sio *find(const struct lq_server *server, const char *sid)
{
    for (struct lq_sio *sio = server->sios; sio; sio = sio->next)
        if (strcmp(sio->sid, sid) == 0)
            return sio;
    return NULL;
}

bool lq_sio_is_known(const struct lq_conn *conn)
{
    char sid[SID_SIZE];
    return lq_query(conn->wsi, "sid=", sid, sizeof sid) && find(conn->server, sid);
}

static int print_open(const struct lq_sio *sio, bool upgrade, char *text, size_t size)
{
    return snprintf(text, size,
                    "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%d,\"pingTimeout\":%d,"
                    "\"maxPayload\":%d}",
                    sio->sid, upgrade ? "\"websocket\"" : "", PING_INTERVAL_MS, PING_TIMEOUT_MS,
                    LQ_MESSAGE_BYTES_MAX);
}

// ---- what clients say --------------------------------------------------------------------------

static int say_connected(struct lq_sio *sio)
{
    const struct lq_model_info *model = lq_model_info(sio->server->model);
    json_t *facts = json_pack("[s, {s:s, s:s, s:s, s:s}]", "connected", "status", "ok", "sid",
                              sio->space_sid, "version", LQ_VERSION, "model",
                              model->name ? model->name : "");
    char *text = facts ? json_dumps(facts, JSON_COMPACT) : NULL;
    json_decref(facts);
    int status = text ? lq_outbox_printf(&sio->outbox, "40{\"sid\":\"%s\"}", sio->space_sid)
                      : LQ_ERR_MEMORY;
    if (status == LQ_OK)
        status = lq_outbox_printf(&sio->outbox, "42%s", text);
    free(text);
    return status;
}

static int on_connect(struct lq_sio *sio, const struct lq_sio_packet *packet)
{
    if (packet->space_len > 1)
        return lq_outbox_printf(&sio->outbox, "44%.*s,{\"message\":\"Invalid namespace\"}",
                                packet->space_len < 64 ? (int)packet->space_len : 64,
                                packet->space);
    if (sio->connected)
        return LQ_ERR_SYNTAX;
    sio->connected = true;
    return say_connected(sio);
}

static void post(struct lq_sio *sio)
{
    struct lq_slot *slot = lq_session_fill(sio->session);
    lq_server_count_in(sio->server, LQ_VIA_SIO, slot->body.len + slot->attachment.len);
    lq_server_post(sio->server, sio->session);
}

// The rate and size to send, when they changed or the client asks.
static void tell_pace(struct lq_sio *sio, bool asked)
{
    if (!lq_keep_pace_news(&sio->pace, &sio->server->load, asked))
        return;
    char told[LQ_KEEP_PACE_TEXT];
    lq_keep_pace_write(&sio->pace, told);
    (void)!lq_outbox_printf(&sio->outbox, "42[\"pace\",{%s}]", told);
    flush(sio);
}

// ["pace"] or ["pace", {"network_ms": 80}]. What cannot be read is answered with an error event.
static int on_pace(struct lq_sio *sio, const struct lq_sio_packet *packet)
{
    struct lq_error error;
    json_error_t where;
    bool begins = false;
    json_t *event = packet->json_len <= LQ_TEXT_BYTES_MAX
                        ? lq_json_parse(packet->json, packet->json_len, 0, &where)
                        : NULL;
    const json_t *said = json_array_get(event, 1);
    int status = event && (!said || json_is_object(said))
                     ? lq_keep_pace_hear(&sio->pace, said, &begins, &error)
                     : lq_fail(&error, LQ_ERR_FIELD, "pace takes nothing or one object");
    json_decref(event);
    if (status == LQ_OK) {
        tell_pace(sio, begins);
        return LQ_OK;
    }
    lq_metrics_count_error(&sio->server->metrics, status);
    status = lq_outbox_printf(&sio->outbox, "42[\"error\",{\"error\":\"%s\",\"status\":\"FIELD\"}]",
                              error.text);
    flush(sio);
    return status;
}

// An event: the packet's text lies in `said`, which changes places with a slot's body if it is a
// frame, so that nothing is copied.
static int on_sio_event(struct lq_sio *sio, const struct lq_sio_packet *packet, struct lq_buf *said)
{
    if (!sio->connected || packet->space_len > 1)
        return LQ_ERR_SYNTAX;
    sio->attachments_left = packet->attachments;
    sio->attachment_wanted = false;
    if (lq_sio_event_is(packet, "pace") && packet->attachments == 0)
        return on_pace(sio, packet);
    if (!lq_sio_event_is(packet, "frame"))
        return LQ_OK;
    lq_session_drop(sio->session);
    struct lq_slot *slot = lq_session_fill(sio->session);
    slot->ask = (struct lq_ask){
        .body_form = LQ_BODY_EVENT,
        .reply_form = LQ_REPLY_EVENT,
        .live = true,
        .look = lq_look_default(),
        .catalogue = sio->server->options->catalogue,
        .jpeg_quality = lq_keep_pace_jpeg(&sio->pace, sio->server->options->jpeg_quality),
        .smooth = sio->server->options->smooth,
        .picture_at = (size_t)(packet->json - (const char *)said->data),
        .ack = packet->ack,
        .has_attachment = packet->attachments > 0,
    };
    struct lq_buf body = slot->body;
    slot->body = *said;
    *said = body;
    lq_buf_clear(said);
    sio->attachment_wanted = packet->attachments > 0;
    if (packet->attachments == 0)
        post(sio);
    return LQ_OK;
}

static int on_binary(struct lq_sio *sio, const char *bytes, size_t len, bool base64)
{
    if (sio->attachments_left == 0)
        return LQ_ERR_SYNTAX;
    sio->attachments_left--;
    if (sio->attachment_wanted) {
        struct lq_slot *slot = lq_session_fill(sio->session);
        sio->attachment_wanted = false;
        slot->ask.attachment_base64 = base64;
        int status = lq_buf_append(&slot->attachment, bytes, len);
        if (status != LQ_OK)
            return status;
        // Further attachments belong to nothing that is read.
        post(sio);
    }
    return LQ_OK;
}

static int on_message(struct lq_sio *sio, const struct lq_eio_packet *outer, struct lq_buf *said)
{
    struct lq_sio_packet packet;
    int status = lq_sio_parse(&packet, outer->text, outer->len, NULL);
    if (status != LQ_OK)
        return status;
    if (sio->attachments_left > 0)
        return LQ_ERR_SYNTAX; // the binary part of the last event is due
    switch (packet.type) {
    case LQ_SIO_CONNECT:
        return on_connect(sio, &packet);
    case LQ_SIO_DISCONNECT:
        sio->connected = false;
        return LQ_OK;
    case LQ_SIO_EVENT:
    case LQ_SIO_BINARY_EVENT:
        return on_sio_event(sio, &packet, said);
    default:
        sio->attachments_left = packet.attachments;
        return LQ_OK;
    }
}

// One Engine.IO packet, which begins at said->data for events. Nonzero: the client breaks the rules
// or says goodbye, its session ends.
static int on_packet(struct lq_sio *sio, const char *text, size_t len, struct lq_buf *said)
{
    struct lq_eio_packet packet;
    int status = lq_eio_parse(&packet, text, len, NULL);
    if (status != LQ_OK)
        return status;
    switch (packet.type) {
    case LQ_EIO_CLOSE:
        return LQ_ERR_TIMEOUT;
    case LQ_EIO_PONG:
        sio->pong_by_us = 0;
        sio->ping_at_us = lq_clock_us() + PING_INTERVAL_MS * UINT64_C(1000);
        return LQ_OK;
    case LQ_EIO_MESSAGE:
        return on_message(sio, &packet, said);
    case LQ_EIO_BINARY:
        return on_binary(sio, packet.text, packet.len, true);
    default:
        return LQ_OK;
    }
}

// ---- long polling ------------------------------------------------------------------------------

static void refuse(struct lq_request *request, int number, const char *message)
{
    lq_metrics_count_error(&request->conn->server->metrics, LQ_ERR_ARGUMENT);
    lq_buf_clear(&request->text);
    (void)!lq_buf_printf(&request->text, "{\"code\":%d,\"message\":\"%s\"}", number, message);
    lq_request_answer_text(request, 400, "application/json");
}

static void start_session(struct lq_request *request)
{
    struct lq_error error;
    struct lq_sio *sio = sio_new(request->conn, &error);
    char text[256];
    if (!sio) {
        lq_request_fail(request, &error);
        return;
    }
    int len = print_open(sio, true, text, sizeof text);
    // For balancers: they can remember a header, not what stands in a body (deploy/haproxy.cfg).
    lq_request_add_header(request, "x-engineio-sid: %s", sio->sid);
    (void)!lq_buf_append(&request->text, text, (size_t)len);
    lq_request_answer_text(request, 200, "text/plain; charset=UTF-8");
}

static void start_poll(struct lq_request *request, struct lq_sio *sio)
{
    if (sio->poll) {
        sio->poll->state = NULL;
        lq_request_answer(sio->poll, 200, "text/plain; charset=UTF-8", "6", 1);
    }
    sio->poll = request;
    request->state = sio;
    lq_request_wait(request);
    // While a socket is being probed the client wants its poll back soon.
    if (sio->link)
        (void)!lq_outbox_printf(&sio->outbox, "6");
    flush(sio);
}

void lq_sio_http_start(struct lq_request *request)
{
    char sid[SID_SIZE] = "", transport[16] = "", version[4] = "";
    struct lws *wsi = request->conn->wsi;
    lq_request_add_header(request, "cache-control: no-store");
    if (!lq_query(wsi, "EIO=", version, sizeof version) || strcmp(version, "4") != 0) {
        refuse(request, 5, "Unsupported protocol version");
        return;
    }
    if (!lq_query(wsi, "transport=", transport, sizeof transport) ||
        strcmp(transport, "polling") != 0) {
        refuse(request, 0, "Transport unknown");
        return;
    }
    bool named = lq_query(wsi, "sid=", sid, sizeof sid);
    if (!named && request->method == LWSHUMETH_GET) {
        start_session(request);
        return;
    }
    struct lq_sio *sio = named ? find(request->conn->server, sid) : NULL;
    if (!sio || sio->on_socket) {
        refuse(request, sio ? 3 : named ? 1 : 2,
               sio ? "Bad request" : named ? "Session ID unknown" : "Bad handshake method");
        return;
    }
    if (request->method == LWSHUMETH_POST && sio->post) {
        refuse(request, 3, "Bad request");
    } else if (request->method == LWSHUMETH_POST) {
        sio->post = request;
        snprintf(request->name, sizeof request->name, "%s", sid);
        request->body = &request->text;
        request->body_max = LQ_MESSAGE_BYTES_MAX;
    } else {
        start_poll(request, sio);
    }
}

// The packets of a POST. A frame's text is moved to a buffer of its own first.
static int read_payload(struct lq_sio *sio, const struct lq_buf *body)
{
    const char *at = (const char *)body->data, *end = at + body->len, *text;
    size_t len;
    struct lq_buf said;
    lq_buf_init(&said, LQ_BODY_BYTES_MAX);
    int status = body->len ? LQ_OK : LQ_ERR_SYNTAX, packets = 0;
    while (status == LQ_OK && lq_eio_next(&at, end, &text, &len)) {
        lq_buf_clear(&said);
        bool binary = len > 0 && text[0] == 'b';
        if (++packets > LQ_PACKETS_MAX) // each costs the loop time that other clients wait for
            status = LQ_ERR_TOO_LARGE;
        if (!binary && status == LQ_OK)
            status = lq_buf_append(&said, text, len);
        if (status == LQ_OK)
            status = on_packet(sio, binary ? text : (const char *)said.data, len, &said);
    }
    lq_buf_release(&said);
    return status;
}

void lq_sio_http_body_done(struct lq_request *request)
{
    // The session may have ended while the body came.
    struct lq_sio *sio = find(request->conn->server, request->name);
    if (!sio) {
        refuse(request, 1, "Session ID unknown");
        return;
    }
    sio->post = NULL;
    int status = read_payload(sio, request->body);
    request->body = NULL;
    if (status == LQ_OK)
        flush(sio);
    else
        sio_end(sio);
    if (status == LQ_OK || status == LQ_ERR_TIMEOUT)
        lq_request_answer(request, 200, "text/html", "ok", 2);
    else
        refuse(request, 3, "Bad request");
}

static int add_separated(struct lq_buf *out, const void *bytes, size_t len)
{
    int status = out->len ? lq_buf_append(out, "\x1e", 1) : LQ_OK;
    return status == LQ_OK ? lq_buf_append(out, bytes, len) : status;
}

static int add_reply(struct lq_buf *out, const struct lq_slot *slot)
{
    int status = LQ_OK;
    for (int i = slot->part_next; i < slot->part_count && status == LQ_OK; i++) {
        const struct lq_part *part = &slot->parts[i];
        if (!part->picture) {
            status = add_separated(out, slot->message.data + part->at, part->len);
            continue;
        }
        status = add_separated(out, "b", 1);
        if (status == LQ_OK)
            status = lq_base64_encode(slot->picture.data + part->at, part->len, out);
    }
    return status;
}

void lq_sio_http_look(struct lq_request *request)
{
    struct lq_sio *sio = request->state;
    if (!sio || !has_news(sio))
        return;
    struct lq_buf *out = &request->text;
    size_t len;
    const uint8_t *message;
    int status = LQ_OK;
    lq_buf_clear(out);
    while (status == LQ_OK && (message = lq_outbox_next(&sio->outbox, &len)))
        status = add_separated(out, message, len);
    const struct lq_slot *slot = lq_session_reply(sio->session);
    if (slot && status == LQ_OK) {
        status = add_reply(out, slot);
        lq_server_count_out(sio->server, LQ_VIA_SIO, slot);
        lq_session_release(sio->session);
    }
    sio->poll = NULL;
    request->state = NULL;
    if (status == LQ_OK)
        lq_request_answer_text(request, 200, "text/plain; charset=UTF-8");
    else
        refuse(request, 3, "Bad request");
}

void lq_sio_http_gone(struct lq_request *request)
{
    struct lq_sio *sio = request->state;
    if (sio && sio->poll == request)
        sio->poll = NULL;
    struct lq_sio *named = *request->name ? find(request->conn->server, request->name) : NULL;
    if (named && named->post == request)
        named->post = NULL;
}

// ---- WebSocket ---------------------------------------------------------------------------------

int lq_sio_upgrade(struct lq_conn *conn)
{
    char sid[SID_SIZE] = "", version[4] = "";
    struct lq_sio *sio = NULL;
    bool named = lq_query(conn->wsi, "sid=", sid, sizeof sid);
    if (!lq_query(conn->wsi, "EIO=", version, sizeof version) || strcmp(version, "4") != 0)
        return -1;
    if (named) {
        sio = find(conn->server, sid);
        if (!sio || sio->link)
            return -1;
    }
    struct lq_sio_link *link = calloc(1, sizeof *link);
    if (!link)
        return -1;
    link->conn = conn;
    lq_buf_init(&link->said, LQ_BODY_BYTES_MAX);
    link->sio = named ? sio : sio_new(conn, &link->refused);
    if (link->sio) {
        link->sio->link = link;
        link->sio->on_socket = !named;
    }
    lq_conn_set(conn, &lq_sio_ops, link);
    return 0;
}

static int on_established(struct lq_conn *conn)
{
    struct lq_sio_link *link = conn->state;
    char text[256];
    if (link->sio && link->sio->on_socket) {
        int len = print_open(link->sio, false, text, sizeof text);
        if (lq_outbox_add(&link->sio->outbox, text, (size_t)len) != LQ_OK)
            return -1;
    }
    lws_callback_on_writable(conn->wsi);
    return 0;
}

// A text message while the socket is only being tried out.
static int on_probe(struct lq_sio_link *link)
{
    struct lq_sio *sio = link->sio;
    const char *text = (const char *)link->said.data;
    if (link->said.len == 6 && memcmp(text, "2probe", 6) == 0) {
        link->pong_due = true;
        if (sio->poll && lq_outbox_printf(&sio->outbox, "6") == LQ_OK)
            flush(sio);
    } else if (link->said.len == 1 && text[0] == '5') {
        if (sio->poll) {
            sio->poll->state = NULL;
            lq_request_answer(sio->poll, 200, "text/plain; charset=UTF-8", "6", 1);
            sio->poll = NULL;
        }
        sio->on_socket = true;
    } else {
        return -1;
    }
    lws_callback_on_writable(link->conn->wsi);
    return 0;
}

static int on_whole(struct lq_sio_link *link)
{
    struct lq_sio *sio = link->sio;
    if (!sio->on_socket)
        return link->text ? on_probe(link) : -1;
    const char *bytes = (const char *)link->said.data;
    int status = link->text ? on_packet(sio, bytes, link->said.len, &link->said)
                            : on_binary(sio, bytes, link->said.len, false);
    if (status != LQ_OK)
        return -1; // closing ends the session
    flush(sio);
    return 0;
}

static int on_receive(struct lq_conn *conn, const uint8_t *bytes, size_t len)
{
    struct lq_sio_link *link = conn->state;
    if (!link->sio)
        return -1;
    if (lws_is_first_fragment(conn->wsi)) {
        link->text = !lws_frame_is_binary(conn->wsi);
        lq_buf_clear(&link->said);
    }
    size_t coming = len + lws_remaining_packet_payload(conn->wsi);
    if (coming > LQ_MESSAGE_BYTES_MAX - link->said.len) {
        lq_metrics_count_error(&conn->server->metrics, LQ_ERR_TOO_LARGE);
        lws_close_reason(conn->wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    if (!lq_server_hold(conn->server, link->sio->session, len)) {
        lq_metrics_count_error(&conn->server->metrics, LQ_ERR_BUSY);
        lws_close_reason(conn->wsi, (enum lws_close_status)lq_status_ws_close(LQ_ERR_BUSY), NULL, 0);
        return -1;
    }
    if (lq_buf_reserve(&link->said, link->said.len + coming) != LQ_OK ||
        lq_buf_append(&link->said, bytes, len) != LQ_OK)
        return -1;
    return lws_is_final_fragment(conn->wsi) ? on_whole(link) : 0;
}

static int on_writable(struct lq_conn *conn)
{
    struct lq_sio_link *link = conn->state;
    struct lq_sio *sio = link->sio;
    if (!sio) {
        int code = conn->server->drain_from_us ? LWS_CLOSE_STATUS_GOINGAWAY
                                               : lq_status_ws_close(link->refused.status);
        lws_close_reason(conn->wsi, (enum lws_close_status)code, NULL, 0);
        return -1;
    }
    int pinged = lq_conn_send_ping(conn);
    if (pinged != 0)
        return pinged < 0 ? -1 : 0;
    if (link->pong_due) {
        uint8_t text[LWS_PRE + 6];
        memcpy(text + LWS_PRE, "3probe", 6);
        link->pong_due = false;
        return lws_write(conn->wsi, text + LWS_PRE, 6, LWS_WRITE_TEXT) < 0 ? -1 : 0;
    }
    if (!sio->on_socket)
        return 0;
    size_t len;
    uint8_t *message = NULL;
    // A reply of several messages must not be interrupted.
    const struct lq_slot *reply = lq_session_reply(sio->session);
    if (!reply || reply->part_next == 0)
        message = lq_outbox_next(&sio->outbox, &len);
    int sent = message ? (lws_write(conn->wsi, message, len, LWS_WRITE_TEXT) < 0 ? -1 : 1)
                       : lq_conn_send_reply(conn, LQ_VIA_SIO, sio->session);
    if (sent < 0)
        return -1;
    flush(sio);
    return 0;
}

static void on_closed(struct lq_conn *conn)
{
    struct lq_sio_link *link = conn->state;
    if (link->sio) {
        struct lq_sio *sio = link->sio;
        sio->link = NULL;
        // A probe that failed leaves the client where it was: polling.
        if (sio->on_socket)
            sio_end(sio);
    }
    lq_buf_release(&link->said);
    free(link);
}

const struct lq_conn_ops lq_sio_ops = {
    .established = on_established,
    .receive = on_receive,
    .writable = on_writable,
    .tick = lq_conn_tick_ping,
    .closed = on_closed,
};

// ---- time --------------------------------------------------------------------------------------

static bool is_over(struct lq_sio *sio, uint64_t now_us)
{
    if (lq_server_done_with(sio->server, sio->session) && lq_outbox_empty(&sio->outbox))
        return true;
    if (sio->pong_by_us)
        return now_us > sio->pong_by_us;
    if (now_us < sio->ping_at_us)
        return false;
    sio->pong_by_us = now_us + PING_TIMEOUT_MS * UINT64_C(1000);
    if (lq_outbox_printf(&sio->outbox, "2") != LQ_OK)
        return true;
    flush(sio);
    return false;
}

void lq_sio_tick(struct lq_server *server, uint64_t now_us)
{
    for (struct lq_sio *sio = server->sios, *next; sio; sio = next) {
        next = sio->next;
        if (is_over(sio, now_us) || lq_server_is_idle(server, sio->session, now_us)) {
            sio_end(sio);
            continue;
        }
        server->has_spare |=
            lq_session_trim(sio->session, now_us, LQ_IDLE_TRIM_S * UINT64_C(1000000));
        tell_pace(sio, false);
        if (sio->on_socket)
            lq_conn_end_if_stuck(sio->link->conn, sio->session, now_us);
    }
}

void lq_sio_close_all(struct lq_server *server)
{
    while (server->sios)
        sio_end(server->sios);
}
