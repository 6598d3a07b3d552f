// Base64 (RFC 4648) and data URLs (RFC 2397). Encoding is strict. Decoding accepts what clients
// send: either alphabet, lines of any width, no padding, percent-encoding, and spaces where an
// unescaped form turned '+' into ' '.
// Threads: any. Owner: the caller's buffers; nothing is kept.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

// Number of characters that `len` bytes encode to.
static inline size_t lq_base64_size(size_t len)
{
    return (len + 2) / 3 * 4;
}

// Appends the base64 of `bytes`, without a terminating NUL.
LQ_MUST_CHECK int lq_base64_encode(const uint8_t *bytes, size_t len, struct lq_buf *out);

// Appends the bytes that `text` encodes. A stray character or an impossible length fails with
// SYNTAX: the error names the position, and nothing is appended.
LQ_MUST_CHECK int lq_base64_decode(const char *text, size_t len, struct lq_buf *out,
                                   struct lq_error *err);

// How a picture was given as text: whether as a data URL, and where its base64 begins.
struct lq_data_url {
    bool is_url;
    const char *base64;
    size_t base64_len;
};

// Splits "data:…;base64,…" or bare base64. Any media type is accepted, or none. A data URL in
// another encoding, or a web address, fails with SYNTAX.
LQ_MUST_CHECK int lq_data_url_parse(const char *text, size_t len, struct lq_data_url *url,
                                    struct lq_error *err);
