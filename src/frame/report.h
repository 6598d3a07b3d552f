// A finished job as JSON, with the same keys in all interfaces (command line, HTTP, Socket.IO).
// Threads: any; the job's nails must not change meanwhile. Owner: the caller gets a reference.
#pragma once

#include <jansson.h>

#include "frame/frame.h"

// [{"id", "confidence", "box": [x, y, w, h], "area"}, …]; with geometry also center, axis, length,
// width, curvature, tip_known and finger. Units: picture pixels. NULL when out of memory.
json_t *lq_report_nails(const struct lq_nails *nails, bool geometry);

// {"decode": 1.4, …, "total": 8.9}: milliseconds with three decimals. Stages that did not run
// (paint and encode of a nails-only job) are omitted.
json_t *lq_report_ms(const struct lq_job *job);
