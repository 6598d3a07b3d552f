// Shared by fuzz targets. A target is one function, called with arbitrary bytes; it must return,
// access only its own memory, and keep the promises of the tested header.
// Threads: one. Owner: the caller owns the bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

// Checks a promise of the code under test; unlike assert also in builds without assertions.
#define FUZZ_CHECK(condition)                                                                     \
    do {                                                                                          \
        if (!(condition))                                                                         \
            abort();                                                                              \
    } while (0)

// Reads every byte of a result, so that the sanitizers detect a result that is longer than its
// memory.
static inline void fuzz_touch(const void *bytes, size_t len)
{
    const volatile uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++)
        (void)at[i];
}
