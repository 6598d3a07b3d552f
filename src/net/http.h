// HTTP/1.1 server (RFC 9110, RFC 9112), strict: input that could be interpreted in two ways is
// answered with 400 and the connection closed (http_head.h lists the cases).
//
// Names and values in `headers` are written unchanged: data from a client must be checked for CR
// and LF before it is used in them.
//
// A request's life: `request` when its head has arrived; then, for a body, `room` and `received`
// alternately, and `body_done`. The handler may respond once, at any time from `request` on, even
// much later (a worker has its picture, a poll waits). `gone` is called exactly once, when the
// whole response was passed to the kernel or the connection is lost. Only then is the connection's
// next request read.
//
//   responded early  the rest of the body is read and discarded, up to a limit; then the connection
//                    is kept, or is closed if the limit is exceeded or `hang_up` was set
//   no response yet, nothing is read: `gone` is called when the connection breaks. A client that
//   body complete    only shut down its sending side still gets its response
//   the body is late 408 is sent through `refuse`
//
// Threads: the loop's. Owner: the net owns a struct lq_http_request; do not use it after `gone`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "net/net.h"

struct lq_http_request;
struct lq_ws;
struct lq_ws_handler;

enum lq_http_method {
    LQ_HTTP_GET,
    LQ_HTTP_HEAD,
    LQ_HTTP_POST,
    LQ_HTTP_PUT,
    LQ_HTTP_PATCH,
    LQ_HTTP_DELETE,
    LQ_HTTP_OPTIONS,
    LQ_HTTP_TRACE,
    LQ_HTTP_OTHER, // any other token (CONNECT is refused before a handler sees it)
};

struct lq_http_response {
    int code;
    // "name: value\r\n" lines or NULL; copied. Content-Length, Date and Connection are added.
    const char *headers;
    // The complete body; borrowed until `gone`.
    const void *body;
    size_t len;
    bool hang_up;  // accept no further request on this connection
};

struct lq_http_handler {
    // A head has arrived. If it returns without responding and no body follows, the request waits
    // for the response.
    void (*request)(struct lq_http_request *http);
    // Where to put the next bytes of the body. `coming` is what is known to follow: the rest of the
    // body or of its chunk. Sets *size (1 to `coming`) and returns the memory, which must stay
    // valid until `received`, or returns NULL: the rest of the body is not wanted (respond now or
    // later). A handler whose `room` is NULL accepts no bodies.
    uint8_t *(*room)(struct lq_http_request *http, size_t coming, size_t *size);
    // `len` bytes were put there. May respond.
    void (*received)(struct lq_http_request *http, size_t len);
    // The whole body has arrived (also an empty one, if a length or chunks were announced). Not
    // called after a response.
    void (*body_done)(struct lq_http_request *http);
    // The request is over: the response was sent completely (DONE), or how the connection was lost.
    void (*gone)(struct lq_http_request *http, bool whole, enum lq_net_end end);
    // The library itself responds with a code (400, 405, 408, 413, 414, 417, 431, 505); `why` is a
    // text for people. May be NULL; otherwise it may set the response's headers and body (which
    // must stay valid until the next call) and count. `http` is the request if `request` was called
    // for it, or NULL.
    void (*refuse)(void *context, struct lq_http_request *http, const char *why,
                   struct lq_http_response *response);
};

// ---- the request -------------------------------------------------------------------------------
// Valid from `request` until `gone`.

void *lq_http_context(const struct lq_http_request *http); // of the listener
void lq_http_set_state(struct lq_http_request *http, void *state);
void *lq_http_state(const struct lq_http_request *http);

enum lq_http_method lq_http_method(const struct lq_http_request *http);
const char *lq_http_method_name(const struct lq_http_request *http);
// The path, %XX decoded (never %00), without the query. For "OPTIONS *" it is "*".
const char *lq_http_path(const struct lq_http_request *http);
// The requested host, with its port if given: from Host, or from an absolute target.
const char *lq_http_host(const struct lq_http_request *http);
// Copies the value of a query argument, with %XX and + decoded. False: missing, too long or
// malformed.
bool lq_http_query(const struct lq_http_request *http, const char *name, char *value, size_t size);
// The first header with this name (ignoring case), or NULL.
const char *lq_http_header(const struct lq_http_request *http, const char *name);
// All headers with this name, joined by ", " (Cookie: "; "). Returns -1 if there is none; else the
// length, cut off at size - 1.
int lq_http_header_all(const struct lq_http_request *http, const char *name, char *value,
                       size_t size);
// The announced length of the body in bytes; -1: chunked, 0: none.
int64_t lq_http_body_length(const struct lq_http_request *http);
// Whether a body was announced, even one of 0 bytes (body_done will be called).
bool lq_http_has_body(const struct lq_http_request *http);
uint64_t lq_http_body_received(const struct lq_http_request *http); // bytes so far
bool lq_http_body_is_whole(const struct lq_http_request *http);
bool lq_http_is_tls(const struct lq_http_request *http);
const struct lq_net_address *lq_http_client(const struct lq_http_request *http); // behind its proxy
const struct lq_net_address *lq_http_peer(const struct lq_http_request *http); // the socket's

// ---- the response ------------------------------------------------------------------------------

// Call it once per request. Writes at once as much as the kernel accepts; `gone` is called later,
// never inside this call.
void lq_http_respond(struct lq_http_request *http, const struct lq_http_response *response);
// Ends the connection at once, without a response; `gone` is called later in this turn.
void lq_http_kill(struct lq_http_request *http);
// Ends the connection unless a response is given within this time (0: no limit, the default).
void lq_http_set_deadline(struct lq_http_request *http, uint32_t ms);

// ---- WebSocket ---------------------------------------------------------------------------------

// Whether the request asks for a WebSocket: GET, HTTP/1.1, "connection: upgrade" and
// "upgrade: websocket".
bool lq_http_wants_ws(const struct lq_http_request *http);
// Returns what is wrong with such a request (RFC 6455 section 4.2.1), or NULL. Sets `code` and
// `headers` for the response: 426 with the supported version, or 400.
const char *lq_http_ws_fault(const struct lq_http_request *http, int *code, const char **headers);
// Whether the client offers this subprotocol.
bool lq_http_ws_offers(const struct lq_http_request *http, const char *protocol);
// Responds with 101. `protocol` must be one that was offered, or NULL; `headers` as in a response,
// or NULL. The request is then over: do not use it any more; its `gone` is not called. Returns NULL
// if out of memory; the request is then unchanged.
struct lq_ws *lq_http_upgrade(struct lq_http_request *http, const char *protocol,
                              const char *headers, const struct lq_ws_handler *handler,
                              void *state);
