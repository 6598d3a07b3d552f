// What the bench's own client needs to read and write on a socket: addresses, base64, HTTP reply
// heads, and WebSocket frames (RFC 6455) from the client's side. Pure functions over bytes.
// Threads: any. Owner: the caller of every buffer; parsed pointers point into the caller's bytes.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct lq_url {
    char host[256];
    int port;
};

// "http://host[:port][/]"; [brackets] around an IPv6 address. Anything else: ARGUMENT.
LQ_MUST_CHECK int lq_url_parse(struct lq_url *url, const char *text, struct lq_error *err);

// True for 127.0.0.0/8, ::1 and localhost.
bool lq_url_is_loopback(const struct lq_url *url);

LQ_MUST_CHECK int lq_base64_append(struct lq_buf *out, const uint8_t *bytes, size_t len);

struct lq_http_head {
    size_t size;          // bytes of the head, blank line included
    int status;
    int64_t body_len;     // -1: until the connection is closed
    bool close;           // no further request on this connection
    bool accepted;        // Sec-WebSocket-Accept answers LQ_WS_KEY
    bool subprotocol;     // a Sec-WebSocket-Protocol header is there
};

// 0: more bytes are needed; > 0: the head's size; < 0: not an HTTP/1.x reply this client reads.
int lq_http_head_parse(const uint8_t *bytes, size_t len, struct lq_http_head *head);

// A fixed nonce (RFC 6455 section 1.3's own): it only proves that the other side speaks WebSocket,
// and nothing between a bench and a server caches.
#define LQ_WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="

enum lq_ws_opcode { LQ_WS_CONTINUATION = 0, LQ_WS_TEXT = 1, LQ_WS_BINARY = 2, LQ_WS_CLOSE = 8,
                    LQ_WS_PING = 9, LQ_WS_PONG = 10 };

struct lq_ws_frame {
    bool fin;
    enum lq_ws_opcode opcode;
    const uint8_t *payload;
    size_t payload_len;
    size_t size; // header and payload
};

// Reads one server frame. 0: more bytes are needed; 1: *frame is filled;
// SYNTAX: not what a server may send; TOO_LARGE: payload over payload_max.
int lq_ws_parse(const uint8_t *bytes, size_t len, size_t payload_max, struct lq_ws_frame *frame);

// Appends one client frame (final, masked with `mask`) whose payload is head followed by body.
LQ_MUST_CHECK int lq_ws_append(struct lq_buf *out, enum lq_ws_opcode opcode, uint32_t mask,
                               const void *head, size_t head_len, const void *body,
                               size_t body_len);
