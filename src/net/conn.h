// A connection's bytes: its socket, TLS if used, input that is not consumed yet, queued output,
// deadlines, and its end. The meaning of the bytes is up to its protocol (http.c, ws.c).
//
// The socket is watched edge-triggered for all events from the start; `readable` and `writable`
// store the last known state. All work is done in one place, the connection's job, so that no
// function calls back into its caller: the functions here only record what to do and schedule the
// job, except lq_conn_write, which writes at once as much as the kernel accepts.
// Threads: the loop's. Owner: its listener; lq_conn_end ends it, and it is freed after the turn.
#pragma once

#include "net/http_head.h"
#include "net/net.h"
#include "net/queue.h"
#include "net/tls.h"

struct lq_conn;

struct lq_net {
    struct lq_loop *loop;
    struct lq_listener *listeners;
    size_t connections; // not counting those that only linger
    size_t buffered;
    uint64_t bytes_in, bytes_out;
    bool draining;
    uint64_t handshakes_us; // the turn in which …
    int handshakes;         // … so many steps of TLS handshakes were done
    uint64_t date_us;   // when `date` was written
    char date[40];
    uint8_t scratch[64 * 1024]; // bytes just read, before they are passed on
};

struct lq_protocol {
    // Consumes bytes, which it may modify, and returns how many. Fewer than len: it needs more
    // bytes first, or does not want any now.
    size_t (*input)(struct lq_conn *conn, uint8_t *bytes, size_t len);
    bool (*wants)(const struct lq_conn *conn); // whether it wants input now
    // Where payload can be read to directly, and how much; NULL: pass it to `input` first.
    uint8_t *(*room)(struct lq_conn *conn, size_t *size);
    void (*received)(struct lq_conn *conn, uint8_t *bytes, size_t len); // bytes were put there
    void (*ended)(struct lq_conn *conn);    // the client shut down its sending side
    void (*drained)(struct lq_conn *conn);  // something was written and the queue is empty
    void (*deadline)(struct lq_conn *conn); // set by lq_conn_set_deadline
    void (*closed)(struct lq_conn *conn, enum lq_net_end end); // called once; frees its state
    size_t read_max;                        // maximum size of one read
};

// What happens on a connection before its protocol sees bytes.
enum lq_conn_stage { LQ_CONN_PROXY, LQ_CONN_TLS, LQ_CONN_OPEN };

struct lq_conn {
    struct lq_garbage garbage;         // must be the first member
    struct lq_net *net;
    struct lq_listener *listener;
    struct lq_conn *next, **link;      // in the listener's list
    struct lq_watch watch;
    struct lq_loop_job job;
    struct lq_timer timer;             // fires at the deadline or earlier
    uint64_t deadline_us;              // 0: none
    uint64_t moved_us;                 // when the client last accepted output, or none was queued
    struct ssl_st *tls;
    const struct lq_protocol *protocol;
    void *state;                       // of the protocol
    struct lq_queue queue;
    uint8_t *held;                     // input that arrived early or is incomplete
    uint32_t held_len, held_room;
    struct lq_net_address peer, client;
    struct lq_http_scan scan;          // state of http.c between requests
    uint64_t discarded;                // bytes, while lingering
    uint8_t stage;                     // enum lq_conn_stage
    uint8_t end;                       // enum lq_net_end
    bool accepted;                     // the listener's `ended` must still be called
    bool readable, writable;
    bool input_ended;                  // the client shut down its sending side
    bool short_of_input;               // `held` was passed on and was too short
    bool served;                       // a request was answered, others may follow
    bool wrote;                        // `drained` must still be called
    bool closing;                      // close it when the queue is empty
    bool lingering;                    // our sending side is shut down; input is discarded
    bool ending;                       // the job will free it
};

// Takes over a socket, after asking the listener's `accept`. On failure the descriptor is closed.
LQ_MUST_CHECK int lq_conn_open(struct lq_listener *listener, int fd,
                               const struct lq_net_address *peer, struct lq_error *err);

// Schedules the connection's job in this turn.
void lq_conn_work(struct lq_conn *conn);

// Writes a copied piece, then a borrowed one, as far as the kernel accepts them; the rest is
// queued. `drained` is called later, even if everything was written. If out of memory, the
// connection ends.
void lq_conn_write(struct lq_conn *conn, const void *copied, size_t copied_len,
                   const void *borrowed, size_t borrowed_len);

// Calls `protocol->deadline` after this time; 0: never.
void lq_conn_set_deadline(struct lq_conn *conn, uint64_t ms);

// Ends the connection: lq_conn_end at once, discarding queued output; lq_conn_close after queued
// output was sent and the client had time to read it.
void lq_conn_end(struct lq_conn *conn, enum lq_net_end end);
void lq_conn_close(struct lq_conn *conn);

const struct lq_net_limits *lq_conn_limits(const struct lq_conn *conn);

struct lq_listener {
    struct lq_garbage garbage; // must be the first member
    struct lq_net *net;
    struct lq_listener *next, **link;
    struct lq_listener_options options;
    struct lq_net_block *proxies;
    struct ssl_ctx_st *tls;
    const struct lq_protocol *protocol;         // the initial protocol of connections
    void (*lost)(struct lq_listener *listener); // a connection has gone; may free the listener
    struct lq_watch watch;     // fd is -1 when closed
    struct lq_loop_job job;    // more connections wait to be accepted
    struct lq_timer retry;     // set when there was no file descriptor left
    struct lq_conn *conns;
    size_t conn_count;
    int port;
};
extern const struct lq_protocol lq_http_protocol;
