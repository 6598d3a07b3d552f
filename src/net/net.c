#include "net/net.h"

#include <stdlib.h>
#include <string.h>

#include "net/conn.h"

enum { DRAIN_MS = 250 }; // for a request already on its way before idle connections are closed

int lq_net_new(struct lq_net **out, struct lq_error *err)
{
    struct lq_net *net = calloc(1, sizeof *net);
    *out = NULL;
    if (!net)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = lq_loop_new(&net->loop, err);
    if (status == LQ_OK)
        *out = net;
    else
        free(net);
    return status;
}

void lq_net_free(struct lq_net *net)
{
    if (!net)
        return;
    for (struct lq_listener *each = net->listeners; each; each = each->next)
        for (struct lq_conn *conn = each->conns; conn; conn = conn->next)
            lq_conn_end(conn, LQ_END_STOPPED);
    while (net->listeners) {
        struct lq_listener *listener = net->listeners;
        lq_listener_close(listener);
        // Each connection has a job; the last one frees the listener.
        while (net->listeners == listener && lq_loop_turn(net->loop, 0) == LQ_OK)
            ;
    }
    lq_loop_free(net->loop);
    free(net);
}

struct lq_loop *lq_net_loop(struct lq_net *net)
{
    return net->loop;
}

int lq_net_turn(struct lq_net *net, int wait_ms)
{
    return lq_loop_turn(net->loop, wait_ms);
}

// Whether no request is in flight or partly received.
static bool is_idle(const struct lq_conn *conn)
{
    return conn->protocol == &lq_http_protocol && !conn->state && !conn->held_len;
}

void lq_net_drain(struct lq_net *net)
{
    net->draining = true;
    for (struct lq_listener *each = net->listeners; each; each = each->next)
        for (struct lq_conn *conn = each->conns; conn; conn = conn->next)
            if (is_idle(conn) && !conn->closing)
                lq_conn_set_deadline(conn, DRAIN_MS);
}

size_t lq_net_connections(const struct lq_net *net)
{
    return net->connections;
}

size_t lq_net_buffered(const struct lq_net *net)
{
    return net->buffered;
}

uint64_t lq_net_bytes_in(const struct lq_net *net)
{
    return net->bytes_in;
}

uint64_t lq_net_bytes_out(const struct lq_net *net)
{
    return net->bytes_out;
}
