#include "format/onnx_shape.h"

#include "format/onnx.h"

int lq_onnx_bind_shape(const uint8_t *model, size_t len, const int64_t *shape, int rank,
                       struct lq_buf *out, struct lq_error *err)
{
    struct lq_onnx onnx;
    if (rank > LQ_ONNX_RANK_MAX)
        return lq_fail(err, LQ_ERR_ARGUMENT, "a picture of %d dimensions", rank);
    int status = lq_onnx_read(&onnx, model, len, "the model", err);
    if (status == LQ_OK && !lq_onnx_set_shape(&onnx, shape, rank))
        status = lq_fail(err, LQ_ERR_MODEL, "that is no ONNX model that takes a tensor");
    if (status == LQ_OK) {
        lq_onnx_forget_shapes(&onnx);
        status = lq_onnx_write(&onnx, out, err);
    }
    lq_onnx_free(&onnx);
    return status;
}
