// Whole files in and out of buffers. Any thread.
#pragma once

#include "base/buf.h"

// Reads all of `path` ("-" is standard input) into buf (cleared first), up to buf->max bytes.
LQ_MUST_CHECK int lq_file_read(const char *path, struct lq_buf *buf, struct lq_error *err);

// Writes a file so that readers see the old one or the whole new one ("-" is standard output).
LQ_MUST_CHECK int lq_file_write(const char *path, const void *bytes, size_t len,
                                struct lq_error *err);

// Writes all of it to an open file; IO with errno set on failure.
LQ_MUST_CHECK int lq_file_write_fd(int fd, const void *bytes, size_t len);
