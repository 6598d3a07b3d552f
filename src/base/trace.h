// W3C Trace Context: the `traceparent` header, which identifies a request across services.
//   00-<32 hex: trace>-<16 hex: the caller's span>-<2 hex: flags>
// Source: https://www.w3.org/TR/trace-context/ (level 1), section 3.2.
// Threads: a struct belongs to its holder; each thread has its own current trace.
// Owner: plain values, nothing to release.
#pragma once

#include <stdbool.h>

enum { LQ_TRACE_SIZE = 56, LQ_TRACE_ID_SIZE = 33 }; // including the NUL

struct lq_trace {
    char parent[LQ_TRACE_SIZE]; // the header as received, or "": no trace
};

// Stores a header's value. False, and no trace, if it is malformed or all zeros. From versions
// after 00 only the known part is kept, as the specification requires.
bool lq_trace_parse(struct lq_trace *trace, const char *text);

// Sets the trace of what this thread works on from now on; NULL: not traced.
void lq_trace_enter(const struct lq_trace *trace);
// The thread's traceparent, to be sent with its own requests, or "".
const char *lq_trace_parent(void);
// The 32 hex digits of the thread's trace id, or "".
void lq_trace_id(char id[LQ_TRACE_ID_SIZE]);
