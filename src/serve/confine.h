// Giving up rights before foreign bytes are read: another user, no core dumps, and a sandbox of
// Landlock (files, network) and seccomp (system calls). What the kernel does not have is left out
// and told.
// Threads: call before others are started; they inherit all of it. Owner: nothing is kept.
// Sources: landlock(7), seccomp(2), Documentation/userspace-api/landlock.rst of Linux.
#pragma once

#include <stdbool.h>

#include "base/error.h"

enum { LQ_CONFINE_PATHS_MAX = 256 };

// What stays allowed. Paths that do not exist are passed over.
struct lq_confine {
    const char *read[LQ_CONFINE_PATHS_MAX];  // files, or folders with all that is below
    int read_count;
    const char *write[LQ_CONFINE_PATHS_MAX]; // likewise, for reading too
    int write_count;
    bool connect;                            // to other servers
    bool gpu;                                // speak to the drivers of NVIDIA and Intel GPUs
};

// Adds a path; more than there is room for are left out, which the sandbox then refuses.
void lq_confine_read(struct lq_confine *confine, const char *path);
void lq_confine_write(struct lq_confine *confine, const char *path);

// Becomes this user for good, with its groups and its HOME. Only root can.
LQ_MUST_CHECK int lq_confine_user(const char *name, struct lq_error *err);

// No core file and no debugger: both would hold frames and keys.
void lq_confine_memory(void);

// Enters the sandbox; there is no way out. Running programs and listening are refused from then on.
LQ_MUST_CHECK int lq_confine_enter(const struct lq_confine *confine, struct lq_error *err);

// The two halves. Each is LQ_ERR_UNAVAILABLE where the kernel does not have it.
LQ_MUST_CHECK int lq_confine_landlock(const struct lq_confine *confine, struct lq_error *err);
LQ_MUST_CHECK int lq_confine_seccomp(const struct lq_confine *confine, struct lq_error *err);
