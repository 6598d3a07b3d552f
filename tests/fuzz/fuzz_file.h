// For parsers that open a path: puts the bytes into a file in memory.
// Threads: one. Owner: the caller of fuzz_file calls fuzz_file_remove.
#pragma once

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

// Writes a file with these bytes and this ending (".json"), private to this process. Returns its
// path, which stays valid until the next call.
static inline const char *fuzz_file(const char *ending, const uint8_t *bytes, size_t len)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "/dev/shm/lacquer-fuzz-%d%s", (int)getpid(), ending);
    FILE *file = fopen(path, "wb");
    FUZZ_CHECK(file);
    FUZZ_CHECK(fwrite(bytes, 1, len, file) == len);
    FUZZ_CHECK(fclose(file) == 0);
    return path;
}

static inline void fuzz_file_remove(const char *path)
{
    FUZZ_CHECK(unlink(path) == 0);
}
