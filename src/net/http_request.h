// A request inside the library: http.c reads it, http_response.c responds to it, and ws_open.c
// turns it into a WebSocket.
// Threads: the loop's. Owner: its connection's state, until forgotten.
#pragma once

#include "net/conn.h"
#include "net/http.h"
#include "net/http_body.h"

struct lq_http_pair {
    const char *name, *value;
};

struct lq_http_request {
    struct lq_garbage garbage; // must be the first member
    struct lq_conn *conn;
    void *state;               // of the handler
    enum lq_http_method method;
    int minor;
    int64_t content_length;    // as announced; -1: none
    struct lq_http_body body;
    bool has_body, keeps_alive, expects_continue, upgrades_ws;
    bool unwanted;             // the rest of the body is discarded
    bool body_reported;        // body_done was called, or must not be called
    bool answered, hang_up;
    bool over;                 // `gone` was called; the rest of the body is discarded
    const char *method_name, *target, *path, *host; // all point into `text`
    char *text;
    int field_count;
    struct lq_http_pair fields[];
};

static inline const struct lq_http_handler *lq_http_handler_of(const struct lq_conn *conn)
{
    return conn->listener->options.handler;
}

// http_response.c: responds to a malformed or incomplete request with a text of the library's own.
void lq_http_refuse(struct lq_conn *conn, struct lq_http_request *http, int code, const char *why);
// Writes a status line, Date, Connection and `headers`, without the empty line. 0: no room.
size_t lq_http_compose(struct lq_net *net, char *out, size_t size, int code, const char *connection,
                       const char *headers);

// http_request.c: creates a request from a parsed head. NULL: out of memory, or the path cannot be
// decoded (*code is then 400).
struct lq_http_request *lq_http_request_new(struct lq_conn *conn,
                                            const struct lq_http_request_head *head,
                                            const uint8_t *bytes, int *code);
