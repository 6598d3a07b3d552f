// Memory that lives as long as one conversion: allocated piece by piece, freed all at once.
// An arena always has a maximum, so a hostile model exhausts that limit and not the machine.
// Threads: one owner at a time. Owner: init/release by whoever holds the struct.
#pragma once

#include <stddef.h>

struct lq_arena_block;

struct lq_arena {
    struct lq_arena_block *blocks;
    size_t used, max; // bytes handed out, and their limit
};

void lq_arena_init(struct lq_arena *arena, size_t size_max);
void lq_arena_release(struct lq_arena *arena);

// Returns zeroed memory aligned for any type, or NULL when the arena's limit or the machine's
// memory is exhausted.
void *lq_arena_take(struct lq_arena *arena, size_t size);

// Copies len bytes and appends a NUL.
char *lq_arena_text(struct lq_arena *arena, const char *text, size_t len);
