// HTTP requests, from head to response. handler.c receives them from the network and finds their
// route, request.c stores them and their bodies, response.c responds. What a route does is
// implemented where it belongs (api.c, assets.c, status.c, sio/polling.c); routes.c has the table.
// Threads: the loop's. Owner: the server holds the only struct lq_web; the network owns the struct
// lq_http_request; a lq_web_request is freed when the network says it is over (responded, or the
// client has gone), and its route's `closed` is called in both cases.
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
    bool guarded;     // requires a token if the server has any
    bool admin;       // also available on the operators' listener
    bool same_origin; // pages from other origins may not even read it
    void *context;    // for the route's functions
    // All headers have arrived. May respond at once, or set where the body goes (request->body).
    // NULL: only WebSockets are accepted here.
    void (*start)(struct lq_web_request *request);
    // The whole body has arrived. May be NULL, as may the following.
    void (*body_done)(struct lq_web_request *request);
    // Called by lq_web_wake while there is no response yet.
    void (*wake)(struct lq_web_request *request);
    // Responded, or the client has gone.
    void (*closed)(struct lq_web_request *request);
    // Handles a request for a WebSocket: upgrades it, or responds with the reason why not.
    void (*upgrade)(void *context, struct lq_http_request *http);
    // Whether the request names a session that was admitted: it then needs no token.
    bool (*is_known)(const void *context, const struct lq_http_request *http);
};

// Shared by all requests.
struct lq_web {
    const struct lq_serve_options *options;
    const struct lq_model *model;
    struct lq_access *access;
    struct lq_admission *admission;
    struct lq_serve_metrics *metrics;
    const struct lq_web_route *routes; // ends with an entry without a path
    struct lq_web_request *requests;   // all in flight
    struct lq_buf refusal;             // the body of the network's last refusal
    struct lq_device_files device;     // the page's on-device engine
    bool stopping;                     // responses say "connection: close", /readyz gives 503
    bool stalled;                      // no worker is left for live frames
};

void lq_web_init(struct lq_web *web);
void lq_web_release(struct lq_web *web);

// A listener's context begins with this.
struct lq_web_entry {
    struct lq_web *web;
    bool admin; // the operators' listener (--admin-port)
};
extern const struct lq_http_handler lq_web_handler;

struct lq_web_request {
    struct lq_web *web;
    struct lq_http_request *http;
    const struct lq_web_route *route;       // NULL: a file of the page, or not found
    struct lq_web_request *next, **link;    // in web->requests
    enum lq_http_method method;
    bool admin;                             // it arrived at the operators' listener
    void *state;                            // of the route
    struct lq_session *session;
    // the request
    struct lq_buf *body;      // where body bytes go; NULL: they are not wanted
    size_t body_max;
    struct lq_charge held;    // memory of the body and of `text`
    char name[24];            // Socket.IO: the session this body belongs to
    bool accept_jpeg;
    char origin[256];         // of an allowed page from another origin, or ""
    // the response
    int code;                 // 0: not set yet
    int retry_s;              // after a refusal: when to retry; 0: LQ_LOAD_RETRY_S
    char headers[1024];       // "name: value\r\n" lines added to the usual ones
    struct lq_buf text;       // memory for small responses, and for bodies of long polling
    bool hang_up;
};

// request.c: creates a request and adds it to the list; NULL: out of memory.
struct lq_web_request *lq_web_request_new(struct lq_web *web, struct lq_http_request *http);
// Whether its body may be sent; false, with a response, if it is too large or missing.
bool lq_web_check_body(struct lq_web_request *request);
// The network's callbacks for a body and for the end.
uint8_t *lq_web_on_room(struct lq_http_request *http, size_t coming, size_t *size);
void lq_web_on_received(struct lq_http_request *http, size_t len);
void lq_web_on_body_done(struct lq_http_request *http);
void lq_web_on_gone(struct lq_http_request *http, bool whole, enum lq_net_end end);
// Responds to a request for a WebSocket with {"success": false, …}. headers: "name: value\r\n"
// lines, or NULL.
void lq_web_refuse(struct lq_web *web, struct lq_http_request *http, int code, const char *headers,
                   const struct lq_error *error);

// upgrade.c: lets the route upgrade a request for a WebSocket, or responds with why not.
void lq_web_upgrade(struct lq_web *web, struct lq_http_request *http);
// The route at this path, or NULL. admin: for the operators' listener, which has fewer routes.
const struct lq_web_route *lq_web_find_route(const struct lq_web *web, const char *path,
                                             bool admin);
// Whether the request carries a token, needs none, or names a session that was admitted.
bool lq_web_may_enter(const struct lq_web *web, const struct lq_web_route *route,
                      const struct lq_http_request *http);

// response.c: responds with bytes that stay valid until `closed` (or, in request->text, as long as
// the request).
void lq_web_respond(struct lq_web_request *request, int code, const char *type, const void *bytes,
                    size_t len);
// Responds with the contents of request->text.
void lq_web_respond_text(struct lq_web_request *request, int code, const char *type);
// Responds with {"success": false, …} and the HTTP code of the status.
void lq_web_fail(struct lq_web_request *request, const struct lq_error *error);
// … with a different code.
void lq_web_fail_as(struct lq_web_request *request, int code, int status, const char *text);
// Lets the client wait for work to finish, for at most LQ_WORK_S.
void lq_web_wait(struct lq_web_request *request);
// Calls `wake`, which may respond.
void lq_web_wake(struct lq_web_request *request);
