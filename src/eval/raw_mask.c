#include "eval/raw_mask.h"

#include <math.h>
#include <string.h>

#include "base/clamp.h"

struct between { // two neighbouring grid points and how far from the first to the second
    int low, high;
    float part;
};

// Beyond the outermost grid points, their values continue.
static struct between place(float at, int count)
{
    float last = (float)(count - 1);
    at = at > 0.0f ? (at < last ? at : last) : 0.0f;
    int low = (int)at;
    return (struct between){low, low + (low + 1 < count), at - (float)low};
}

static float mix(const float *row, struct between x)
{
    return row[x.low] + (row[x.high] - row[x.low]) * x.part;
}

static void draw_patch(struct lq_image *mask, const struct lq_patch *patch)
{
    const struct lq_float_box *box = &patch->box;
    int x0 = lq_clamp_to_int(ceilf(box->x - 0.5f), 0, mask->width);
    int y0 = lq_clamp_to_int(ceilf(box->y - 0.5f), 0, mask->height);
    int x1 = lq_clamp_to_int(ceilf(box->x + box->width - 0.5f), 0, mask->width);
    int y1 = lq_clamp_to_int(ceilf(box->y + box->height - 0.5f), 0, mask->height);
    for (int y = y0; y < y1; y++) {
        uint8_t *out = lq_image_row(mask, y);
        struct between down = place(((float)y + 0.5f - patch->y0) / patch->dy, patch->height);
        const float *above = patch->data + (ptrdiff_t)down.low * patch->stride;
        const float *below = patch->data + (ptrdiff_t)down.high * patch->stride;
        for (int x = x0; x < x1; x++) {
            struct between across = place(((float)x + 0.5f - patch->x0) / patch->dx, patch->width);
            float top = mix(above, across), value = top + (mix(below, across) - top) * down.part;
            if (value >= patch->threshold)
                out[x] = 255;
        }
    }
}

void lq_raw_mask_draw(struct lq_image *mask, const struct lq_patch *patches, int count)
{
    for (int y = 0; y < mask->height; y++)
        memset(lq_image_row(mask, y), 0, (size_t)mask->width);
    for (int i = 0; i < count; i++)
        draw_patch(mask, &patches[i]);
}
