#include "engine/openvino_read.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "engine/fake_quantize.h"
#include "format/external_data.h"

#define ov lq_openvino

// By its name, so that such a file is not read twice.
static bool is_other_format(const char *path)
{
    return lq_ends_with(path, ".tflite") || lq_ends_with(path, ".xml");
}

// A cheap test whether parsing the file as ONNX may be worth the time.
static bool may_have_pairs(const struct lq_buf *file)
{
    static const char op[] = "DequantizeLinear";
    return memmem(file->data, file->len, op, sizeof op - 1) &&
           !lq_onnx_has_external(file->data, file->len);
}

// Replaces pairs by FakeQuantize. False: nothing to change, or it cannot be changed.
static bool rewrite(struct lq_buf *file)
{
    struct lq_onnx onnx = {0};
    bool changed = lq_onnx_read(&onnx, file->data, file->len, "", NULL) == LQ_OK &&
                   lq_fake_quantize(&onnx) > 0 && lq_onnx_write(&onnx, file, NULL) == LQ_OK;
    lq_onnx_free(&onnx);
    return changed;
}

static bool read_changed(const char *path, ov_model_t **model)
{
    struct lq_buf file;
    lq_buf_init(&file, LQ_MODEL_BYTES_MAX);
    bool changed = lq_file_read(path, &file, NULL) == LQ_OK && may_have_pairs(&file) &&
                   rewrite(&file) &&
                   ov.core_read_model_from_memory_buffer(ov.core, (const char *)file.data, file.len,
                                                         NULL, model) == OK;
    lq_buf_release(&file);
    return changed;
}

ov_status_e lq_openvino_read(const char *path, ov_model_t **model)
{
    if (!is_other_format(path) && read_changed(path, model))
        return OK;
    return ov.core_read_model(ov.core, path, NULL, model);
}
