// Polish on nails, in linear light, under the scene's own light.
// Threads: a painter belongs to one thread at a time. Owner: new/free by the caller; scratch memory
// is kept between pictures.
#pragma once

#include "image/image.h"
#include "nail/nail.h"
#include "paint/look.h"

struct lq_painter;

LQ_MUST_CHECK int lq_painter_new(struct lq_painter **painter);
void lq_painter_free(struct lq_painter *painter);

// Paints every nail in place: RGB or RGBA (alpha kept), 8 or 16 bits. Pixels with no nail alpha are
// not written, but for the soft shadow of a nail that the look makes longer.
// lq_painter_parts tells where that was.
LQ_MUST_CHECK int lq_paint(struct lq_painter *painter, struct lq_image *picture,
                           const struct lq_nails *nails, const struct lq_look *look,
                           struct lq_error *err);

// Where the last lq_paint wrote: nothing outside of these boxes was changed. The painter's.
const struct lq_pixel_box *lq_painter_parts(const struct lq_painter *painter, int *count);
