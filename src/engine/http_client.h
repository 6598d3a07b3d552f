// HTTP requests to an inference server, by libcurl: one connection kept open, an end to every wait,
// and a most of what is read. A thread that works on something traced (base/trace.h) says so.
// Threads: a client belongs to one thread at a time.
// Owner: new/free by the caller; what a call points to is the caller's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { LQ_HTTP_SPANS_MAX = 9 };

struct lq_http_call {
    // asked
    const char *url;
    bool post;
    struct lq_http_span {
        const void *bytes;
        size_t len;
    } body[LQ_HTTP_SPANS_MAX]; // sent one after the other
    int body_count;
    long head_len;        // Inference-Header-Content-Length to send; 0: none
    uint64_t deadline_us; // lq_clock_us() after which it is given up
    struct lq_buf *reply; // its maximum is the most that is read; cleared first
    // answered
    int http_status;
    long reply_head_len;  // Inference-Header-Content-Length that came; -1: none
};

struct lq_http;

LQ_MUST_CHECK int lq_http_new(struct lq_http **http, struct lq_error *err);
void lq_http_free(struct lq_http *http); // NULL is fine

// Any answer is LQ_OK, whatever its status. TIMEOUT when the deadline passed, TOO_LARGE for an
// answer beyond reply->max, SYNTAX when it is no HTTP, UNAVAILABLE when there is no connection.
LQ_MUST_CHECK int lq_http_call(struct lq_http *http, struct lq_http_call *call,
                               struct lq_error *err);
