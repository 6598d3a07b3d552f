#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 64 * 1024, ALIGN = 16 };

struct lq_arena_block {
    struct lq_arena_block *next;
    size_t used, size;
    _Alignas(ALIGN) uint8_t bytes[];
};

void lq_arena_init(struct lq_arena *arena, size_t size_max)
{
    *arena = (struct lq_arena){.max = size_max};
}

void lq_arena_release(struct lq_arena *arena)
{
    while (arena->blocks) {
        struct lq_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}

// A large piece gets its own block. It is linked after the first block, so that small pieces keep
// filling that one.
static struct lq_arena_block *add_block(struct lq_arena *arena, size_t size)
{
    size_t room = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
    // The system hands out large blocks already zeroed, so calloc need not touch them.
    struct lq_arena_block *block = calloc(1, sizeof *block + room);
    if (!block)
        return NULL;
    block->size = room;
    if (arena->blocks && room == size) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *lq_arena_take(struct lq_arena *arena, size_t size)
{
    if (size > arena->max - arena->used)
        return NULL;
    arena->used += size;
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct lq_arena_block *block = arena->blocks;
    if (!block || block->size - block->used < size)
        block = add_block(arena, size);
    if (!block)
        return NULL;
    void *piece = block->bytes + block->used;
    block->used += size;
    return piece;
}

char *lq_arena_text(struct lq_arena *arena, const char *text, size_t len)
{
    char *copy = lq_arena_take(arena, len + 1);
    if (copy)
        memcpy(copy, text, len);
    return copy;
}
