// The estimated cost of a body of any kind: the first byte is the kind, the rest the body. An
// estimate is always within the limits; for a urlencoded body, which can be read only once, it is
// not too low.
#include "serve/sched/cost.h"

#include "fuzz/ask.h"

static void check_urlencoded(struct lq_frame_slot *slot, const struct lq_cost_peek *peek)
{
    struct lq_buf decoded;
    struct lq_frame_picture picture;
    struct lq_error error;
    lq_buf_init(&decoded, LQ_BODY_BYTES_MAX);
    if (lq_frame_request_read(slot, &decoded, &picture, &error) == LQ_OK) {
        FUZZ_CHECK(lq_cost_pixels(picture.bytes, picture.len) <= peek->pixels);
        FUZZ_CHECK(!slot->request.multi_scale || peek->passes > 1);
    }
    lq_frame_picture_release(&picture);
    lq_buf_release(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct lq_frame_slot slot = {.request = {.look = lq_look_default()}};
    if (len == 0)
        return 0;
    slot.request.body_form = (enum lq_body_form)(bytes[0] % (LQ_BODY_EVENT + 1));
    slot.request.has_attachment = bytes[0] & 64;
    slot.request.attachment_base64 = bytes[0] & 128;
    struct lq_buf *into = slot.request.has_attachment ? &slot.attachment : &slot.body;
    lq_buf_init(&slot.body, LQ_BODY_BYTES_MAX);
    lq_buf_init(&slot.attachment, LQ_BODY_BYTES_MAX);
    if (lq_buf_append(into, bytes + 1, len - 1) == LQ_OK) {
        struct lq_cost_peek peek = lq_cost_peek(&slot);
        FUZZ_CHECK(peek.pixels <= LQ_FRAME_PIXELS_MAX);
        FUZZ_CHECK(peek.passes == 1 || peek.passes == LQ_COST_PASSES);
        if (!slot.request.has_attachment && slot.request.body_form == LQ_BODY_URLENCODED)
            check_urlencoded(&slot, &peek);
    }
    lq_buf_release(&slot.body);
    lq_buf_release(&slot.attachment);
    return 0;
}
