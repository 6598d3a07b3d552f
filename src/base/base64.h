// Base64 (RFC 4648 section 4) and data URLs (RFC 2397), strictly: no blanks, no missing padding.
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

// Appends the bytes that `text` stands for. A stray character or a wrong length: SYNTAX; nothing is
// appended then.
LQ_MUST_CHECK int lq_base64_decode(const char *text, size_t len, struct lq_buf *out,
                                   struct lq_error *err);

// How a picture was written in text: whether as a data URL, and where its base64 starts.
struct lq_data_url {
    bool is_url;
    const char *base64;
    size_t base64_len;
};

// Takes "data:…;base64,…" or bare base64 apart. A data URL of another encoding: SYNTAX.
LQ_MUST_CHECK int lq_data_url_parse(const char *text, size_t len, struct lq_data_url *url,
                                    struct lq_error *err);
