// The network: a loop with listeners and their connections, which speak HTTP/1.1 (http.h) and
// WebSocket (ws.h), plain or through TLS.
//
// A server calls lq_net_new, lq_listener_open with a handler, and lq_net_turn until it ends. To
// stop: lq_listener_close, lq_net_drain, and turns until lq_net_connections is 0 or time is up.
//
// Memory: a connection without a request takes about 400 bytes (plus OpenSSL's); input not consumed
// yet and queued output are counted (lq_net_buffered) and limited.
// Threads: everything belongs to the loop's thread, except lq_loop_wake.
// Owner: a net owns its listeners, and these own their connections; lq_net_free ends all of them.
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

// How a connection ended, for counting.
enum lq_net_end {
    LQ_END_DONE,      // regularly: closed by either side after a response or a close handshake
    LQ_END_PEER,      // the client left in the middle of something
    LQ_END_SLOW,      // the client accepted nothing, or sent nothing, for too long
    LQ_END_BROKEN,    // the client violated the protocol
    LQ_END_MEMORY,    // out of memory
    LQ_END_STOPPED,   // lq_ws_kill, lq_http_kill, lq_net_free
};

// Milliseconds and bytes; 0 selects the default (base/limits.h).
struct lq_net_limits {
    uint32_t handshake_ms;  // until PROXY header, TLS handshake and first head are complete;
                            // LQ_HANDSHAKE_S
    uint32_t keepalive_ms;  // idle between requests, and for a next request's head; LQ_KEEPALIVE_S
    uint32_t body_ms;       // for a request's complete body; LQ_BODY_S
    uint32_t stall_ms;      // a client that accepts none of the queued output; LQ_SLOW_READER_S
    uint32_t linger_ms;     // for a refused client to read its response; 2 s
    uint32_t ping_ms;       // between pings on a WebSocket; 20 s
    uint32_t pong_ms;       // a WebSocket that sends nothing; LQ_PONG_S
    uint32_t close_ms;      // for the client's close frame on a WebSocket; 2 s
    uint32_t head_bytes;    // size of a request's head; LQ_HEADER_BYTES_MAX, at most 65535
    uint64_t discard_bytes; // of a refused body, read and discarded; 64 MiB
    uint32_t queue_bytes;   // owned bytes queued for a client; LQ_OUTBOX_BYTES_MAX
};

struct lq_listener_options {
    const char *host;             // an IP address; "0.0.0.0" and "::" are all of one family
    int port;                     // 0: any free port (lq_listener_port)
    struct ssl_ctx_st *tls;       // NULL: plain. The listener takes its own reference (net/tls.h)
    const struct lq_net_block *proxies; // peers that must begin with a PROXY header (proxy.h);
                                        // copied
    size_t proxy_count;
    struct lq_net_limits limits;
    const struct lq_http_handler *handler; // http.h
    void *context;                // passed to the two functions here and to the handler
    // Whether to accept a connection, asked before anything is read. The address is the client's,
    // even behind a proxy (then asked once its header has arrived). May be NULL.
    bool (*accept)(void *context, const struct lq_net_address *client);
    // A connection that `accept` admitted is gone. May be NULL.
    void (*ended)(void *context, const struct lq_net_address *client, enum lq_net_end end);
};

LQ_MUST_CHECK int lq_net_new(struct lq_net **net, struct lq_error *err);
// Ends every connection and listener: each request gets `gone`, each WebSocket `closed`. net may be
// NULL.
void lq_net_free(struct lq_net *net);
struct lq_loop *lq_net_loop(struct lq_net *net);
// Calls lq_loop_turn on its loop.
LQ_MUST_CHECK int lq_net_turn(struct lq_net *net, int wait_ms);

// Starts listening. ARGUMENT: not an IP address; IO: "cannot listen on HOST port N: why".
LQ_MUST_CHECK int lq_listener_open(struct lq_net *net, struct lq_listener **listener,
                                   const struct lq_listener_options *options,
                                   struct lq_error *err);
int lq_listener_port(const struct lq_listener *listener);
// Sets the TLS context of new connections (a renewed certificate). Existing connections keep
// theirs.
void lq_listener_set_tls(struct lq_listener *listener, struct ssl_ctx_st *tls);
// Stops accepting: the kernel refuses new connections; existing ones continue. The struct is freed
// with the last of them, or with the net; do not use it after this call.
void lq_listener_close(struct lq_listener *listener);

// Adopts a connected socket as if `listener` had accepted it (for tests and inherited sockets). The
// net owns the descriptor from then on, even if this fails.
LQ_MUST_CHECK int lq_listener_adopt(struct lq_listener *listener, int fd, struct lq_error *err);

// From now on, connections on which no request arrives for a moment are closed, and responses say
// "connection: close". WebSockets are not affected: their owners close them (lq_ws_close).
void lq_net_drain(struct lq_net *net);

size_t lq_net_connections(const struct lq_net *net);
// Bytes currently held for connections: input not consumed yet and queued output. Borrowed bytes,
// which others count, are not included.
size_t lq_net_buffered(const struct lq_net *net);
// Total bytes read from and written to sockets.
uint64_t lq_net_bytes_in(const struct lq_net *net);
uint64_t lq_net_bytes_out(const struct lq_net *net);
