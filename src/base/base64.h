// Base64 (RFC 4648) and data URLs (RFC 2397). Written strictly; read as the world writes it: either
// alphabet, wrapped at any width, unpadded, percent-encoded, with blanks for the pluses of a form
// that was not escaped.
// Threads: any. Owner: the caller's buffers; nothing is kept.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

// Characters that `len` bytes become.
static inline size_t lq_base64_size(size_t len)
{
    return (len + 2) / 3 * 4;
}

// Appends the text of `bytes`, without a terminating NUL.
LQ_MUST_CHECK int lq_base64_encode(const uint8_t *bytes, size_t len, struct lq_buf *out);

// Appends the bytes that `text` encodes. A stray character or an impossible length: SYNTAX, the
// error names the place, and nothing is appended.
LQ_MUST_CHECK int lq_base64_decode(const char *text, size_t len, struct lq_buf *out,
                                   struct lq_error *err);

// How a picture was written in text: whether as a data URL, and where its base64 starts.
struct lq_data_url {
    bool is_url;
    const char *base64;
    size_t base64_len;
};

// Takes "data:…;base64,…" or bare base64 apart; the media type may be any or none. A data URL of
// another encoding, or an address: SYNTAX.
LQ_MUST_CHECK int lq_data_url_parse(const char *text, size_t len, struct lq_data_url *url,
                                    struct lq_error *err);
