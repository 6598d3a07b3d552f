// For targets that read a request's body as workers do: a slot filled with the bytes.
// Threads: one. Owner: fuzz_ask owns everything that it creates.
#pragma once

#include <string.h>

#include "base/limits.h"
#include "fuzz/fuzz.h"
#include "serve/message/frame_request.h"

// Reads the slot's body in the form that slot->request names, and the bytes of its picture.
static inline void fuzz_ask(struct lq_frame_slot *slot, const uint8_t *bytes, size_t len)
{
    struct lq_buf decoded;
    struct lq_frame_picture picture;
    struct lq_error error;
    slot->request.look = lq_look_default();
    lq_buf_init(&decoded, LQ_BODY_BYTES_MAX);
    lq_buf_init(&slot->body, LQ_BODY_BYTES_MAX);
    lq_buf_init(&slot->attachment, LQ_BODY_BYTES_MAX);
    if (lq_buf_append(&slot->body, bytes, len) == LQ_OK &&
        lq_frame_request_read(slot, &decoded, &picture, &error) == LQ_OK)
        fuzz_touch(picture.bytes, picture.len);
    if (len > 0)
        lq_frame_picture_release(&picture);
    FUZZ_CHECK(slot->request.look.polish.opacity >= 0 && slot->request.look.polish.opacity <= 1);
    FUZZ_CHECK(slot->request.look.polish.texture >= 0 && slot->request.look.polish.texture <= 1);
    lq_buf_release(&slot->attachment);
    lq_buf_release(&slot->body);
    lq_buf_release(&decoded);
}
