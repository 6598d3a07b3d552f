// Whole files in and out of buffers.
// Threads: any. Owner: the caller, of buffers and maps.
#pragma once

#include "base/buf.h"

// Reads all of `path` ("-" is standard input) into buf (cleared first), up to buf->max bytes.
LQ_MUST_CHECK int lq_file_read(const char *path, struct lq_buf *buf, struct lq_error *err);

// The same of a file that is open already, from where it stands; `path` is its name for people.
LQ_MUST_CHECK int lq_file_read_from(int fd, const char *path, struct lq_buf *buf,
                                    struct lq_error *err);

// Maps a regular file that is not empty into memory, to be read only. NULL where that cannot be
// done, with *len 0. The caller gives it back with lq_file_unmap.
const void *lq_file_map(const char *path, size_t *len);
void lq_file_unmap(const void *bytes, size_t len); // NULL is fine

// Writes a file so that readers see the old one or the whole new one ("-" is standard output).
LQ_MUST_CHECK int lq_file_write(const char *path, const void *bytes, size_t len,
                                struct lq_error *err);

// Writes all of it to an open file; IO with errno set on failure.
LQ_MUST_CHECK int lq_file_write_fd(int fd, const void *bytes, size_t len);

// Makes what was not there before: the last six characters of `path` (XXXXXX, say) become random
// ones until `make` (open with O_EXCL, mkdir) finds the name free. The mode is then the system's
// business: nobody need ask for the process's umask, which can only be asked by changing it for all
// threads. Returns what `make` did, or -1 with errno.
LQ_MUST_CHECK int lq_file_make_new(char *path, int (*make)(const char *path));
