// Turns an ONNX model whose weights lie in separate files into a single file.
// Threads: any; nothing is shared. Owner: the caller owns input and output.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// Whether any tensor of the model stores its numbers in another file. False if this is no ONNX
// model.
bool lq_onnx_has_external(const uint8_t *model, size_t len);

// Writes the model read from `path`, with all tensors embedded, to `out` (cleared first). Paths are
// relative to the model's folder. A file that is missing, too short, or outside that folder fails
// with MODEL, and the text names it.
LQ_MUST_CHECK int lq_onnx_embed(const uint8_t *model, size_t len, const char *path,
                                struct lq_buf *out, struct lq_error *err);
