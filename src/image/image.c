#include "image/image.h"

#include "base/limits.h"

int lq_image_alloc(struct lq_image *image, struct lq_buf *buf, int width, int height, int channels,
                   int depth)
{
    size_t stride = ((size_t)width * (size_t)channels * (size_t)(depth / 8) + 63) & ~(size_t)63;
    int status = lq_buf_resize(buf, stride * (size_t)height);
    if (status != LQ_OK)
        return status;
    *image = (struct lq_image){buf->data, width, height, channels, depth, stride, NULL};
    return LQ_OK;
}

int lq_image_check_size(uint32_t width, uint32_t height, size_t pixels_max, struct lq_error *err)
{
    if (width == 0 || height == 0)
        return lq_fail(err, LQ_ERR_CORRUPT, "picture has no pixels: %ux%u", width, height);
    if (width > LQ_PICTURE_SIDE_MAX || height > LQ_PICTURE_SIDE_MAX)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "picture of %ux%u pixels: at most %d a side", width,
                       height, LQ_PICTURE_SIDE_MAX);
    if ((size_t)width * height > pixels_max)
        return lq_fail(err, LQ_ERR_TOO_LARGE, "picture of %ux%u pixels: at most %zu in all", width,
                       height, pixels_max);
    return LQ_OK;
}
