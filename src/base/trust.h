// Checks who, besides root and this process's user, could change the file at a path. Code that is
// loaded and compiled models that are run must lie where nobody else can replace them.
// Threads: any. Owner: nothing is kept.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

enum lq_trust_flags {
    LQ_TRUST_GROUP = 1 << 0,   // allow group-writable: folders look like that under umask 002
    LQ_TRUST_MISSING = 1 << 1, // the last parts of the path need not exist yet
};

// Returns 0 when everything on the way to `path` (each folder, and each symbolic link with the way
// to its target) belongs to root, this user or `also`, and nobody else may write there.
// World-writable folders with the sticky bit, such as /tmp, are allowed on the way. AUTH: the path
// is not safe, and the text says which part is why. IO: it cannot be checked.
LQ_MUST_CHECK int lq_trust_path(const char *path, uid_t also, unsigned flags, struct lq_error *err);
