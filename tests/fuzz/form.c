// The body of /api/process. The first line is the Content-Type, the rest the body.
#include "serve/message/form.h"

#include "fuzz/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char type[256];
    struct lq_error error;
    const uint8_t *newline = memchr(bytes, '\n', len);
    if (!newline || (size_t)(newline - bytes) >= sizeof type)
        return 0;
    memcpy(type, bytes, (size_t)(newline - bytes));
    type[newline - bytes] = 0;
    struct lq_frame_slot slot = {.request = {.body_form = LQ_BODY_URLENCODED}};
    if (strncmp(type, "multipart/", 10) == 0) {
        slot.request.body_form = LQ_BODY_MULTIPART;
        if (lq_form_boundary(type, slot.request.boundary, sizeof slot.request.boundary,
                             &error) != LQ_OK)
            return 0;
    }
    fuzz_ask(&slot, newline + 1, (size_t)(bytes + len - newline - 1));
    return 0;
}
