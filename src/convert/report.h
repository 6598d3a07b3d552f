// Verifies a conversion: source and result run on the same inputs, and every tensor that both have
// is compared.
// Threads: any. Owner: the caller owns the JSON. Needs OpenVINO, which reads both file formats.
#pragma once

#include <jansson.h>

#include "convert/convert.h"

// A finished conversion.
struct lq_conversion {
    const uint8_t *source; // the TensorFlow Lite model
    size_t len;            // its size in bytes
    const struct lq_convert_options *options;
    const struct lq_convert_summary *summary;
};

// `folder` must be empty; it receives temporary files.
//   {"operators", "nodes", "transposes", "transposes_inner", "bytes": {"source", "result"},
//    "outputs": [{"name", "max_abs", "max_rel", "mean_abs"}], "intermediates": [the same]}
// max_rel is max_abs over the source's largest number.
LQ_MUST_CHECK int lq_convert_report(const struct lq_conversion *conversion, const char *folder,
                                    json_t **report, struct lq_error *err);

// Removes `folder` and the files that lq_convert_report left there when the engine crashed.
void lq_convert_report_sweep(const char *folder);
