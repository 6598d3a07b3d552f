// Reads files that hold a secret: tokens, a private key. Warns if their mode lets others read them,
// as ssh does.
// Threads: any. Owner: the caller wipes and releases the buffer.
#pragma once

#include "base/buf.h"

// As lq_file_read. A world-writable file is refused (ARGUMENT): whoever can add a token gets
// access. A file that other users may read, or a group may write, is read with a warning:
// containers often mount secrets like that (Kubernetes: 0644 unless `defaultMode` is set), and are
// alone there. A group may read a file of root or another user without a warning: that is how a
// server that is no longer root reloads it.
LQ_MUST_CHECK int lq_secret_read(const char *path, struct lq_buf *buf, struct lq_error *err);
