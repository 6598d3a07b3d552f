// Work that may end the process (a foreign library over a foreign file), done in a child first.
// Threads: the process may have no others when it forks: what they held would stay held in it.
// Owner: the caller, of what the job reads and fills in; the child has a copy of all else.
#pragma once

#include <stddef.h>

#include "base/error.h"

// Runs `job` in a forked child, with stdout and stderr closed to it and no core file. What it
// leaves in `data` (`size` bytes, may be NULL and 0) and its status and error are the caller's. A
// child that ends by a signal, or that takes longer than `timeout_ms` and is killed, is ENGINE,
// with the reason in err.
LQ_MUST_CHECK int lq_child_run(int (*job)(void *data, struct lq_error *err), void *data,
                               size_t size, int timeout_ms, struct lq_error *err);

// "SIGSEGV, a bad memory access", …, of a child that ended by it.
const char *lq_child_reason(int signal);
