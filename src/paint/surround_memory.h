// Keeps the surround of a video's last completely decoded frame, for frames that are decoded in
// part.
// Threads: any; it has a lock. Owner: new/free by the caller; it uses a kilobyte once something is
// kept.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "paint/surround.h"

struct lq_surround_memory;

LQ_MUST_CHECK int lq_surround_memory_new(struct lq_surround_memory **memory);
void lq_surround_memory_free(struct lq_surround_memory *memory); // memory may be NULL
void lq_surround_memory_forget(struct lq_surround_memory *memory);

// Keeps nothing if there is no memory for it.
void lq_surround_memory_keep(struct lq_surround_memory *memory, const struct lq_surround *surround);
// False: nothing is kept. surround may be NULL.
bool lq_surround_memory_get(struct lq_surround_memory *memory, struct lq_surround *surround);
