// Plots a report's loads: latency against users, as an SVG.
// Threads: one. Owner: the caller.
#pragma once

#include "bench/report.h"

// Draws only the axes if no load was measured. IO: the file cannot be written.
LQ_MUST_CHECK int lq_bench_plot(const struct lq_bench_report *report, const char *path,
                                struct lq_error *err);
