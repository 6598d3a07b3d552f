// What pages find nails with on the visitor's own device, as files of a static site: the folder
// that the build makes (tools/device.py), read by its list device.json (web/device/files.js).
//
// Hosts need not compress: what the page fetches as bytes is written as zstd, which it unpacks by
// itself, so that visitors everywhere fetch the same few megabytes.
// Threads: one. Owner: the plan maps the files; texts of the struct are the caller's.
#pragma once

#include "cli/site_plan.h"
#include "model/sidecar.h"

#define LQ_SITE_NOTICES "NOTICES.txt"

struct lq_site_device {
    const char *folder; // NULL: where this program has it
    const char *model;  // an .onnx file in the network's place; NULL: the runtime's own
    char model_name[LQ_MODEL_NAME_MAX]; // filled in: the network's name for people
};

LQ_MUST_CHECK int lq_site_add_device(struct lq_site_plan *plan, struct lq_site_device *device,
                                     struct lq_error *err);
