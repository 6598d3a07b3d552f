// Errors: one set of negative status codes, with a line of text where a person will read it.
// Threads: a struct lq_error belongs to its caller; nothing here is shared.
// Owner: the caller; there is nothing to release.
#pragma once

#include "base/attr.h"

// name, text, HTTP status, WebSocket close code (RFC 6455 section 7.4.1)
#define LQ_STATUS_MAP(X)                                                                          \
    X(ARGUMENT, "bad argument", 400, 1008)                                                        \
    X(SYNTAX, "malformed message", 400, 1007)                                                     \
    X(AUTH, "not allowed", 403, 1008)                                                             \
    X(NOT_FOUND, "not found", 404, 1008)                                                          \
    X(TOO_LARGE, "too large", 413, 1009)                                                          \
    X(FORMAT, "unsupported format", 415, 1003)                                                    \
    X(FIELD, "missing or invalid field", 422, 1008)                                               \
    X(CORRUPT, "damaged picture", 422, 1007)                                                      \
    X(RATE, "too many requests", 429, 1008)                                                       \
    X(MODEL, "unusable model", 500, 1011)                                                         \
    X(ENGINE, "inference failed", 500, 1011)                                                      \
    X(IO, "input or output failed", 500, 1011)                                                    \
    X(MEMORY, "out of memory", 503, 1013)                                                         \
    X(BUSY, "busy", 503, 1013)                                                                    \
    X(UNAVAILABLE, "not available here", 503, 1013)                                               \
    X(TIMEOUT, "timed out", 504, 1013)

enum lq_status_index {
    LQ_STATUS_OK_INDEX,
#define X(name, text, http, close) LQ_STATUS_##name##_INDEX,
    LQ_STATUS_MAP(X)
#undef X
    LQ_STATUS_COUNT
};

enum lq_status {
    LQ_OK = 0,
#define X(name, text, http, close) LQ_ERR_##name = -LQ_STATUS_##name##_INDEX,
    LQ_STATUS_MAP(X)
#undef X
};

struct lq_error {
    int status;     // enum lq_status
    // One line, lower case, no full stop: what failed, then the subject, then what to do about it.
    char text[768];
};

// Writes the text (err may be NULL) and returns status, so callers can `return lq_fail(…)`.
int lq_fail(struct lq_error *err, int status, const char *format, ...) LQ_PRINTF(3, 4);

// Puts "prefix: " before the existing text; returns err's status.
int lq_fail_within(struct lq_error *err, const char *format, ...) LQ_PRINTF(2, 3);

const char *lq_status_name(int status); // "TOO_LARGE"
const char *lq_status_text(int status); // "too large"
int lq_status_http(int status);         // 200 for LQ_OK
int lq_status_ws_close(int status);     // 1000 for LQ_OK
