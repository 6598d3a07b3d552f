// The body of /api/process_base64.
#include "fuzz/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_frame_slot slot = {.request = {.body_form = LQ_BODY_JSON}};
    fuzz_ask(&slot, bytes, len);
    return 0;
}
