// The hands of a video: followed from frame to frame, looked for while they are not known.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nail/hands.h"

enum { FRESH = 2 }; // a hand is seen better where it was seen before

struct lq_hand_memory {
    pthread_mutex_t lock;
    int count;                            // of hands that are known
    struct lq_hand hands[LQ_HANDS_MAX];
    uint64_t followed_us;                 // when they were last looked at
    int fresh;                            // frames that look at them at once: one was just found
    uint64_t searched_us;                 // when a way was last tried
    int way;                              // the next one
    struct lq_hand_seen best;             // of those tried so far; worth 0: none
};

int lq_hand_memory_new(struct lq_hand_memory **out)
{
    struct lq_hand_memory *memory = calloc(1, sizeof *memory);
    if (!memory)
        return LQ_ERR_MEMORY;
    pthread_mutex_init(&memory->lock, NULL);
    *out = memory;
    return LQ_OK;
}

void lq_hand_memory_free(struct lq_hand_memory *memory)
{
    if (!memory)
        return;
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

void lq_hand_memory_forget(struct lq_hand_memory *memory)
{
    if (pthread_mutex_trylock(&memory->lock) != 0)
        return;
    memory->count = memory->way = 0;
    memory->best.worth = 0;
    pthread_mutex_unlock(&memory->lock);
}

// Looks where each known hand was; those that are not there any more are forgotten.
static int follow(struct lq_hand_memory *memory, struct lq_hand_search *search,
                  struct lq_nails *nails, struct lq_error *err)
{
    int kept = 0;
    for (int h = 0; h < memory->count; h++) {
        struct lq_hand_crop crop = lq_hand_crop_of(&memory->hands[h]);
        struct lq_hand_seen seen;
        int status = lq_hand_look(search, &crop, &seen, err);
        if (status != LQ_OK)
            return status;
        if (seen.hand.presence < LQ_HAND_PRESENT || seen.match.count == 0)
            continue;
        memory->hands[kept++] = seen.hand;
        lq_hand_apply(&seen.match, &seen.match, nails);
        for (int i = 0; i < nails->count; i++)
            search->on[i] = search->on[i] && seen.match.finger[i] < 0;
    }
    memory->count = kept;
    return LQ_OK;
}

// Tries one way in which the nails that are on may lie on a hand. The best of all ways is the hand,
// or the first that leaves no doubt.
static int try_one_way(struct lq_hand_memory *memory, struct lq_hand_search *search,
                       struct lq_nails *nails, struct lq_error *err)
{
    struct lq_hand_crop crop;
    struct lq_hand_seen seen;
    while (memory->way < LQ_HAND_WAYS && !lq_hand_way(search, memory->way, &crop))
        memory->way++;
    if (memory->way < LQ_HAND_WAYS) {
        int status = lq_hand_look(search, &crop, &seen, err);
        if (status != LQ_OK)
            return status;
        memory->way++;
        lq_hand_keep(search, &seen);
        if (seen.worth > memory->best.worth)
            memory->best = seen;
        if (!lq_hand_is_plain(search))
            return LQ_OK;
        lq_hand_apply(&seen.match, &seen.match, nails);
    }
    if (memory->best.worth > 0 && memory->best.hand.presence >= LQ_HAND_PRESENT) {
        memory->hands[memory->count++] = memory->best.hand;
        memory->fresh = FRESH;
    }
    memory->way = 0;
    memory->best.worth = 0;
    return LQ_OK;
}

struct due {
    bool follows, searches;
};

static struct due due_at(const struct lq_hand_memory *memory, uint64_t time_us)
{
    struct due due;
    due.follows = memory->count > 0 &&
                  (memory->fresh > 0 || time_us - memory->followed_us >= LQ_HAND_FOLLOW_US);
    uint64_t pause_us = memory->way > 0 ? LQ_HAND_SEARCH_US : LQ_HAND_REST_US;
    // Whose nails are on no hand is known only when the hands were looked at.
    due.searches = (due.follows || memory->count == 0) &&
                   (memory->searched_us == 0 || time_us - memory->searched_us >= pause_us);
    return due;
}

// One that another frame works with is busy: this one goes without.
bool lq_hand_memory_is_due(struct lq_hand_memory *memory, uint64_t time_us)
{
    if (pthread_mutex_trylock(&memory->lock) != 0)
        return false;
    struct due due = due_at(memory, time_us);
    pthread_mutex_unlock(&memory->lock);
    return due.follows || due.searches;
}

static int work(struct lq_hand_memory *memory, struct lq_hand_search *search,
                const struct lq_image *picture, struct lq_nails *nails, uint64_t time_us,
                struct lq_error *err)
{
    const struct due due = due_at(memory, time_us);
    if (!due.follows && !due.searches)
        return LQ_OK;
    int status = lq_landmarker_set_picture(search->finder->landmarker, picture, err);
    if (status == LQ_OK && due.follows) {
        memory->followed_us = time_us;
        memory->fresh -= memory->fresh > 0;
        status = follow(memory, search, nails, err);
    }
    if (status != LQ_OK || !due.searches)
        return status;
    lq_hand_survey(search);
    lq_hand_take_one_side(search);
    if (search->count == 0 || memory->count == LQ_HANDS_MAX)
        return LQ_OK;
    memory->searched_us = time_us;
    return try_one_way(memory, search, nails, err);
}

int lq_hand_follow(struct lq_hand_finder *finder, struct lq_hand_memory *memory,
                   const struct lq_image *picture, struct lq_nails *nails, uint64_t time_us,
                   struct lq_error *err)
{
    struct lq_hand_search search = {.finder = finder, .nails = nails};
    if (nails->count == 0 || pthread_mutex_trylock(&memory->lock) != 0)
        return LQ_OK;
    for (int i = 0; i < nails->count; i++)
        search.on[i] = true;
    int status = work(memory, &search, picture, nails, time_us, err);
    pthread_mutex_unlock(&memory->lock);
    return status;
}
