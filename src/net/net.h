// The network: a loop with listeners and their connections, which speak HTTP/1.1 (http.h) and
// WebSocket (ws.h), plain or through TLS.
//
// What a server does: lq_net_new, lq_listener_open with a handler, lq_net_turn until it ends. At a
// stop: lq_listener_close, lq_net_drain, and turns until lq_net_connections is 0 or time is over.
//
// Memory: a connection without a request takes about 400 bytes (and what OpenSSL takes); bytes that
// came early or that its client does not take yet are counted (lq_net_buffered) and bounded.
// Threads: all of it is the loop's thread's, except lq_loop_wake.
// Owner: a net owns its listeners, these own their connections; lq_net_free ends all of them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "net/loop.h"

struct ssl_ctx_st;
struct lq_net;
struct lq_listener;
struct lq_http_handler;

// How a connection came to its end, for counting.
enum lq_net_end {
    LQ_END_DONE,      // as agreed: closed by either side after an answer or a close handshake
    LQ_END_PEER,      // the client went away in the middle of something
    LQ_END_SLOW,      // it took nothing, or sent nothing, for too long
    LQ_END_BROKEN,    // it broke the protocol
    LQ_END_MEMORY,    // there was no memory
    LQ_END_STOPPED,   // lq_ws_kill, lq_http_kill, lq_net_free
};

// Milliseconds and bytes; 0 takes the default (base/limits.h).
struct lq_net_limits {
    uint32_t handshake_ms;  // PROXY header, TLS handshake and first request head; LQ_HANDSHAKE_S
    uint32_t keepalive_ms;  // without a request, and for a next request's head; LQ_KEEPALIVE_S
    uint32_t body_ms;       // for a request's body to come whole; LQ_BODY_S
    uint32_t stall_ms;      // a client that takes nothing of what waits; LQ_SLOW_READER_S
    uint32_t linger_ms;     // for a refused client to read its answer; 2 s
    uint32_t ping_ms;       // between pings of a WebSocket; 20 s
    uint32_t pong_ms;       // a WebSocket without a sign of life; LQ_PONG_S
    uint32_t close_ms;      // for the other side's half of a WebSocket's closing; 2 s
    uint32_t head_bytes;    // a request's head; LQ_HEADER_BYTES_MAX, not more than 65535
    uint64_t discard_bytes; // of a refused body that are read and forgotten; 64 MiB
    uint32_t queue_bytes;   // owned bytes that wait for a client; LQ_OUTBOX_BYTES_MAX
};

struct lq_listener_options {
    const char *host;             // an IP address; "0.0.0.0" and "::" are every one of a kind
    int port;                     // 0: any free one (lq_listener_port)
    struct ssl_ctx_st *tls;       // NULL: plain. A reference of its own is kept (net/tls.h)
    const struct lq_net_block *proxies; // who must begin with a PROXY header (proxy.h); copied
    size_t proxy_count;
    struct lq_net_limits limits;
    const struct lq_http_handler *handler; // http.h
    void *context;                // of the three functions here and of the handler
    // Before anything is read: whether a connection may be made. The address is the client's, also
    // behind a proxy (then asked when its header has come). May be NULL.
    bool (*accept)(void *context, const struct lq_net_address *client);
    // A connection for which `accept` said yes is gone. May be NULL.
    void (*ended)(void *context, const struct lq_net_address *client, enum lq_net_end end);
};

LQ_MUST_CHECK int lq_net_new(struct lq_net **net, struct lq_error *err);
// Ends every connection and listener: each request gets `gone`, each WebSocket `closed`. NULL
// ok.
void lq_net_free(struct lq_net *net);
struct lq_loop *lq_net_loop(struct lq_net *net);
// lq_loop_turn of it.
LQ_MUST_CHECK int lq_net_turn(struct lq_net *net, int wait_ms);

// Listens. ARGUMENT: no IP address; IO: "cannot listen on HOST port N: why".
LQ_MUST_CHECK int lq_listener_open(struct lq_net *net, struct lq_listener **listener,
                                   const struct lq_listener_options *options,
                                   struct lq_error *err);
int lq_listener_port(const struct lq_listener *listener);
// New connections are made from this context (a certificate read again). Those there are keep
// theirs.
void lq_listener_set_tls(struct lq_listener *listener, struct ssl_ctx_st *tls);
// No new connections: the system refuses them. Those there are go on. The struct goes with the last
// of them, or with the net; the caller may call this once and forgets it.
void lq_listener_close(struct lq_listener *listener);

// Takes over a connected socket as if `listener` had accepted it (tests; a socket that was handed
// down). The descriptor is the net's from then on, also when this fails.
LQ_MUST_CHECK int lq_listener_adopt(struct lq_listener *listener, int fd, struct lq_error *err);

// From now on: connections on which no request comes for a moment are closed, answers say
// "connection: close".
// WebSockets are left alone: their owners close them (lq_ws_close).
void lq_net_drain(struct lq_net *net);

size_t lq_net_connections(const struct lq_net *net);
// Bytes kept for connections just now: input that came early and output that waits (borrowed bytes,
// which somebody else counts, are not among them).
size_t lq_net_buffered(const struct lq_net *net);
// All bytes of sockets so far.
uint64_t lq_net_bytes_in(const struct lq_net *net);
uint64_t lq_net_bytes_out(const struct lq_net *net);
