// The hands of a video: tracked from frame to frame, searched for while unknown.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nail/hands.h"

enum { FRESH = 2 }; // frames during which the crop from a new hand's own landmarks is refined

// A known hand is followed in one frame of four: a device that finds nails a few times a second
// spends its time on nails, then, instead of half of it on landmarks.
static const float FOLLOW_FRAMES = 3.5f;

struct lq_hand_memory {
    pthread_mutex_t lock;
    int count;                            // of hands that are known
    struct lq_hand hands[LQ_HANDS_MAX];
    uint64_t frame_us;                    // time of the last frame that was to follow them
    uint64_t followed_us;                 // when the network last ran on them
    int fresh;                            // frames to follow without a pause, because a hand was
                                          // just found
    uint64_t searched_us;                 // when a crop was last tried
    int next_crop;
    struct lq_hand_candidate best;        // of those tried so far; score 0: none
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
    memory->count = memory->next_crop = 0;
    memory->best.score = 0;
    pthread_mutex_unlock(&memory->lock);
}

// Runs the network where each known hand was, and forgets hands that are gone.
static int follow(struct lq_hand_memory *memory, struct lq_hand_search *search,
                  struct lq_nails *nails, struct lq_error *err)
{
    int kept = 0;
    for (int h = 0; h < memory->count; h++) {
        struct lq_hand_crop crop = lq_hand_crop_of(&memory->hands[h]);
        struct lq_hand_candidate candidate;
        int status = lq_hand_run(search, &crop, &candidate, err);
        if (status != LQ_OK)
            return status;
        if (candidate.hand.presence < LQ_HAND_PRESENT || candidate.match.count == 0)
            continue;
        memory->hands[kept++] = candidate.hand;
        lq_hand_apply(&candidate, &candidate.match, nails);
        for (int i = 0; i < nails->count; i++)
            search->on[i] = search->on[i] && candidate.match.finger[i] < 0;
    }
    memory->count = kept;
    return LQ_OK;
}

// Tries one crop for the nails that are on. The hand is the best candidate of all crops, or the
// first one beyond doubt.
static int try_one_crop(struct lq_hand_memory *memory, struct lq_hand_search *search,
                       struct lq_nails *nails, struct lq_error *err)
{
    struct lq_hand_crop crop;
    struct lq_hand_candidate candidate;
    while (memory->next_crop < LQ_HAND_CROPS && !lq_hand_crop_at(search, memory->next_crop, &crop))
        memory->next_crop++;
    if (memory->next_crop < LQ_HAND_CROPS) {
        int status = lq_hand_run(search, &crop, &candidate, err);
        if (status != LQ_OK)
            return status;
        memory->next_crop++;
        lq_hand_add_candidate(search, &candidate);
        if (candidate.score > memory->best.score)
            memory->best = candidate;
        if (!lq_hand_is_certain(search))
            return LQ_OK;
        lq_hand_apply(&candidate, &candidate.match, nails);
    }
    if (memory->best.score > 0 && memory->best.hand.presence >= LQ_HAND_PRESENT) {
        memory->hands[memory->count++] = memory->best.hand;
        memory->fresh = FRESH;
    }
    memory->next_crop = 0;
    memory->best.score = 0;
    return LQ_OK;
}

static uint64_t follow_pause_us(const struct lq_hand_memory *memory, uint64_t time_us)
{
    uint64_t between_us = memory->frame_us ? time_us - memory->frame_us : 0;
    float pause_us = FOLLOW_FRAMES * (float)between_us;
    if (pause_us < (float)LQ_HAND_FOLLOW_US)
        return LQ_HAND_FOLLOW_US;
    return pause_us < (float)LQ_HAND_FOLLOW_MAX_US ? (uint64_t)pause_us : LQ_HAND_FOLLOW_MAX_US;
}

struct due {
    bool follows, searches;
};

static struct due due_at(const struct lq_hand_memory *memory, uint64_t time_us)
{
    struct due due;
    uint64_t since_us = time_us - memory->followed_us;
    due.follows = memory->count > 0 &&
                  (memory->fresh > 0 || since_us >= follow_pause_us(memory, time_us));
    uint64_t pause_us = memory->next_crop > 0 ? LQ_HAND_SEARCH_US : LQ_HAND_REST_US;
    // Which nails match no hand is known only after the known hands were followed.
    due.searches = (due.follows || memory->count == 0) &&
                   (memory->searched_us == 0 || time_us - memory->searched_us >= pause_us);
    return due;
}

// Another frame is using the memory: this frame does without it.
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
    lq_hand_limit_to_one(search);
    if (search->count == 0 || memory->count == LQ_HANDS_MAX)
        return LQ_OK;
    memory->searched_us = time_us;
    return try_one_crop(memory, search, nails, err);
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
    memory->frame_us = time_us;
    pthread_mutex_unlock(&memory->lock);
    return status;
}
