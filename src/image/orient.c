#include "image/orient.h"

#include <stdbool.h>
#include <string.h>

#include <libexif/exif-data.h>

enum { TILE = 64 }; // pixels a side: the rows that a tile reads and writes stay in the first caches

int lq_exif_orientation(const uint8_t *exif, size_t len)
{
    if (len > UINT32_MAX)
        return 1;
    ExifData *data = exif_data_new_from_data(exif, (unsigned)len);
    if (!data)
        return 1;
    ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    int orientation = 1;
    if (entry && entry->format == EXIF_FORMAT_SHORT && entry->components >= 1 && entry->size >= 2)
        orientation = exif_get_short(entry->data, exif_data_get_byte_order(data));
    exif_data_unref(data);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

// Where upright pixel (x, y) comes from: origin + x * step_x + y * step_y, in bytes.
struct path {
    const uint8_t *origin;
    ptrdiff_t step_x;
    ptrdiff_t step_y;
};

static struct path path_of(const struct lq_image *source, int orientation)
{
    ptrdiff_t pixel = (ptrdiff_t)lq_image_pixel_bytes(source);
    ptrdiff_t row = (ptrdiff_t)source->stride;
    // The stored corner that is shown top left, by the definition of EXIF tag 274.
    bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 ||
                       orientation == 7;
    struct path path = {.origin = source->data};
    if (from_right)
        path.origin += (source->width - 1) * pixel;
    if (from_bottom)
        path.origin += (source->height - 1) * row;
    ptrdiff_t along_row = from_right ? -pixel : pixel;
    ptrdiff_t down = from_bottom ? -row : row;
    path.step_x = lq_orientation_swaps(orientation) ? down : along_row;
    path.step_y = lq_orientation_swaps(orientation) ? along_row : down;
    return path;
}

// `size` is a constant at each call, so that each pixel's copy is one or two moves.
static inline void copy_tile(const struct lq_image *upright, struct path path, size_t size,
                             int left, int top)
{
    int right = left + TILE < upright->width ? left + TILE : upright->width;
    int bottom = top + TILE < upright->height ? top + TILE : upright->height;
    for (int y = top; y < bottom; y++) {
        const uint8_t *from = path.origin + left * path.step_x + y * path.step_y;
        uint8_t *to = lq_image_row(upright, y) + (size_t)left * size;
        for (int x = left; x < right; x++, to += size, from += path.step_x)
            memcpy(to, from, size);
    }
}

void lq_orient_upright(const struct lq_image *source, int orientation,
                       const struct lq_image *upright)
{
    struct path path = path_of(source, orientation);
    size_t size = lq_image_pixel_bytes(source);
    for (int top = 0; top < upright->height; top += TILE) {
        for (int left = 0; left < upright->width; left += TILE) {
            switch (size) {
            case 3: copy_tile(upright, path, 3, left, top); break;
            case 4: copy_tile(upright, path, 4, left, top); break;
            case 6: copy_tile(upright, path, 6, left, top); break;
            case 8: copy_tile(upright, path, 8, left, top); break;
            default: copy_tile(upright, path, size, left, top); break;
            }
        }
    }
}
