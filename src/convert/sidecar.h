// Copies a model's sidecar to the converted model: what shapes cannot say holds for the result too
// (docs/MODELS.md).
// Threads: any. Owner: nothing is kept.
#pragma once

#include "convert/convert.h"

// Writes the result's sidecar from the source's, if that has one. With channels first "layout"
// becomes "nchw"; float_model becomes "float_model", in a sidecar of its own where there is none.
// An existing sidecar of the result that says otherwise is replaced.
LQ_MUST_CHECK int lq_convert_sidecar(const char *in, const char *out,
                                     const struct lq_convert_options *options,
                                     struct lq_error *err);
