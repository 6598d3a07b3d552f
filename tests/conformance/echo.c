// /ws as an echo, in the place of src/serve/live.c: all else of `lacquer serve` is as it is, so that
// the Autobahn test suite (tools/autobahn.sh), which wants each message back, judges the very loop,
// library options and upgrade that users meet. Built for tests only; never installed.
// Threads: the loop's. Owner: a connection's state is its own.
#include <stdlib.h>

#include "serve/server.h"

enum { MESSAGE_MAX = 17 * 1024 * 1024 }; // the suite's largest is 16 MiB

struct echo {
    struct lq_buf message; // after LWS_PRE bytes of room
    bool text, whole;
};

int lq_live_upgrade(struct lq_conn *conn, bool v1)
{
    struct echo *echo = calloc(1, sizeof *echo);
    (void)v1;
    if (!echo)
        return -1;
    lq_buf_init(&echo->message, LWS_PRE + MESSAGE_MAX);
    lq_conn_set(conn, &lq_live_ops, echo);
    return 0;
}

static int on_established(struct lq_conn *conn)
{
    (void)conn;
    return 0;
}

static int on_receive(struct lq_conn *conn, const uint8_t *bytes, size_t len)
{
    struct echo *echo = conn->state;
    if (lws_is_first_fragment(conn->wsi)) {
        echo->text = !lws_frame_is_binary(conn->wsi);
        lq_buf_clear(&echo->message);
        if (lq_buf_resize(&echo->message, LWS_PRE) != LQ_OK)
            return -1;
    }
    if (lq_buf_append(&echo->message, bytes, len) != LQ_OK)
        return -1;
    if (!lws_is_final_fragment(conn->wsi))
        return 0;
    echo->whole = true;
    lws_rx_flow_control(conn->wsi, 0); // one message at a time: the next waits in the socket
    lws_callback_on_writable(conn->wsi);
    return 0;
}

static int on_writable(struct lq_conn *conn)
{
    struct echo *echo = conn->state;
    if (!echo->whole)
        return 0;
    echo->whole = false;
    if (lws_write(conn->wsi, echo->message.data + LWS_PRE, echo->message.len - LWS_PRE,
                  echo->text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY) < 0)
        return -1;
    lws_rx_flow_control(conn->wsi, 1);
    return 0;
}

static void on_closed(struct lq_conn *conn)
{
    struct echo *echo = conn->state;
    lq_buf_release(&echo->message);
    free(echo);
}

static void on_drain(struct lq_conn *conn)
{
    (void)conn;
}

const struct lq_conn_ops lq_live_ops = {
    .established = on_established,
    .receive = on_receive,
    .writable = on_writable,
    .drain = on_drain,
    .closed = on_closed,
};
