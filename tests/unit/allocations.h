// Counts allocations made by the test program's own code, the core included, apart from those made
// inside shared libraries. Include in one file of a program. Sanitizers have an allocator of their
// own: there the count stays 0 and `allocations_counted` says so.
// Threads: any.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/attr.h"

static atomic_size_t allocations_own;
static atomic_size_t allocations_foreign;

#ifdef LQ_SANITIZE
static const bool allocations_counted = false;
#else
static const bool allocations_counted = true;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

extern char __executable_start, etext; // the linker's, around the program's own code

// Must not be inlined: the return address would then be that of the caller's caller.
#define LQ_REPLACED __attribute__((noinline))

static void allocations_note(const void *caller)
{
    const char *at = caller;
    if (at >= &__executable_start && at < &etext)
        allocations_own++;
    else
        allocations_foreign++;
}

LQ_PUBLIC LQ_REPLACED void *malloc(size_t size)
{
    allocations_note(__builtin_return_address(0));
    return __libc_malloc(size);
}

LQ_PUBLIC LQ_REPLACED void *calloc(size_t count, size_t size)
{
    allocations_note(__builtin_return_address(0));
    return __libc_calloc(count, size);
}

LQ_PUBLIC LQ_REPLACED void *realloc(void *memory, size_t size)
{
    allocations_note(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}

LQ_PUBLIC LQ_REPLACED void *aligned_alloc(size_t alignment, size_t size)
{
    allocations_note(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}
#endif
