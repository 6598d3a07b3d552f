// Joins the packets of a long polling response, in either version of Engine.IO.
// Threads: the loop's. Owner: the caller's buffer.
#pragma once

#include "base/buf.h"

// Append a packet, and a picture as text. version: of Engine.IO.
LQ_MUST_CHECK int lq_sio_payload_add(struct lq_buf *out, int version, const void *bytes,
                                     size_t len);
LQ_MUST_CHECK int lq_sio_payload_add_picture(struct lq_buf *out, int version,
                                             const uint8_t *bytes, size_t len);
