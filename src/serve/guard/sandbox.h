// Drops privileges before untrusted bytes are read: another user, no core dumps, and a sandbox of
// Landlock (files, network) and seccomp (system calls). Features that the kernel lacks are skipped
// and logged.
// Threads: call it before other threads start; they inherit everything. Owner: nothing is kept.
// Sources: landlock(7), seccomp(2), Documentation/userspace-api/landlock.rst of Linux.
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum { LQ_SANDBOX_PATHS_MAX = 256 };

// What stays allowed. Paths that do not exist are skipped.
struct lq_sandbox {
    const char *read[LQ_SANDBOX_PATHS_MAX];  // files, or folders with everything below
    int read_count;
    const char *write[LQ_SANDBOX_PATHS_MAX]; // likewise, for writing and reading
    int write_count;
    bool connect;                            // may connect to other servers
    bool gpu;                                // may use the drivers of NVIDIA and Intel GPUs
};

// Adds a path. Paths beyond the maximum are not added, so the sandbox denies them.
void lq_sandbox_read(struct lq_sandbox *sandbox, const char *path);
void lq_sandbox_write(struct lq_sandbox *sandbox, const char *path);

// Switches to this user permanently, with its groups and HOME. Only root can.
LQ_MUST_CHECK int lq_sandbox_user(const char *name, struct lq_error *err);

// Disables core dumps and debuggers: both would expose frames and keys.
void lq_sandbox_memory(void);

// Enters the sandbox, irrevocably. From then on, executing programs and listening are denied.
LQ_MUST_CHECK int lq_sandbox_enter(const struct lq_sandbox *sandbox, struct lq_error *err);

// The two parts. Each returns LQ_ERR_UNAVAILABLE if the kernel does not support it.
LQ_MUST_CHECK int lq_sandbox_landlock(const struct lq_sandbox *sandbox, struct lq_error *err);
LQ_MUST_CHECK int lq_sandbox_seccomp(const struct lq_sandbox *sandbox, struct lq_error *err);
