// A request inside the library: what http.c reads, http_response.c answers and ws_open.c turns into
// a WebSocket.
// Threads: the loop's. Owner: its connection's state, until forgotten.
#pragma once

#include "net/conn.h"
#include "net/http.h"
#include "net/http_body.h"

struct lq_http_pair {
    const char *name, *value;
};

struct lq_http_request {
    struct lq_garbage garbage; // first
    struct lq_conn *conn;
    void *state;               // the handler's
    enum lq_http_method method;
    int minor;
    int64_t content_length;    // as announced; -1: none
    struct lq_http_body body;
    bool has_body, keeps_alive, expects_continue, upgrades_ws;
    bool unwanted;             // what comes of the body is forgotten
    bool body_reported;        // body_done was called, or is not to be
    bool answered, hang_up;
    bool over;                 // `gone` was called; what still comes of the body is forgotten
    const char *method_name, *target, *path, *host; // all in `text`
    char *text;
    int field_count;
    struct lq_http_pair fields[];
};

static inline const struct lq_http_handler *lq_http_handler_of(const struct lq_conn *conn)
{
    return conn->listener->options.handler;
}

// http_response.c: answers what is no request, or one that breaks off, with the library's own
// words.
void lq_http_refuse(struct lq_conn *conn, struct lq_http_request *http, int code, const char *why);
// Writes a status line, Date, Connection and `headers`, without the empty line. 0: it does not fit.
size_t lq_http_compose(struct lq_net *net, char *out, size_t size, int code, const char *connection,
                       const char *headers);

// http_request.c: a request from a head that was read. NULL: no memory, or a path that cannot be
// decoded (*code is 400 then).
struct lq_http_request *lq_http_request_new(struct lq_conn *conn,
                                            const struct lq_http_request_head *head,
                                            const uint8_t *bytes, int *code);
