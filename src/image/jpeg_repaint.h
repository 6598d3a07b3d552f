// Encodes a partly painted frame as JPEG: blocks without paint keep the frame's own coefficients,
// and only the others are encoded, with the frame's quantisation. This takes half as long as
// encoding the whole frame, and the unpainted parts lose no quality.
// Threads: one owner. Owner: the caller owns all memory.
#pragma once

#include <stdbool.h>

#include "image/image.h"

struct jpeg_decompress_struct;
struct lq_jpeg_decoder;

// Memory kept between frames.
struct lq_jpeg_repaint_room {
    struct lq_buf changed; // one byte for each block of 16x16 pixels
    struct lq_buf strip;   // a JPEG of the changed blocks
};

void lq_jpeg_repaint_room_init(struct lq_jpeg_repaint_room *room);
void lq_jpeg_repaint_room_release(struct lq_jpeg_repaint_room *room);

// Whether a frame with this header can be repainted instead of being encoded at `quality`: it must
// be 4:2:0 in one scan, quantised about as finely. *quality points to an int.
bool lq_jpeg_repaint_fits(const struct jpeg_decompress_struct *header, void *quality);

// `painted`: the frame that the decoder read. Leaves the JPEG in `file`. False: the frame cannot be
// repainted, or that is not worthwhile; encode it whole. The decoder's coefficients are consumed
// either way.
bool lq_jpeg_repaint(struct lq_jpeg_decoder *decoder, const struct lq_painted_image *painted,
                     struct lq_jpeg_repaint_room *room, struct lq_buf *file);
