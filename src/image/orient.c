#include "image/orient.h"

#include <stdbool.h>
#include <string.h>

enum { TILE = 64 }; // side in pixels: a tile's source and target rows fit the L1 cache

enum { NAME_LEN = 6, TIFF_HEAD_LEN = 8, ENTRY_LEN = 12, TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3 };

static uint32_t number(const uint8_t *bytes, int size, bool little)
{
    uint32_t value = 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | bytes[little ? size - 1 - i : i];
    return value;
}

int lq_exif_orientation(const uint8_t *exif, size_t len)
{
    if (len < NAME_LEN + TIFF_HEAD_LEN || memcmp(exif, "Exif\0", NAME_LEN) != 0)
        return 1;
    const uint8_t *tiff = exif + NAME_LEN;
    len -= NAME_LEN;
    bool little = tiff[0] == 'I';
    size_t at = number(tiff + 4, 4, little);
    if (memcmp(tiff, little ? "II*\0" : "MM\0*", 4) != 0 || at > len - 2)
        return 1;
    size_t count = number(tiff + at, 2, little);
    at += 2;
    for (size_t i = 0; i < count && len - at >= ENTRY_LEN; i++, at += ENTRY_LEN) {
        const uint8_t *entry = tiff + at;
        if (number(entry, 2, little) != TAG_ORIENTATION)
            continue;
        uint32_t value = number(entry + 8, 2, little);
        bool fine = number(entry + 2, 2, little) == TYPE_SHORT &&
                    number(entry + 4, 4, little) == 1 && value >= 1 && value <= 8;
        return fine ? (int)value : 1;
    }
    return 1;
}

// The source of upright pixel (x, y): origin + x * step_x + y * step_y, in bytes.
struct path {
    const uint8_t *origin;
    ptrdiff_t step_x;
    ptrdiff_t step_y;
};

static struct path path_of(const struct lq_image *source, int orientation)
{
    ptrdiff_t pixel = (ptrdiff_t)lq_image_pixel_bytes(source);
    ptrdiff_t row = (ptrdiff_t)source->stride;
    // Which stored corner is shown at the top left, as EXIF tag 274 defines it.
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

// `size` is a constant at each call, so that copying a pixel takes one or two moves.
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
