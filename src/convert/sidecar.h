// Copies a model's sidecar to the converted model: it contains what shapes cannot express, and this
// also applies to the result (docs/MODELS.md).
// Threads: any. Owner: nothing is kept.
#pragma once

#include "convert/convert.h"

// Writes the result's sidecar from the source's, if there is one. With options->channels_first,
// "layout" becomes "nchw". options->float_model becomes "float_model", in a new sidecar if there is
// none. An existing, different sidecar of the result is replaced.
LQ_MUST_CHECK int lq_convert_sidecar(const char *in, const char *out,
                                     const struct lq_convert_options *options,
                                     struct lq_error *err);
