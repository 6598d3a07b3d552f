#include "frame/mask.h"

#include <string.h>

void lq_mask_draw(struct lq_image *mask, const struct lq_nails *nails)
{
    for (int y = 0; y < mask->height; y++)
        memset(lq_image_row(mask, y), 0, (size_t)mask->width);
    for (int i = 0; i < nails->count; i++) {
        const struct lq_nail *nail = &nails->items[i];
        for (int y = 0; y < nail->crop.height; y++) {
            uint8_t *to = lq_image_row(mask, nail->crop.y + y) + nail->crop.x;
            const uint8_t *from = nail->alpha + (size_t)y * nail->alpha_stride;
            for (int x = 0; x < nail->crop.width; x++)
                to[x] = to[x] > from[x] ? to[x] : from[x];
        }
    }
}
