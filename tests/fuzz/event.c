// The JSON of a Socket.IO "frame" event. The first byte selects its attachment: none, binary or
// base64; the rest is both the JSON and the attachment.
#include "fuzz/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 1)
        return 0;
    struct lq_frame_slot slot = {.request = {.body_form = LQ_BODY_EVENT,
                                   .has_attachment = bytes[0] % 3 != 0,
                                   .attachment_base64 = bytes[0] % 3 == 2}};
    fuzz_ask(&slot, bytes + 1, len - 1);
    return 0;
}
