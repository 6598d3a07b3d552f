// Proof that a conversion is right: the source and the result run on the same inputs, and every
// tensor that both have is compared.
// Threads: any. Owner: the caller owns the JSON. Needs OpenVINO, which reads both kinds of file.
#pragma once

#include <jansson.h>

#include "convert/convert.h"

// A conversion that was made.
struct lq_conversion {
    const uint8_t *source; // the TensorFlow Lite model
    size_t len;            // bytes of it
    const struct lq_convert_options *options;
    const struct lq_convert_summary *summary;
};

// `folder` is an empty one for the files that it makes.
//   {"operators", "nodes", "transposes", "transposes_inner", "bytes": {"source", "result"},
//    "outputs": [{"name", "max_abs", "max_rel", "mean_abs"}], "intermediates": [the same]}
// max_rel is max_abs over the source's largest number.
LQ_MUST_CHECK int lq_convert_report(const struct lq_conversion *conversion, const char *folder,
                                    json_t **report, struct lq_error *err);

// Removes `folder` and what lq_convert_report left there when the engine ended its process.
void lq_convert_report_sweep(const char *folder);
