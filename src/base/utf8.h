// Checks UTF-8 (RFC 3629), as a whole or in pieces.
// Threads: any. Owner: the caller owns the state.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Checks the next piece of a text. *state is 0 before the first piece, and again after each
// complete character. False: the text is not UTF-8 (surrogates, numbers above 0x10ffff and overlong
// forms are rejected at their first wrong byte).
bool lq_utf8_read(uint32_t *state, const uint8_t *bytes, size_t len);

static inline bool lq_utf8_is_text(const uint8_t *bytes, size_t len)
{
    uint32_t state = 0;
    return lq_utf8_read(&state, bytes, len) && state == 0;
}
