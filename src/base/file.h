// Reads and writes whole files.
// Threads: any. Owner: the caller owns buffers and maps.
#pragma once

#include "base/buf.h"

// Reads all of `path` ("-": standard input) into buf (cleared first), up to buf->max bytes.
LQ_MUST_CHECK int lq_file_read(const char *path, struct lq_buf *buf, struct lq_error *err);

// Reads an open file from its current position; `path` is its name in error messages.
LQ_MUST_CHECK int lq_file_read_from(int fd, const char *path, struct lq_buf *buf,
                                    struct lq_error *err);

// Maps a regular, non-empty file into memory, read-only. Returns NULL and *len 0 if it cannot be
// mapped. Unmap it with lq_file_unmap.
const void *lq_file_map(const char *path, size_t *len);
void lq_file_unmap(const void *bytes, size_t len); // bytes may be NULL

// Replaces a file atomically: a reader sees the old file or the complete new one ("-": standard
// output).
LQ_MUST_CHECK int lq_file_write(const char *path, const void *bytes, size_t len,
                                struct lq_error *err);

// Writes all bytes to an open file; fails with IO and sets errno.
LQ_MUST_CHECK int lq_file_write_fd(int fd, const void *bytes, size_t len);

// Creates a new file or folder: replaces the last six characters of `path` (such as XXXXXX) by
// random ones until `make` (open with O_EXCL, or mkdir) finds an unused name. `make` lets the
// kernel apply the umask; reading the umask is only possible by changing it for all threads.
// Returns what `make` returned, or -1 with errno.
LQ_MUST_CHECK int lq_file_make_new(char *path, int (*make)(const char *path));
