// The server's insides: one libwebsockets context, its connections, and what each of them is doing.
// server.c starts and ends it; events.c hands what the loop tells to http.c (requests), live.c (/ws)
// or sio_socket.c; admit.c says who is let in and whose frames are taken.
// Threads: all of this is the loop's; workers touch sessions only (session.h).
// Owner: serve.h says who opens and closes a server; a connection's struct is libwebsockets' user
// space and its state belongs to whoever set its ops.
#pragma once

#include <libwebsockets.h>

#include "base/limits.h"
#include "serve/load.h"
#include "serve/metrics.h"
#include "serve/peers.h"
#include "serve/serve.h"
#include "serve/token.h"

enum {
    LQ_SEND_BYTES = 64 * 1024,      // one write of an HTTP body
    LQ_PING_S = 20,                 // between pings of a WebSocket
    LQ_STALL_S = 10,                // a worker at one frame for so long will not come back
    LQ_IDLE_TRIM_S = 5,             // a session without frames gives its buffers back
    // When told to stop: who has been quiet for a way there and back on a slow network is done, who
    // goes on sending is cut off a little later, and at the end the server stops whatever is left.
    LQ_DRAIN_QUIET_MS = 300,
    LQ_DRAIN_TAKE_MS = 1000,
    LQ_DRAIN_MS = 5000,
};

struct lq_conn;

// What a connection does with its events. Nonzero closes it.
struct lq_conn_ops {
    int (*established)(struct lq_conn *conn);
    int (*receive)(struct lq_conn *conn, const uint8_t *bytes, size_t len);
    int (*body)(struct lq_conn *conn, const uint8_t *bytes, size_t len);
    int (*body_done)(struct lq_conn *conn);
    int (*writable)(struct lq_conn *conn);
    void (*tick)(struct lq_conn *conn, uint64_t now_us); // once a second; may be NULL
    void (*drain)(struct lq_conn *conn); // the server stops: told once, then `writable` is called
                                         // often until the connection is closed; may be NULL
    void (*closed)(struct lq_conn *conn);
};

struct lq_conn {
    struct lws *wsi;
    struct lq_server *server;
    const struct lq_conn_ops *ops; // NULL: nothing under way
    void *state;
    bool flushing;                 // counted in server->flushing
    struct lq_conn *next, **link;  // the server's list of connections with ops
    uint64_t stuck_us;             // since when its client has taken nothing; 0: it does
    uint64_t pinged_us;            // the last ping, at first the opening
    bool ping_due;
};

struct lq_sio;

struct lq_server {
    const struct lq_serve_options *options;
    const struct lq_model *model;
    struct lq_metrics metrics;
    struct lq_load load;
    struct lq_workers *workers;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct ssl_ctx_st *ssl;        // with TLS: what new connections are made from
    struct lq_tokens tokens;
    struct lq_peers peers;         // who has which sessions
    struct lq_peers callers;       // who has which connections
    struct lq_conn *conns;
    struct lq_sio *sios;           // every Socket.IO session, connected or between polls
    int session_count;
    struct lq_session *sessions;   // all of them
    size_t held_bytes;             // what their frames take: counted each second, what came since added
    uint64_t requests_finished;
    bool tls;
    int port;
    int signal_fd;
    int listen_fd;                 // -1: not known before the first connection, or closed
    uint64_t started_us;
    bool told_to_stop;             // /readyz says no; still serving for options->drain_delay_s
    uint64_t drain_from_us;        // 0: not draining; from then on no new connections
    int flushing;                  // answered requests whose last bytes the library still keeps
    bool has_spare;                // idle sessions gave memory back since the last tick
    bool stop;
    lws_sorted_usec_list_t tick, drain_timer;
};

// Gives a connection something to do, or with NULL nothing.
void lq_conn_set(struct lq_conn *conn, const struct lq_conn_ops *ops, void *state);

// Whether the library still has bytes of an answered request to send.
void lq_conn_set_flushing(struct lq_conn *conn, bool flushing);

// Hands the filled slot over. Of a live session nothing more is taken while stopping, and one that
// sent nothing for a while is answered BUSY instead when its frames would slow down others, one that
// sends more than --max-fps RATE.
void lq_server_post(struct lq_server *server, struct lq_session *session);
// Whether work of this kind would wait longer than `limit_ms`.
bool lq_server_is_busy(const struct lq_server *server, int limit_ms);

// A new session for the client of `wsi`, or NULL with the reason: BUSY when the server is full or
// draining, RATE when this address has all the sessions it may have.
struct lq_session *lq_server_admit(struct lq_server *server, struct lws *wsi, enum lq_transport via,
                                   void *owner, void (*ready)(struct lq_session *session),
                                   struct lq_error *why);
void lq_server_dismiss(struct lq_server *server, enum lq_transport via,
                       struct lq_session *session);
