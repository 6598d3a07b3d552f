// /ws as an echo, in the place of src/serve/live/live.c: all else of `lacquer serve` is as it is,
// so that the Autobahn test suite (tools/autobahn.sh), which wants each message back, judges the
// very loop, framing and upgrade that users meet. Built for tests only; never installed.
// Threads: the loop's. Owner: a connection's state is its own.
#include <stdlib.h>

#include "net/ws.h"
#include "serve/live/live.h"
#include "serve/message/receive.h"

enum { MESSAGE_MAX = 17 * 1024 * 1024 }; // the suite's largest is 16 MiB

struct echo {
    struct lq_buf message; // after LQ_WS_HEAD bytes of room
};

static bool clear(struct echo *echo)
{
    return lq_buf_resize(&echo->message, LQ_WS_HEAD) == LQ_OK;
}

static uint8_t *on_room(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t *size)
{
    struct echo *echo = lq_ws_state(ws);
    if (piece->first && !clear(echo))
        return NULL;
    return lq_receive_room(&echo->message, piece->coming, size);
}

static void on_received(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t len, bool last)
{
    struct echo *echo = lq_ws_state(ws);
    if (piece->first && len == 0 && !clear(echo)) {
        lq_ws_kill(ws);
        return;
    }
    echo->message.len += len;
    if (!last)
        return;
    lq_ws_pause(ws); // one message at a time: the next waits in the socket
    if (lq_ws_send(ws, piece->kind, echo->message.data + LQ_WS_HEAD, echo->message.len - LQ_WS_HEAD,
                   LQ_WS_HEAD) != LQ_OK)
        lq_ws_kill(ws);
}

static void on_writable(struct lq_ws *ws)
{
    (void)ws;
}

static void on_sent(struct lq_ws *ws)
{
    lq_ws_resume(ws);
}

static void on_closed(struct lq_ws *ws, int code, enum lq_net_end end)
{
    struct echo *echo = lq_ws_state(ws);
    (void)code;
    (void)end;
    lq_buf_release(&echo->message);
    free(echo);
}

static const struct lq_ws_handler handler = {.room = on_room, .received = on_received,
                                             .writable = on_writable, .sent = on_sent,
                                             .closed = on_closed};

void lq_live_upgrade(void *context, struct lq_http_request *http)
{
    struct echo *echo = calloc(1, sizeof *echo);
    (void)context;
    if (!echo) {
        lq_http_kill(http);
        return;
    }
    lq_buf_init(&echo->message, LQ_WS_HEAD + MESSAGE_MAX);
    if (!lq_http_upgrade(http, NULL, NULL, &handler, echo)) {
        free(echo);
        lq_http_kill(http);
    }
}

void lq_live_tick(struct lq_live_connections *connections, uint64_t now_us)
{
    (void)connections;
    (void)now_us;
}

void lq_live_end_revoked(struct lq_live_connections *connections)
{
    (void)connections;
}

void lq_live_drain(struct lq_live_connections *connections)
{
    (void)connections;
}

void lq_live_end_done(struct lq_live_connections *connections)
{
    (void)connections;
}
