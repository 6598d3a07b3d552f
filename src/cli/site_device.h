// What pages find nails with on the visitor's own device, as files of a static site: the runtime
// that the build makes (build/device), and the network.
// Threads: one. Owner: the plan maps the files; texts of the struct are the caller's.
#pragma once

#include "cli/site_plan.h"

struct lq_site_device {
    const char *folder; // NULL: where this program has it
    const char *model;  // an .onnx file in the network's place; NULL: the runtime's own
    char model_name[64]; // filled in: the network's name for people
};

LQ_MUST_CHECK int lq_site_add_device(struct lq_site_plan *plan, struct lq_site_device *device,
                                     struct lq_error *err);
