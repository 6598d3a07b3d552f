// A frame painted in places, as JPEG: the blocks that nothing was painted on are the frame's own,
// coefficient by coefficient, and only the others are encoded, with the frame's own quantisation.
// That takes half as long as encoding all of it, and what was not painted loses nothing.
// Threads: one owner. Owner: the caller owns all memory.
#pragma once

#include <stdbool.h>

#include "image/image.h"

struct jpeg_decompress_struct;
struct lq_jpeg_decoder;

// Memory that is kept between frames.
struct lq_jpeg_repaint_room {
    struct lq_buf changed; // a byte for each block of 16x16 pixels
    struct lq_buf strip;   // a JPEG of those that changed
};

void lq_jpeg_repaint_room_init(struct lq_jpeg_repaint_room *room);
void lq_jpeg_repaint_room_release(struct lq_jpeg_repaint_room *room);

// Whether a frame of this header can be repainted in place of one of `quality`: 4:2:0 in one scan,
// quantised about as finely. *quality points to an int.
bool lq_jpeg_repaint_fits(const struct jpeg_decompress_struct *header, void *quality);

// `painted`: the frame that the decoder read. Leaves the JPEG in `file`. False: it cannot be
// repainted, or is not worth it; encode it whole then. The decoder's coefficients are used up
// either way.
bool lq_jpeg_repaint(struct lq_jpeg_decoder *decoder, const struct lq_painted_image *painted,
                     struct lq_jpeg_repaint_room *room, struct lq_buf *file);
