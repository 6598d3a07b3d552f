// W3C Trace Context: the `traceparent` header by which a request is followed through services.
//   00-<32 hex: trace>-<16 hex: the caller's span>-<2 hex: flags>
// Source: https://www.w3.org/TR/trace-context/ (level 1), section 3.2.
// Threads: a struct belongs to its holder; "the thread's trace" is each thread's own.
// Owner: plain values, nothing to release.
#pragma once

#include <stdbool.h>

enum { LQ_TRACE_SIZE = 56, LQ_TRACE_ID_SIZE = 33 }; // with their NUL

struct lq_trace {
    char parent[LQ_TRACE_SIZE]; // the header as it came, or "": no trace
};

// Takes a header's value over; one that breaks the format, or is all zeros, is no trace (false).
// Of versions after 00 the known part is kept, as the specification asks.
bool lq_trace_parse(struct lq_trace *trace, const char *text);

// What the thread works on from now on; NULL: nothing that is traced.
void lq_trace_enter(const struct lq_trace *trace);
// The thread's traceparent, for requests that it makes in turn, or "".
const char *lq_trace_parent(void);
// The 32 digits of the thread's trace, or "".
void lq_trace_id(char id[LQ_TRACE_ID_SIZE]);
