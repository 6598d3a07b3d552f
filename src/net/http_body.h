// The framing of a body: a length or chunks (RFC 9112 sections 6 and 7.1), parsed strictly. Chunk
// extensions and trailers are skipped, up to a limit.
// Threads: any. Owner: plain values.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LQ_CHUNK_EXTENSION_BYTES_MAX = 256,  // of one chunk's line
    LQ_CHUNK_OVERHEAD_BYTES_MAX = 65536, // all lines around chunks, beyond six bytes for each
                                         // payload byte
    LQ_TRAILER_BYTES_MAX = 4096,
};

struct lq_http_body {
    bool chunked;
    uint8_t state;     // if chunked: what the next byte belongs to
    bool whole;
    uint64_t left;     // bytes left of the body or of the chunk
    uint64_t received; // payload so far
    uint32_t line;     // bytes of the current line or of the trailer
    uint32_t digits;   // of a chunk's size
    uint64_t overhead; // bytes of chunk lines so far
};

// `length`: bytes, -1 for chunks.
void lq_http_body_start(struct lq_http_body *body, int64_t length);

// Consumes framing bytes and returns how many. Afterwards payload follows, or the body is complete,
// or all bytes were consumed. -1: malformed.
ptrdiff_t lq_http_body_frame(struct lq_http_body *body, const uint8_t *bytes, size_t len);

// Number of payload bytes before the next framing.
uint64_t lq_http_body_payload(const struct lq_http_body *body);

// Records that `len` payload bytes were consumed.
void lq_http_body_consume(struct lq_http_body *body, uint64_t len);
