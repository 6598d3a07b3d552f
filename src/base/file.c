#include "base/file.h"

#include <stdbool.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP = 64 * 1024, NEW_CHARS = 6, NEW_TRIES_MAX = 100 };

static int read_all(int fd, struct lq_buf *buf)
{
    for (;;) {
        size_t want = buf->max - buf->len < READ_STEP ? buf->max - buf->len : READ_STEP;
        // Reading one byte more shows whether the file is longer than `max`.
        uint8_t extra;
        uint8_t *into = &extra;
        if (want > 0) {
            int status = lq_buf_reserve(buf, buf->len + want);
            if (status != LQ_OK)
                return status;
            into = buf->data + buf->len;
        }
        ssize_t got = read(fd, into, want > 0 ? want : 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return LQ_ERR_IO;
        if (got == 0)
            return LQ_OK;
        if (want == 0)
            return LQ_ERR_TOO_LARGE;
        buf->len += (size_t)got;
    }
}

int lq_file_read(const char *path, struct lq_buf *buf, struct lq_error *err)
{
    bool from_stdin = strcmp(path, "-") == 0;
    int fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot open '%s': %s", path, strerror(errno));
    int status = lq_file_read_from(fd, path, buf, err);
    if (!from_stdin)
        close(fd);
    return status;
}

int lq_file_read_from(int fd, const char *path, struct lq_buf *buf, struct lq_error *err)
{
    struct stat info;
    lq_buf_clear(buf);
    // The size is only a hint: the file may grow, and a pipe has none. But do not read a gigabyte
    // only to find that the file is too large.
    bool sized = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
    bool fits = !sized || (size_t)info.st_size <= buf->max;
    if (sized && fits)
        (void)!lq_buf_reserve(buf, (size_t)info.st_size);
    int status = fits ? read_all(fd, buf) : LQ_ERR_TOO_LARGE;
    int saved = errno;
    if (status == LQ_ERR_TOO_LARGE)
        return lq_fail(err, status, "'%s' is larger than %zu bytes", path, buf->max);
    if (status != LQ_OK)
        return lq_fail(err, status, "cannot read '%s': %s", path, strerror(saved));
    return LQ_OK;
}

int lq_file_write_fd(int fd, const void *memory, size_t len)
{
    const uint8_t *bytes = memory;
    while (len > 0) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return LQ_ERR_IO;
        bytes += done;
        len -= (size_t)done;
    }
    return LQ_OK;
}

int lq_file_make_new(char *path, int (*make)(const char *path))
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    char *end = path + strlen(path) - NEW_CHARS;
    for (int tries = 0; tries < NEW_TRIES_MAX; tries++) {
        uint8_t random[NEW_CHARS];
        if (getrandom(random, sizeof random, 0) != sizeof random)
            return -1;
        for (int i = 0; i < NEW_CHARS; i++)
            end[i] = letters[random[i] & 63];
        int made = make(path);
        if (made >= 0 || errno != EEXIST)
            return made;
    }
    return -1;
}

static int make_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

int lq_file_write(const char *path, const void *bytes, size_t len, struct lq_error *err)
{
    if (strcmp(path, "-") == 0) {
        if (lq_file_write_fd(STDOUT_FILENO, bytes, len) == LQ_OK)
            return LQ_OK;
        return lq_fail(err, LQ_ERR_IO, "cannot write to standard output: %s", strerror(errno));
    }
    struct stat info;
    // Devices and pipes cannot be replaced by rename.
    bool direct = stat(path, &info) == 0 && !S_ISREG(info.st_mode);
    char temporary[4096];
    int size = snprintf(temporary, sizeof temporary, direct ? "%s" : "%s.XXXXXX", path);
    if (size < 0 || (size_t)size >= sizeof temporary)
        return lq_fail(err, LQ_ERR_IO, "path too long: '%.80s…'", path);
    int fd = direct ? open(path, O_WRONLY | O_CLOEXEC)
                    : lq_file_make_new(temporary, make_file);
    if (fd < 0)
        return lq_fail(err, LQ_ERR_IO, "cannot write '%s': %s", path, strerror(errno));
    int status = lq_file_write_fd(fd, bytes, len);
    int saved = errno;
    if (close(fd) != 0 && status == LQ_OK) {
        saved = errno;
        status = LQ_ERR_IO;
    }
    if (!direct && status == LQ_OK && rename(temporary, path) != 0) {
        saved = errno;
        status = LQ_ERR_IO;
    }
    if (status != LQ_OK && !direct)
        unlink(temporary);
    if (status != LQ_OK)
        return lq_fail(err, status, "cannot write '%s': %s", path, strerror(saved));
    return LQ_OK;
}

const void *lq_file_map(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    bool fine = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
    *len = fine ? (size_t)info.st_size : 0;
    void *bytes = fine ? mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (bytes != MAP_FAILED)
        return bytes;
    *len = 0;
    return NULL;
}

void lq_file_unmap(const void *bytes, size_t len)
{
    if (bytes)
        munmap((void *)(uintptr_t)bytes, len);
}
