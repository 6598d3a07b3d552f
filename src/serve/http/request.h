// HTTP requests, from a head to its response. handler.c takes them from the network and finds their
// route, request.c keeps them and their bodies, response.c answers them. What a route does is the
// room's it belongs to (api.c, assets.c, status.c, sio/polling.c); routes.c has the table.
// Threads: the loop's. Owner: the server holds the one struct lq_web; the network owns the struct
// lq_http_request; a lq_web_request goes when the network says that it is over (answered, or the
// client has gone), and a route's `closed` is called either way.
#pragma once

#include "base/buf.h"
#include "net/http.h"
#include "serve/guard/access.h"
#include "serve/guard/account.h"
#include "serve/http/device_files.h"
#include "serve/options.h"

struct lq_admission;
struct lq_model;
struct lq_serve_metrics;
struct lq_session;
struct lq_web_request;

struct lq_web_route {
    const char *path;
    unsigned methods; // 1 << LQ_HTTP_…
    bool guarded;     // wants a token where the server has any
    bool admin;       // also for operators, on their own listener
    bool same_origin; // not even read by a page from elsewhere
    void *context;    // of whoever it belongs to
    // All headers are there. May answer at once, or say where the body goes (request->body). NULL:
    // nothing but a socket is here.
    void (*start)(struct lq_web_request *request);
    // The whole body has come. May be NULL, as may those below.
    void (*body_done)(struct lq_web_request *request);
    // Something has happened (lq_web_wake) and nothing is answered yet.
    void (*wake)(struct lq_web_request *request);
    // Answered, or the client has gone.
    void (*closed)(struct lq_web_request *request);
    // Takes a request for a WebSocket, which may be here: upgrades it or answers why not.
    void (*upgrade)(void *context, struct lq_http_request *http);
    // Whether the request names a session that was admitted: it then needs no token.
    bool (*is_known)(const void *context, const struct lq_http_request *http);
};

// What all requests share.
struct lq_web {
    const struct lq_serve_options *options;
    const struct lq_model *model;
    struct lq_access *access;
    struct lq_admission *admission;
    struct lq_serve_metrics *metrics;
    const struct lq_web_route *routes; // one without a path ends them
    struct lq_web_request *requests;   // all in flight
    struct lq_buf refusal;             // the body of the network's own last refusal
    struct lq_device_files device;     // the page's own engine
    bool stopping;                     // responses say "connection: close", /readyz 503
    bool stalled;                      // no worker is left for live frames
};

void lq_web_init(struct lq_web *web);
void lq_web_release(struct lq_web *web);

// The context of a listener begins with this.
struct lq_web_entry {
    struct lq_web *web;
    bool admin; // for operators alone (--admin-port)
};
extern const struct lq_http_handler lq_web_handler;

struct lq_web_request {
    struct lq_web *web;
    struct lq_http_request *http;
    const struct lq_web_route *route;       // NULL: a file of the page, or nothing
    struct lq_web_request *next, **link;    // web->requests
    enum lq_http_method method;
    bool admin;                             // it came to the operators' listener
    void *state;                            // the route's
    struct lq_session *session;
    // what was sent
    struct lq_buf *body;      // where body bytes go; NULL: nowhere
    size_t body_max;
    struct lq_charge held;    // its memory, and that of text
    char name[24];            // Socket.IO: whose body this is
    bool accept_jpeg;
    char origin[256];         // of an allowed page from elsewhere, or ""
    // what is answered
    int code;                 // 0: not yet
    int retry_s;              // refused: when to come again; 0: LQ_LOAD_RETRY_S
    char headers[1024];       // "name: value\r\n" lines beside the usual ones
    struct lq_buf text;       // owned memory for small responses, and for bodies of long polling
    bool hang_up;
};

// request.c: a new one, in the list; NULL: no memory.
struct lq_web_request *lq_web_request_new(struct lq_web *web, struct lq_http_request *http);
// Whether its body may come: false when it is too large or missing, which is answered.
bool lq_web_check_body(struct lq_web_request *request);
// The network's callbacks for a body and the end.
uint8_t *lq_web_on_room(struct lq_http_request *http, size_t coming, size_t *size);
void lq_web_on_received(struct lq_http_request *http, size_t len);
void lq_web_on_body_done(struct lq_http_request *http);
void lq_web_on_gone(struct lq_http_request *http, bool whole, enum lq_net_end end);
// Answers a request for a WebSocket with {"success": false, …}. headers: "name: value\r\n" lines,
// or NULL.
void lq_web_refuse(struct lq_web *web, struct lq_http_request *http, int code, const char *headers,
                   const struct lq_error *error);

// upgrade.c: a WebSocket is asked for: has its route upgrade it, or answers why not.
void lq_web_upgrade(struct lq_web *web, struct lq_http_request *http);
// The route at this path, or NULL. admin: of the operators' listener, which has less.
const struct lq_web_route *lq_web_find_route(const struct lq_web *web, const char *path,
                                             bool admin);
// Whether the request brings a token, needs none or names a session that was admitted.
bool lq_web_may_enter(const struct lq_web *web, const struct lq_web_route *route,
                      const struct lq_http_request *http);

// response.c: answers with bytes that stay until `closed` (or, in request->text, until the request
// goes).
void lq_web_respond(struct lq_web_request *request, int code, const char *type, const void *bytes,
                    size_t len);
// Answers with what is in request->text.
void lq_web_respond_text(struct lq_web_request *request, int code, const char *type);
// Answers with {"success": false, …} and the status's code.
void lq_web_fail(struct lq_web_request *request, const struct lq_error *error);
// … with another code than the status's.
void lq_web_fail_as(struct lq_web_request *request, int code, int status, const char *text);
// The client waits for work to be done; it waits no longer than LQ_WORK_S.
void lq_web_wait(struct lq_web_request *request);
// There is something to see: calls `wake`, which may answer.
void lq_web_wake(struct lq_web_request *request);
