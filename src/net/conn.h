// A connection's bytes: its socket, TLS if any, what came early, what waits to go out, its
// deadlines and its end. What the bytes mean is its protocol's (http.c, ws.c).
//
// The socket is watched edge-triggered for everything from the start; `readable` and `writable`
// remember what the system last said. All work is done in one place, the connection's job, so that
// nothing calls back into who called it: functions here only note what is to be done and ask for
// the job, but for lq_conn_write, which writes at once what the system takes.
// Threads: the loop's. Owner: its listener; it goes by lq_conn_end, and is freed after the turn.
#pragma once

#include "net/http_head.h"
#include "net/net.h"
#include "net/queue.h"
#include "net/tls.h"

struct lq_conn;

struct lq_net {
    struct lq_loop *loop;
    struct lq_listener *listeners;
    size_t connections; // but for those that only linger
    size_t buffered;
    uint64_t bytes_in, bytes_out;
    bool draining;
    uint64_t handshakes_us; // the turn in which …
    int handshakes;         // … so many steps of TLS handshakes were done
    uint64_t date_us;   // when `date` was written
    char date[40];
    uint8_t scratch[64 * 1024]; // what was just read; on its way to where it belongs
};

struct lq_protocol {
    // Takes some of the bytes and returns how many; it may change them. Not all: it needs more of
    // them, or wants none just now.
    size_t (*input)(struct lq_conn *conn, uint8_t *bytes, size_t len);
    bool (*wants)(const struct lq_conn *conn); // input, now
    // Where payload may be read to directly, and how much of it; NULL: `input` is to see it first.
    uint8_t *(*room)(struct lq_conn *conn, size_t *size);
    void (*received)(struct lq_conn *conn, uint8_t *bytes, size_t len); // was put there
    void (*ended)(struct lq_conn *conn);    // the client ended its direction
    void (*drained)(struct lq_conn *conn);  // something was written and nothing waits any more
    void (*deadline)(struct lq_conn *conn); // set by lq_conn_set_deadline
    void (*closed)(struct lq_conn *conn, enum lq_net_end end); // once; frees its state
    size_t read_max;                        // bytes of one read
};

// What a connection is doing before its protocol may see bytes.
enum lq_conn_stage { LQ_CONN_PROXY, LQ_CONN_TLS, LQ_CONN_OPEN };

struct lq_conn {
    struct lq_garbage garbage;         // first
    struct lq_net *net;
    struct lq_listener *listener;
    struct lq_conn *next, **link;      // the listener's list
    struct lq_watch watch;
    struct lq_loop_job job;
    struct lq_timer timer;             // at the deadline or earlier
    uint64_t deadline_us;              // 0: none
    uint64_t moved_us;                 // when the client last took something or had nothing to
    struct ssl_st *tls;
    const struct lq_protocol *protocol;
    void *state;                       // the protocol's
    struct lq_queue queue;
    uint8_t *held;                     // input that came early, or is not whole
    uint32_t held_len, held_room;
    struct lq_net_address peer, client;
    struct lq_http_scan scan;          // http.c's, between requests
    uint64_t discarded;                // while lingering
    uint8_t stage;                     // enum lq_conn_stage
    uint8_t end;                       // enum lq_net_end
    bool accepted;                     // `ended` is owed to the listener
    bool readable, writable;
    bool input_ended;                  // the client's direction
    bool short_of_input;               // `held` was shown and is too little
    bool served;                       // a request was answered, others may follow
    bool wrote;                        // `drained` is owed
    bool closing;                      // to be closed when nothing waits
    bool lingering;                    // our direction is shut; what comes is forgotten
    bool ending;                       // to be freed by the job
};

// Takes over a socket. The listener's `accept` is asked. On failure the descriptor is closed.
LQ_MUST_CHECK int lq_conn_open(struct lq_listener *listener, int fd,
                               const struct lq_net_address *peer, struct lq_error *err);

// Has the job run in this turn.
void lq_conn_work(struct lq_conn *conn);

// Writes a copied piece, then a borrowed one, as far as the system takes them; the rest waits.
// `drained` comes later also if all is written. No memory: the connection ends.
void lq_conn_write(struct lq_conn *conn, const void *copied, size_t copied_len,
                   const void *borrowed, size_t borrowed_len);

// `protocol->deadline` is called after so long; 0: never.
void lq_conn_set_deadline(struct lq_conn *conn, uint64_t ms);

// Ends it now (what waits is lost), or when all that waits was taken, letting the client read it.
void lq_conn_end(struct lq_conn *conn, enum lq_net_end end);
void lq_conn_close(struct lq_conn *conn);

const struct lq_net_limits *lq_conn_limits(const struct lq_conn *conn);

struct lq_listener {
    struct lq_garbage garbage; // first
    struct lq_net *net;
    struct lq_listener *next, **link;
    struct lq_listener_options options;
    struct lq_net_block *proxies;
    struct ssl_ctx_st *tls;
    const struct lq_protocol *protocol;         // that connections begin with
    void (*lost)(struct lq_listener *listener); // one connection less; may free the listener
    struct lq_watch watch;     // fd -1: closed
    struct lq_loop_job job;    // more connections wait to be accepted
    struct lq_timer retry;     // there was no descriptor for one more
    struct lq_conn *conns;
    size_t conn_count;
    int port;
};
extern const struct lq_protocol lq_http_protocol;