// Whether a live client's frame may still be posted: false once it was cut off by a stop.
bool lq_server_takes_frames(const struct lq_server *server);
// Whether the server stops and this session has all that it will get.
bool lq_server_done_with(const struct lq_server *server, struct lq_session *session);

// Whether a live session had no frame for --idle-timeout.
bool lq_server_is_idle(const struct lq_server *server, struct lq_session *session,
                       uint64_t now_us);

// Counts what has come of a frame. False when all frames together take more than they may and this
// session more than an equal share of it: it must not go on. NULL: of no session's frame.
bool lq_server_hold(struct lq_server *server, struct lq_session *session, size_t bytes);

// Once a second: counts anew what they take, and has idle memory given back where it is too much.
void lq_server_weigh_frames(struct lq_server *server);

// Whether every worker hangs, so that nobody is served any more until a restart.
bool lq_server_is_stalled(const struct lq_server *server);

// Counts a posted frame, a sent reply.
void lq_server_count_in(struct lq_server *server, enum lq_transport via, size_t bytes);
void lq_server_count_out(struct lq_server *server, enum lq_transport via,
                         const struct lq_slot *slot);

// "YES" of a query argument: copies its value, false when absent or too long.
bool lq_query(struct lws *wsi, const char *name_equals, char *value, size_t size);

// Messages waiting to be sent, each after LWS_PRE bytes of room.
struct lq_outbox {
    struct lq_buf buf;
    size_t at;
};
void lq_outbox_init(struct lq_outbox *outbox);
void lq_outbox_release(struct lq_outbox *outbox);
// Appends printf output as one message. TOO_LARGE when the client does not take what waits.
LQ_MUST_CHECK int lq_outbox_printf(struct lq_outbox *outbox, const char *format, ...)
    LQ_PRINTF(2, 3);
LQ_MUST_CHECK int lq_outbox_add(struct lq_outbox *outbox, const void *bytes, size_t len);
// The next message (with LWS_PRE writable bytes before it) or NULL; it stays valid until the next
// call.
uint8_t *lq_outbox_next(struct lq_outbox *outbox, size_t *len);
bool lq_outbox_empty(const struct lq_outbox *outbox);

// Sends the next part of the session's oldest finished frame, if there is one. Returns 1 when
// something was sent, 0 when there is nothing, -1 to close. The Socket.IO and /ws way of writing.
int lq_conn_send_reply(struct lq_conn *conn, enum lq_transport via, struct lq_session *session);
// Whether lq_conn_send_reply has more to do.
bool lq_conn_has_reply(struct lq_session *session);
// Once a second: ends a live connection whose client takes no reply for LQ_SLOW_READER_S.
void lq_conn_end_if_stuck(struct lq_conn *conn, struct lq_session *session, uint64_t now_us);

// Pings of a WebSocket: once a second, and first in its `writable`, where 1 says that one was sent and
// -1 to close. Not left to libwebsockets 4.1: its ping is written over a pong that waits to be sent,
// and a client whose ping is answered with other bytes takes the server for dead.
void lq_conn_tick_ping(struct lq_conn *conn, uint64_t now_us);
int lq_conn_send_ping(struct lq_conn *conn);

extern const struct lq_conn_ops lq_http_ops, lq_live_ops, lq_sio_ops;
// Starts an HTTP request on this connection.
int lq_http_start(struct lq_conn *conn);
// Decides about an upgrade while its headers are still there; nonzero refuses.
int lq_upgrade(struct lq_conn *conn, bool v1);
int lq_live_upgrade(struct lq_conn *conn, bool v1);
int lq_sio_upgrade(struct lq_conn *conn);
// Whether a request to /socket.io/ names a session: who was let in is given that name, a secret, and
// some clients send nothing else afterwards.
bool lq_sio_is_known(const struct lq_conn *conn);

// Sends away those whose session is marked as revoked.
void lq_live_end_revoked(struct lq_server *server);
void lq_sio_end_revoked(struct lq_server *server);

// Once a second: pings, timeouts, memory of idle sessions.
void lq_sio_tick(struct lq_server *server, uint64_t now_us);
void lq_sio_close_all(struct lq_server *server);

// The library's callbacks, all of a connection's and of the loop's (events.c).
extern const struct lws_protocols lq_protocols[];

// Has the loop read the signals that are blocked (lq_serve_block_signals).
LQ_MUST_CHECK int lq_signals_watch(struct lq_server *server, struct lq_error *err);
// One has come.
void lq_signals_read(struct lq_server *server);

// Reads certificate, key and tokens again (reload.c): all of them are changed or none. Sessions
// whose token is gone end.
void lq_server_reload(struct lq_server *server);

// Stopping without losing a reply (drain.c). Told a second time it stops at once. `wait`: say at
// /readyz first that no new users should come, and serve on for options->drain_delay_s.
void lq_drain_start(struct lq_server *server, bool wait);
// New connections are refused by the system from then on, so that a balancer goes elsewhere.
void lq_drain_close_listener(struct lq_server *server);
bool lq_drain_is_over(const struct lq_server *server);
