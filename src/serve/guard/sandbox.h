// Giving up rights before foreign bytes are read: another user, no core dumps, and a sandbox of
// Landlock (files, network) and seccomp (system calls). What the kernel does not have is left out
// and logged.
// Threads: call before others are started; they inherit all of it. Owner: nothing is kept.
// Sources: landlock(7), seccomp(2), Documentation/userspace-api/landlock.rst of Linux.
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum { LQ_SANDBOX_PATHS_MAX = 256 };

// What stays allowed. Paths that do not exist are passed over.
struct lq_sandbox {
    const char *read[LQ_SANDBOX_PATHS_MAX];  // files, or folders with all that is below
    int read_count;
    const char *write[LQ_SANDBOX_PATHS_MAX]; // likewise, for reading too
    int write_count;
    bool connect;                            // to other servers
    bool gpu;                                // speak to the drivers of NVIDIA and Intel GPUs
};

// Adds a path; more than there is room for are left out, which the sandbox then refuses.
void lq_sandbox_read(struct lq_sandbox *sandbox, const char *path);
void lq_sandbox_write(struct lq_sandbox *sandbox, const char *path);

// Becomes this user for good, with its groups and its HOME. Only root can.
LQ_MUST_CHECK int lq_sandbox_user(const char *name, struct lq_error *err);

// No core file and no debugger: both would hold frames and keys.
void lq_sandbox_memory(void);

// Enters the sandbox; there is no way out. Running programs and listening are refused from then on.
LQ_MUST_CHECK int lq_sandbox_enter(const struct lq_sandbox *sandbox, struct lq_error *err);

// The two halves. Each is LQ_ERR_UNAVAILABLE where the kernel does not have it.
LQ_MUST_CHECK int lq_sandbox_landlock(const struct lq_sandbox *sandbox, struct lq_error *err);
LQ_MUST_CHECK int lq_sandbox_seccomp(const struct lq_sandbox *sandbox, struct lq_error *err);
