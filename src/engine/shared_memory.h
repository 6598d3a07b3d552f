// Memory that a server on this host can map: a POSIX shared memory object. Its space is really
// reserved, so a full /dev/shm is an error here and not a crash later.
// Objects are named /lacquer-frame-… and locked while in use. Objects left behind by a killed
// process are recognised by their missing lock and removed when the next one is created.
// Threads: one owner at a time. Owner: init/release by the caller.
#pragma once

#include <stddef.h>

#include "base/error.h"

enum { LQ_SHARED_NAME_MAX = 64 };

struct lq_shared_memory {
    void *data; // NULL: not allocated
    size_t size;
    int fd;
    char name[LQ_SHARED_NAME_MAX]; // for shm_open
};

LQ_MUST_CHECK int lq_shared_memory_init(struct lq_shared_memory *memory, size_t size,
                                        struct lq_error *err);
void lq_shared_memory_release(struct lq_shared_memory *memory);
