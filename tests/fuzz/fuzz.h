// What fuzz targets share. A target is one function, called with any bytes whatever; it must come
// back, touch no memory that is not its own, and hold to what its header promises.
// Threads: one. Owner: the caller owns the bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

// A promise of the code under test; unlike assert it also holds in builds without assertions.
#define FUZZ_CHECK(condition)                                                                     \
    do {                                                                                          \
        if (!(condition))                                                                         \
            abort();                                                                              \
    } while (0)

// Reads every byte of a result, so that the sanitizers see memory that was promised and is not
// there.
static inline void fuzz_touch(const void *bytes, size_t len)
{
    const volatile uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        (void)at[i];
}
