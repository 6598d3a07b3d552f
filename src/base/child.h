// Runs work that may crash the process (a foreign library on a foreign file) in a child first.
// Threads: the process must be single-threaded when it forks; locks that other threads hold would
// stay locked in the child.
// Owner: the caller owns the job's input and output; the child works on a copy of everything else.
#pragma once

#include <stddef.h>

#include "base/error.h"

// Runs `job` in a forked child, with stdout and stderr closed and core dumps disabled. The caller
// receives what the job leaves in `data` (`size` bytes; may be NULL and 0), its status and its
// error. A child that dies from a signal, or is killed because it took longer than `timeout_ms`,
// gives ENGINE, with the reason in err.
LQ_MUST_CHECK int lq_child_run(int (*job)(void *data, struct lq_error *err), void *data,
                               size_t size, int timeout_ms, struct lq_error *err);

// Describes the signal that ended a child: "SIGSEGV, a bad memory access", ….
const char *lq_child_reason(int signal);
