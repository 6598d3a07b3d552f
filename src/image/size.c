#include "base/limits.h"
#include "image/codec.h"

// Sets how far to shrink a picture beyond the limit: by powers of two until it fits.
int lq_picture_check_size(uint32_t width, uint32_t height, size_t pixels_max,
                          struct lq_picture_info *info, struct lq_error *err)
{
    enum { SHRUNK_MAX = 8 };
    if (info) {
        info->shrunk = 1;
        info->stored_width = (int)width;
        info->stored_height = (int)height;
    }
    if (info && info->may_shrink && (size_t)width * height <= LQ_SOURCE_PIXELS_MAX) {
        uint32_t by = 1, w = width, h = height;
        while (by < SHRUNK_MAX && (w > LQ_PICTURE_SIDE_MAX || h > LQ_PICTURE_SIDE_MAX ||
                                   (size_t)w * h > pixels_max)) {
            by *= 2;
            w = (width + by - 1) / by;
            h = (height + by - 1) / by;
        }
        info->shrunk = (int)by;
        return lq_image_check_size(w, h, pixels_max, err);
    }
    return lq_image_check_size(width, height, pixels_max, err);
}
