#include "engine/batcher.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

// A queued request, on the stack of the thread that waits for it.
struct node {
    struct node *next;
    void *item;
    uint64_t arrived_us, deadline_us;
    bool done;
    int status;
    struct lq_error err;
};

struct lq_batcher {
    pthread_mutex_t lock;
    pthread_cond_t changed; // a request arrived, or a run ended
    struct node *first, **last;
    int waiting;  // requests in the queue
    int expected; // requests that may arrive at about the same time
    bool led;     // a thread leads: it gathers a batch or runs it
    int batch_max, wait_us;
    lq_batch_run *run;
    void *context;
    struct lq_batch_counts counts;
};

int lq_batcher_new(struct lq_batcher **out, int batch_max, int wait_us, lq_batch_run *run,
                   void *context, struct lq_error *err)
{
    *out = NULL;
    struct lq_batcher *batcher = calloc(1, sizeof *batcher);
    if (!batcher)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for an engine's queue");
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&batcher->lock, NULL);
    pthread_cond_init(&batcher->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    batcher->last = &batcher->first;
    batcher->batch_max = batch_max < LQ_BATCH_MAX ? batch_max : LQ_BATCH_MAX;
    batcher->wait_us = wait_us;
    batcher->expected = 1;
    batcher->run = run;
    batcher->context = context;
    *out = batcher;
    return LQ_OK;
}

void lq_batcher_free(struct lq_batcher *batcher)
{
    if (!batcher)
        return;
    pthread_cond_destroy(&batcher->changed);
    pthread_mutex_destroy(&batcher->lock);
    free(batcher);
}

static void finish(struct node *node, int status)
{
    node->status = status;
    node->done = true;
}

// The latest time at which the leader stops gathering.
static uint64_t gather_until_us(const struct lq_batcher *batcher)
{
    uint64_t until_us = batcher->first->arrived_us + (uint64_t)batcher->wait_us;
    for (const struct node *node = batcher->first; node; node = node->next)
        if (node->deadline_us && node->deadline_us < until_us)
            until_us = node->deadline_us;
    return until_us;
}

static void gather(struct lq_batcher *batcher)
{
    int wanted =
        batcher->expected < batcher->batch_max ? batcher->expected : batcher->batch_max;
    while (batcher->waiting < wanted) {
        uint64_t until_us = gather_until_us(batcher);
        if (lq_clock_us() >= until_us)
            return;
        const struct timespec until = {.tv_sec = (time_t)(until_us / 1000000),
                                       .tv_nsec = (long)(until_us % 1000000) * 1000};
        pthread_cond_timedwait(&batcher->changed, &batcher->lock, &until);
    }
}

// Takes the oldest requests from the queue and fails those whose deadline has passed.
static int dequeue(struct lq_batcher *batcher, struct node *taken[LQ_BATCH_MAX])
{
    uint64_t now_us = lq_clock_us();
    int count = 0;
    while (batcher->first && count < batcher->batch_max) {
        struct node *node = batcher->first;
        batcher->first = node->next;
        batcher->waiting--;
        if (node->deadline_us && now_us > node->deadline_us) {
            finish(node, lq_fail(&node->err, LQ_ERR_TIMEOUT,
                                 "cannot run the model: its deadline passed in the queue"));
            batcher->counts.late++;
            continue;
        }
        taken[count++] = node;
    }
    if (!batcher->first)
        batcher->last = &batcher->first;
    return count;
}

// Gathers and runs one batch. Enter and leave with the lock held; it is released during the run.
static void lead(struct lq_batcher *batcher)
{
    struct node *taken[LQ_BATCH_MAX];
    void *items[LQ_BATCH_MAX];
    struct lq_error err = {0};
    int status = LQ_OK;
    batcher->led = true;
    gather(batcher);
    int count = dequeue(batcher, taken);
    for (int i = 0; i < count; i++)
        items[i] = taken[i]->item;
    if (count > 0) {
        pthread_mutex_unlock(&batcher->lock);
        status = batcher->run(batcher->context, items, count, &err);
        pthread_mutex_lock(&batcher->lock);
        batcher->counts.runs++;
        batcher->counts.items += (uint64_t)count;
        batcher->expected = count;
    }
    for (int i = 0; i < count; i++) {
        taken[i]->err = err;
        finish(taken[i], status);
    }
    batcher->led = false;
    pthread_cond_broadcast(&batcher->changed);
}

int lq_batcher_run(struct lq_batcher *batcher, void *item, uint64_t deadline_us,
                   struct lq_error *err)
{
    struct node node = {.item = item, .arrived_us = lq_clock_us(), .deadline_us = deadline_us};
    pthread_mutex_lock(&batcher->lock);
    *batcher->last = &node;
    batcher->last = &node.next;
    batcher->waiting++;
    if (batcher->led)
        pthread_cond_broadcast(&batcher->changed);
    while (!node.done) {
        if (batcher->led)
            pthread_cond_wait(&batcher->changed, &batcher->lock);
        else
            lead(batcher);
    }
    pthread_mutex_unlock(&batcher->lock);
    return node.status == LQ_OK ? LQ_OK : lq_fail(err, node.status, "%s", node.err.text);
}

void lq_batcher_count(struct lq_batcher *batcher, struct lq_batch_counts *counts)
{
    pthread_mutex_lock(&batcher->lock);
    *counts = batcher->counts;
    pthread_mutex_unlock(&batcher->lock);
}
