// The headers of lacquer.v1: writing a parsed header gives the same bytes.
#include "frame/wire.h"

#include <string.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_wire_frame frame;
    struct lq_wire_reply reply;
    struct lq_error error;
    uint8_t again[LQ_WIRE_FRAME_BYTES];
    if (lq_wire_frame_read(&frame, bytes, len, &error) == LQ_OK) {
        FUZZ_CHECK(frame.header_bytes >= LQ_WIRE_FRAME_BYTES && frame.header_bytes <= len);
        lq_wire_frame_write(&frame, again);
        if (frame.header_bytes == LQ_WIRE_FRAME_BYTES)
            FUZZ_CHECK(memcmp(again, bytes, sizeof again) == 0);
    }
    if (lq_wire_reply_read(&reply, bytes, len, &error) == LQ_OK)
        FUZZ_CHECK(len >= LQ_WIRE_REPLY_BYTES);
    return 0;
}
