// HTTP/1.1 as a server (RFC 9110, RFC 9112), strictly: what two readers could read in two ways is
// answered 400 and the connection closed (http_head.h says what).
//
// Names and values in `headers` are written as they are given: nothing a client said may stand in
// them unless it was looked through for CR and LF.
//
// A request's life: `request` when its head has come; then for a body `room` and `received` in
// turns, and `body_done`; the handler answers at any time from `request` on, once, also much later
// (a worker has its picture, a poll waits); `gone` when all of the answer was handed to the system
// or the connection is lost, exactly once. The next request of the connection is read only then.
//
//   answered early   the rest of the body is read and forgotten, up to a limit; then the connection
//                    goes on, or is closed if the limit is met or `hang_up` was asked for
//   no answer yet,   nothing is read: `gone` comes when the connection breaks. A client that only
//   body whole       shut down its sending side still gets its answer
//   the body is      answered 408 through `refuse`
//   late
//
// Threads: the loop's. Owner: the net owns a struct lq_http_request; nobody may use it after
// `gone`.
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
    // "name: value\r\n" lines or NULL; copied. Content-Length, Date and Connection are added here.
    const char *headers;
    // The whole body; borrowed until `gone`.
    const void *body;
    size_t len;
    bool hang_up;  // no further request on this connection
};

struct lq_http_handler {
    // A head has come. Neither answered nor waiting nor wanting a body after it: wait for the
    // answer.
    void (*request)(struct lq_http_request *http);
    // Where the next bytes of the body go: at most `coming` are asked for (all that is known to
    // come: the rest of the body or of its chunk). Sets *size (1 to `coming`) and returns the
    // place, which stays until `received`, or returns NULL: the rest of the body is not wanted
    // (answer now or later). A handler without `room` (NULL) wants no bodies.
    uint8_t *(*room)(struct lq_http_request *http, size_t coming, size_t *size);
    // `len` bytes were put there. May answer.
    void (*received)(struct lq_http_request *http, size_t len);
    // All of a body has come (also of an empty one, if the request may have one: its length or its
    // chunks were announced). Not called once it was answered.
    void (*body_done)(struct lq_http_request *http);
    // Over: the answer has been handed over whole (DONE), or not, and how the connection was lost.
    void (*gone)(struct lq_http_request *http, bool whole, enum lq_net_end end);
    // The library itself answers with a code (400, 405, 408, 413, 414, 417, 431, 505): the text is
    // for people. May be NULL; else it may set answer->headers and body (which must stay until the
    // next call) and count. `http` is the request that `request` was called for, or NULL.
    void (*refuse)(void *context, struct lq_http_request *http, const char *why,
                   struct lq_http_response *answer);
};

// ---- what was asked ----------------------------------------------------------------------------
// Valid from `request` until `gone`.

void *lq_http_context(const struct lq_http_request *http); // the listener's
void lq_http_set_state(struct lq_http_request *http, void *state);
void *lq_http_state(const struct lq_http_request *http);

enum lq_http_method lq_http_method(const struct lq_http_request *http);
const char *lq_http_method_name(const struct lq_http_request *http);
// The path, %XX decoded (never %00), without its query. "*" of OPTIONS is "*".
const char *lq_http_path(const struct lq_http_request *http);
// The host that is asked for, with its port if that was given: Host's, or that of an absolute
// target.
const char *lq_http_host(const struct lq_http_request *http);
// Copies the value of a query argument, %XX and + decoded. False: absent, too long or ill-formed.
bool lq_http_query(const struct lq_http_request *http, const char *name, char *value, size_t size);
// The first header of this name (any case), NULL when there is none.
const char *lq_http_header(const struct lq_http_request *http, const char *name);
// All of them, combined with ", " (Cookie: "; "). -1: none; else the length, cut off at size - 1.
int lq_http_header_all(const struct lq_http_request *http, const char *name, char *value,
                       size_t size);
// Of the body: bytes announced, -1: chunked, 0: none.
int64_t lq_http_body_length(const struct lq_http_request *http);
// Whether a body was announced, be it of 0 bytes (body_done will come).
bool lq_http_has_body(const struct lq_http_request *http);
uint64_t lq_http_body_received(const struct lq_http_request *http); // bytes of it so far
bool lq_http_body_is_whole(const struct lq_http_request *http);
bool lq_http_is_tls(const struct lq_http_request *http);
const struct lq_net_address *lq_http_client(const struct lq_http_request *http); // behind its proxy
const struct lq_net_address *lq_http_peer(const struct lq_http_request *http); // the socket's

// ---- what is answered --------------------------------------------------------------------------

// Once for each request. Goes out at once as far as the system takes it; `gone` comes later, never
// inside this call.
void lq_http_respond(struct lq_http_request *http, const struct lq_http_response *answer);
// Ends the connection at once, without an answer; `gone` comes later in this turn.
void lq_http_kill(struct lq_http_request *http);
// The answer must be there after so long, else the connection ends (0: no limit, as at first).
void lq_http_set_deadline(struct lq_http_request *http, uint32_t ms);

// ---- WebSocket ---------------------------------------------------------------------------------

// Whether a WebSocket is asked for: GET, HTTP/1.1, "connection: upgrade" and "upgrade: websocket".
bool lq_http_wants_ws(const struct lq_http_request *http);
// What is wrong with such a request (RFC 6455 section 4.2.1), NULL: nothing. `code` and `headers`
// are those to answer with: 426 with the version spoken here, or 400.
const char *lq_http_ws_fault(const struct lq_http_request *http, int *code, const char **headers);
// Whether the client offers this subprotocol.
bool lq_http_ws_offers(const struct lq_http_request *http, const char *protocol);
// Answers 101. `protocol` (or NULL) must be one that was offered; `headers` as in an answer, or
// NULL. The request is over: it must not be used any more, and its `gone` is not called. NULL: no
// memory, the request is as it was.
struct lq_ws *lq_http_upgrade(struct lq_http_request *http, const char *protocol,
                              const char *headers, const struct lq_ws_handler *handler,
                              void *state);
