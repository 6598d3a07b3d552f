// ONNX models whose weights lie in files beside them: made into one file.
// Threads: any; nothing is shared. Owner: the caller owns what goes in and what comes out.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// Whether any tensor of the model says that its numbers lie in another file. False also for what is
// no ONNX model.
bool lq_onnx_has_external(const uint8_t *model, size_t len);

// The model read from `path`, with all of its tensors' numbers within, in `out` (cleared first).
// Files are looked for from the model's folder; one that is missing, too short, or outside of that
// folder is MODEL, and named.
LQ_MUST_CHECK int lq_onnx_embed(const uint8_t *model, size_t len, const char *path,
                                struct lq_buf *out, struct lq_error *err);
