// The load rows of a report as a picture: latency against users, an SVG that opens in any browser.
// Threads: one. Owner: the caller.
#pragma once

#include "bench/report.h"

// A report without measured loads gives the axes alone. IO when it cannot be written.
LQ_MUST_CHECK int lq_bench_plot(const struct lq_bench_report *report, const char *path,
                                struct lq_error *err);
