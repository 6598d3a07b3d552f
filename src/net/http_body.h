// A body's framing: a length, or chunks (RFC 9112 sections 6 and 7.1), read strictly. Extensions of
// chunks and trailers are read past, within bounds.
// Threads: any. Owner: plain values.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LQ_CHUNK_EXTENSION_BYTES_MAX = 256,  // of one chunk's line
    LQ_CHUNK_OVERHEAD_BYTES_MAX = 65536, // of all lines around chunks, beyond six for each byte
    LQ_TRAILER_BYTES_MAX = 4096,
};

struct lq_http_body {
    bool chunked;
    uint8_t state;     // of a chunked one: what the next byte belongs to
    bool whole;
    uint64_t left;     // of the body or of the chunk
    uint64_t received; // payload so far
    uint32_t line;     // bytes of the present line, or of the trailer
    uint32_t digits;   // of a chunk's size
    uint64_t overhead; // bytes of lines so far
};

// `length`: bytes, -1 for chunks.
void lq_http_body_start(struct lq_http_body *body, int64_t length);

// Takes the bytes of framing that come next, and returns how many. Afterwards payload follows, or
// the body is whole, or all bytes were taken. -1: ill-formed.
ptrdiff_t lq_http_body_frame(struct lq_http_body *body, const uint8_t *bytes, size_t len);

// Bytes of payload that come before anything else.
uint64_t lq_http_body_payload(const struct lq_http_body *body);

// `len` of them were taken.
void lq_http_body_took(struct lq_http_body *body, uint64_t len);
