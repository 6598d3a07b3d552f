// Who besides this process's user and root could change what lies at a path. Code that is loaded
// and compiled models that are run must come from where nobody else could put them.
// Threads: any. Owner: nothing is kept.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

enum lq_trust_flags {
    LQ_TRUST_GROUP = 1 << 0,   // a group may write: who works with umask 002 has such folders
    LQ_TRUST_MISSING = 1 << 1, // the last parts of the path need not be there yet
};

// 0 when everything on the way to `path` (each folder, and each symbolic link with all on the way
// to its target) belongs to root, this user or `also`, and nobody else may write there. Folders
// like /tmp that all may write in, but only the owner remove from (the sticky bit), may be on the
// way. AUTH: not so, and the text says which part is why; IO: it cannot be read.
LQ_MUST_CHECK int lq_trust_path(const char *path, uid_t also, unsigned flags, struct lq_error *err);
