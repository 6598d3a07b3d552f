// A connection's bytes: its socket, TLS if any, what came early, what waits to go out, its deadlines
// and its end. What the bytes mean is its protocol's (http1.c, ws.c).
//
// The socket is watched edge-triggered for everything from the start; `readable` and `writable`
// remember what the system last said, and lq_conn_… work through what is possible in one place, the
// connection's job. So nothing calls back into who called it.
// Threads: the loop's. Owner: its listener; it goes by lq_net_conn_end, freed after the turn.
#pragma once

#include "net/http_head.h"
#include "net/net.h"
#include "net/queue.h"
#include "net/tls.h"

struct lq_net_conn;

struct lq_net_protocol {
    // Takes some of the bytes and returns how many. Not all: more is needed, or it does not want any
    // now (`wants` says).
    size_t (*input)(struct lq_net_conn *conn, uint8_t *bytes, size_t len);
    // Whether input is wanted now.
    bool (*wants)(const struct lq_net_conn *conn);
    // Where payload may be read to directly, or NULL: `input` is to see it first.
    uint8_t *(*room)(struct lq_net_conn *conn, size_t *size);
    void (*came)(struct lq_net_conn *conn, size_t len);
    // The client ended its direction.
    void (*ended)(struct lq_net_conn *conn);
    // Nothing waits any more that was written.
    void (*drained)(struct lq_net_conn *conn);
    void (*deadline)(struct lq_net_conn *conn);
    // Told once when the connection ends; frees the protocol's state.
    void (*closed)(struct lq_net_conn *conn, enum lq_net_end end);
};
