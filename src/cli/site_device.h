// The files with which pages detect nails on the visitor's own device, added to a static site: the
// folder that the build creates (tools/device.py), read via its list device.json
// (web/device/files.js).
//
// Since hosts may not compress, files that the page fetches as bytes are written as zstd, which the
// page decompresses itself, so visitors always download the same few megabytes.
// Threads: one. Owner: the plan maps the files; the caller owns the struct's texts.
#pragma once

#include "cli/site_plan.h"
#include "model/sidecar.h"

#define LQ_SITE_NOTICES "NOTICES.txt"

struct lq_site_device {
    const char *folder; // NULL: this program's own folder
    const char *model;  // an .onnx file that replaces the network; NULL: the runtime's own
    char model_name[LQ_MODEL_NAME_MAX]; // set by the call: the network's display name
};

LQ_MUST_CHECK int lq_site_add_device(struct lq_site_plan *plan, struct lq_site_device *device,
                                     struct lq_error *err);
