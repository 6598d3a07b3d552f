// Paints polish on nails, in linear light, under the scene's own light.
// Threads: a painter belongs to one thread at a time. Owner: new/free by the caller; scratch memory
// is kept between pictures.
#pragma once

#include "image/image.h"
#include "nail/nail.h"
#include "paint/look.h"

struct lq_painter;

LQ_MUST_CHECK int lq_painter_new(struct lq_painter **painter);
void lq_painter_free(struct lq_painter *painter);

// Paints every nail in place: RGB or RGBA (alpha is kept), 8 or 16 bits. Pixels outside the nails'
// alpha are not written, except for the soft shadow of an extended nail; lq_painter_parts returns
// where pixels were written.
LQ_MUST_CHECK int lq_paint(struct lq_painter *painter, struct lq_image *picture,
                           const struct lq_nails *nails, const struct lq_look *look,
                           struct lq_error *err);

// The boxes in which the last lq_paint wrote; nothing outside them was changed. Owned by the
// painter.
const struct lq_pixel_box *lq_painter_parts(const struct lq_painter *painter, int *count);
