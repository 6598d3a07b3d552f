// Memory that lives as long as one conversion: taken piece by piece, given back all at once.
// It cannot be made without a maximum, so that a hostile model meets a limit and not the machine's.
// Threads: one owner at a time. Owner: init/release by whoever holds the struct.
#pragma once

#include <stddef.h>

struct lq_arena_block;

struct lq_arena {
    struct lq_arena_block *blocks;
    size_t used, max; // bytes asked for, and their limit
};

void lq_arena_init(struct lq_arena *arena, size_t size_max);
void lq_arena_release(struct lq_arena *arena);

// Zeroed, aligned for any type; NULL when the limit or the machine's memory is reached.
void *lq_arena_take(struct lq_arena *arena, size_t size);

// A copy of len bytes and a NUL.
char *lq_arena_text(struct lq_arena *arena, const char *text, size_t len);
