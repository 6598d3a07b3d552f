// One HTTP request: from its head and its body (http.c) to its answer (http_answer.c). Routes are a
// table in routes.c; what a route does is in api.c, assets.c, sio_polling.c.
// Threads: the loop. Owner: the network owns the struct lq_http; a request goes when the network
// says that it is over (answered, or the client has gone); a route's `gone` is told either way.
#pragma once

#include "serve/server.h"

struct lq_request;

struct lq_route {
    const char *path;
    unsigned methods; // 1 << LQ_HTTP_…
    bool guarded;     // wants a token where the server has any
    bool admin;       // also for operators, on their own listener
    // All headers are there. May answer at once, or say where the body goes (request->body).
    void (*start)(struct lq_request *request);
    // The whole body has come.
    void (*body_done)(struct lq_request *request);
    // Something has happened (lq_request_wake) and nothing is answered yet: time to look.
    void (*look)(struct lq_request *request);
    // Answered, or the client has gone.
    void (*gone)(struct lq_request *request);
};

struct lq_request {
    struct lq_server *server;
    struct lq_http *http;
    const struct lq_route *route;
    struct lq_request *next, **link; // the server's list
    enum lq_http_method method;
    bool admin;               // it came to the operators' listener
    void *state;              // the route's
    struct lq_session *session;
    // asked
    struct lq_buf *body;      // where body bytes go; NULL: nowhere
    size_t body_max;
    struct lq_charge held;    // its memory, and that of text
    char name[24];            // Socket.IO: whose body this is
    bool accept_jpeg;
    char origin[256];         // of an allowed page from elsewhere, or ""
    // answered
    int code;                 // 0: not yet
    int retry_s;              // refused: when to come again; 0: LQ_LOAD_RETRY_S
    char headers[1024];       // "name: value\r\n" lines beside the usual ones
    struct lq_buf text;       // owned memory for small answers, and for bodies of long polling
    bool hang_up;
};

// Answers with bytes that stay until `gone` (or, in request->text, until the request goes).
void lq_request_answer(struct lq_request *request, int code, const char *type, const void *bytes,
                       size_t len);
// Answers with what is in request->text.
void lq_request_answer_text(struct lq_request *request, int code, const char *type);
// Answers with {"success": false, …} and the status's code.
void lq_request_fail(struct lq_request *request, const struct lq_error *error);
void lq_request_add_header(struct lq_request *request, const char *format, ...) LQ_PRINTF(2, 3);
// … with another code than the status's.
void lq_request_fail_as(struct lq_request *request, int code, int status, const char *text);
// The client waits for work to be done; it waits no longer than LQ_WORK_S.
void lq_request_wait(struct lq_request *request);
// There is something to look at: calls `look`, which may answer.
void lq_request_wake(struct lq_request *request);

// Where this path leads: lq_page_route for any that is not in the table. admin: of the operators'
// listener, which has less.
const struct lq_route *lq_route_find(const char *path, bool admin);
extern const struct lq_route lq_page_route;

// The routes' functions.
void lq_api_start(struct lq_request *request);
void lq_api_body_done(struct lq_request *request);
void lq_api_look(struct lq_request *request);
void lq_api_gone(struct lq_request *request);
void lq_api_info(struct lq_request *request);
void lq_api_looks(struct lq_request *request);
void lq_asset_start(struct lq_request *request, const char *path);
void lq_asset_answer(struct lq_request *request, int status, const char *path);
void lq_sio_http_start(struct lq_request *request);
void lq_sio_http_body_done(struct lq_request *request);
void lq_sio_http_look(struct lq_request *request);
void lq_sio_http_gone(struct lq_request *request);
