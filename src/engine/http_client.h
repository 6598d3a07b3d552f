// HTTP requests to an inference server with libcurl: one connection is kept open, every wait has a
// deadline, and the reply has a maximum size. If the thread has a trace (base/trace.h), requests
// carry it.
// Threads: a client belongs to one thread at a time.
// Owner: new/free by the caller; the caller owns everything a call points to.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { LQ_HTTP_SPANS_MAX = 9 };

struct lq_http_call {
    // set by the caller
    const char *url;
    bool post;
    struct lq_http_span {
        const void *bytes;
        size_t len;
    } body[LQ_HTTP_SPANS_MAX]; // sent one after the other
    int body_count;
    long head_len;        // Inference-Header-Content-Length to send; 0: none
    uint64_t deadline_us; // the lq_clock_us() after which the call is abandoned
    struct lq_buf *reply; // cleared first; a reply larger than its maximum is an error
    // set by the call
    int http_status;
    long reply_head_len;  // Inference-Header-Content-Length received; -1: none
};

struct lq_http;

LQ_MUST_CHECK int lq_http_new(struct lq_http **http, struct lq_error *err);
void lq_http_free(struct lq_http *http); // http may be NULL

// Returns LQ_OK for any HTTP response, whatever its status. TIMEOUT: the deadline passed.
// TOO_LARGE: the response exceeds reply->max. SYNTAX: it is not HTTP. UNAVAILABLE: no connection.
LQ_MUST_CHECK int lq_http_call(struct lq_http *http, struct lq_http_call *call,
                               struct lq_error *err);
