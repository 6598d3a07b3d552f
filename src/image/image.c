#include "image/image.h"

int lq_image_alloc(struct lq_image *image, struct lq_buf *buf, int width, int height, int channels,
                   int depth)
{
    size_t stride = ((size_t)width * (size_t)channels * (size_t)(depth / 8) + 63) & ~(size_t)63;
    int status = lq_buf_resize(buf, stride * (size_t)height);
    if (status != LQ_OK)
        return status;
    *image = (struct lq_image){buf->data, width, height, channels, depth, stride};
    return LQ_OK;
}
