#include "base/utf8.h"

#include <string.h>

// Packs the decoder's state: the number of bytes missing, and the range of the next one.
static uint32_t expect(uint32_t count, uint32_t low, uint32_t high)
{
    return count | low << 8 | high << 16;
}

// The state after a first byte (RFC 3629 section 4); UINT32_MAX if no character begins with it.
static uint32_t after_first(uint8_t c)
{
    if (c < 0x80)
        return 0;
    if (c < 0xc2 || c > 0xf4)
        return UINT32_MAX;
    if (c < 0xe0)
        return expect(1, 0x80, 0xbf);
    if (c < 0xf0)
        return expect(2, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf);
    return expect(3, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf);
}

static uint32_t after_next(uint32_t state, uint8_t c)
{
    uint32_t count = state & 0xff, low = state >> 8 & 0xff, high = state >> 16;
    if (c < low || c > high)
        return UINT32_MAX;
    return count == 1 ? 0 : expect(count - 1, 0x80, 0xbf);
}

bool lq_utf8_read(uint32_t *state, const uint8_t *bytes, size_t len)
{
    uint64_t eight;
    uint32_t now = *state;
    for (size_t i = 0; i < len; i++) {
        while (now == 0 && i + 8 <= len && // fast path: most texts are ASCII
               (memcpy(&eight, bytes + i, 8), !(eight & UINT64_C(0x8080808080808080))))
            i += 8;
        if (i == len)
            break;
        now = now == 0 ? after_first(bytes[i]) : after_next(now, bytes[i]);
        if (now == UINT32_MAX)
            return false;
    }
    *state = now;
    return true;
}
