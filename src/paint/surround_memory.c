#include "paint/surround_memory.h"

#include <pthread.h>
#include <stdlib.h>

struct lq_surround_memory {
    pthread_mutex_t lock;
    struct lq_surround *kept; // NULL: nothing stored
};

int lq_surround_memory_new(struct lq_surround_memory **out)
{
    struct lq_surround_memory *memory = calloc(1, sizeof *memory);
    if (!memory)
        return LQ_ERR_MEMORY;
    pthread_mutex_init(&memory->lock, NULL);
    *out = memory;
    return LQ_OK;
}

void lq_surround_memory_free(struct lq_surround_memory *memory)
{
    if (!memory)
        return;
    pthread_mutex_destroy(&memory->lock);
    free(memory->kept);
    free(memory);
}

void lq_surround_memory_forget(struct lq_surround_memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    free(memory->kept);
    memory->kept = NULL;
    pthread_mutex_unlock(&memory->lock);
}

void lq_surround_memory_keep(struct lq_surround_memory *memory, const struct lq_surround *surround)
{
    pthread_mutex_lock(&memory->lock);
    if (!memory->kept)
        memory->kept = malloc(sizeof *memory->kept);
    if (memory->kept)
        *memory->kept = *surround;
    pthread_mutex_unlock(&memory->lock);
}

bool lq_surround_memory_get(struct lq_surround_memory *memory, struct lq_surround *surround)
{
    pthread_mutex_lock(&memory->lock);
    bool known = memory->kept != NULL;
    if (known && surround)
        *surround = *memory->kept;
    pthread_mutex_unlock(&memory->lock);
    return known;
}
