// Files that hold a secret: tokens, a private key. What their modes let others do is logged, as ssh
// does.
// Threads: any. Owner: the caller wipes and releases the buffer.
#pragma once

#include "base/buf.h"

// As lq_file_read. One that anybody may write to is refused (ARGUMENT): whoever can add a token is
// let in. One that other users may read, or a group may change, is read with a warning: containers'
// secrets are often mounted so (Kubernetes: 0644 unless `defaultMode` says otherwise), and are
// alone there. A group may read what belongs to root or another user without one: that is how a
// server that is no longer root reads it again.
LQ_MUST_CHECK int lq_secret_read(const char *path, struct lq_buf *buf, struct lq_error *err);
