// The body of a lacquer.v1 `nails` reply (docs/PROTOCOL.md): a block with the light, then one block
// per nail with its local frame, its shading and its alpha crop.
// Threads: any. Owner: the caller's memory.
#pragma once

#include "base/buf.h"
#include "frame/frame.h"
#include "frame/wire.h"

enum {
    LQ_WIRE_BLOCK_BYTES = 4, // kind, zero, length
    LQ_WIRE_BLOCK_LIGHT = 1,
    LQ_WIRE_BLOCK_NAIL = 2,
    LQ_WIRE_LIGHT_BYTES = 28,
    LQ_WIRE_NAIL_BYTES = 92, // without the crop's code
    LQ_WIRE_CROPS_BYTES_MAX = 3000, // all crops together; if they exceed it, the largest are sent
                                    // coarser
    LQ_WIRE_SCALE_MAX = 64,
};

// Appends the blocks. scratch keeps its memory between calls.
LQ_MUST_CHECK int lq_wire_nails_append(struct lq_buf *out, struct lq_buf *scratch,
                                       const struct lq_nails *nails, const struct lq_scene *scene);

// The reply header of a finished job; the caller sets ids and times.
struct lq_wire_reply lq_wire_reply_of(const struct lq_job *job);
