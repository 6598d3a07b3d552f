// UTF-8 (RFC 3629), whole or as it comes in pieces.
// Threads: any. Owner: the caller's number.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Goes on in a text; *state is 0 before it, and at the end of each whole one. False: no text begins
// so (surrogates, numbers above 0x10ffff and longer ways to write one are refused at their first
// wrong byte).
bool lq_utf8_read(uint32_t *state, const uint8_t *bytes, size_t len);

static inline bool lq_utf8_is_text(const uint8_t *bytes, size_t len)
{
    uint32_t state = 0;
    return lq_utf8_read(&state, bytes, len) && state == 0;
}
