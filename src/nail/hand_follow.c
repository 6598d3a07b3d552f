// The hands of a video: tracked from frame to frame, searched for while unknown.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nail/hands.h"

// The share of its greatest score at which a hand is likely, though not beyond doubt.
static const float LIKELY = 0.55f;

enum {
    FRESH = 2,    // runs in which the crop from a new hand's own landmarks is refined
    LEFT_MIN = 2, // nails that match no hand found so far: there may be another hand
    NEW_MIN = 2,  // more nails than were searched for: another hand has come
};

// A known hand is followed in one frame of four: a device that finds nails a few times a second
// spends its time on nails, then, instead of half of it on landmarks.
static const float FOLLOW_FRAMES = 3.5f;

struct lq_hand_memory {
    pthread_mutex_t lock;
    int count;                            // of hands that are known
    struct lq_hand hands[LQ_HANDS_MAX];
    int width, height;                    // of the last picture
    uint64_t frame_us;                    // time of the last frame that was to follow them
    uint64_t followed_us;                 // when the network last ran on them
    int fresh;                            // frames to follow without a pause, because a hand was
                                          // just found
    bool searching;                       // for the hand of nails that match none
    int sought;                           // number of nails that the last search was for, without
                                          // those of the hand that it found
    uint64_t began_us;                    // when that began
    uint64_t search_us;                   // when the next crop may be tried
    bool again;                           // the last search ended so that another one began at once
    int next_crop;
    struct lq_hand_candidate best;        // of those tried so far; score 0: none
    bool refines;                         // the next crop is the best one's own
};

// The nails of a frame, and the search for those that match no known hand.
struct frame {
    struct lq_nails *nails;
    uint64_t time_us;
    bool left[LQ_NAILS_MAX]; // nails that match no hand
    struct lq_hand_search search;
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

static void end_search(struct lq_hand_memory *memory)
{
    memory->searching = false;
    memory->next_crop = 0;
    memory->best.score = 0;
    memory->refines = memory->again = false;
}

static void forget(struct lq_hand_memory *memory)
{
    memory->count = memory->fresh = memory->sought = 0;
    memory->frame_us = memory->search_us = 0;
    end_search(memory);
}

void lq_hand_memory_forget(struct lq_hand_memory *memory)
{
    if (pthread_mutex_trylock(&memory->lock) != 0)
        return;
    forget(memory);
    pthread_mutex_unlock(&memory->lock);
}

// A picture of another size, as of a phone that was turned, begins a video.
static void note_size(struct lq_hand_memory *memory, const struct lq_image *picture)
{
    if (picture->width != memory->width || picture->height != memory->height)
        forget(memory);
    memory->width = picture->width;
    memory->height = picture->height;
}

static int count_left(const struct frame *frame)
{
    int count = 0;
    for (int i = 0; i < frame->nails->count; i++)
        count += frame->left[i];
    return count;
}

// Switches off the nails that are on the hand.
static void leave(struct lq_hand_search *search, const struct lq_hand_match *match)
{
    for (int i = 0; i < search->nails->count; i++)
        search->on[i] = search->on[i] && match->finger[i] < 0;
}

// Runs the network where each known hand was, and forgets hands that are gone.
static int follow(struct lq_hand_memory *memory, struct frame *frame, struct lq_error *err)
{
    struct lq_hand_search *search = &frame->search;
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
        lq_hand_apply(&candidate, &candidate.match, frame->nails);
        leave(search, &candidate.match);
    }
    if (kept < memory->count)
        memory->sought = frame->nails->count; // those of a hand that is lost have not just come
    memory->count = kept;
    if (kept == 0)
        memory->fresh = 0;
    return LQ_OK;
}

// Switches off the nails that are on a known hand as it was when the network last ran on it.
static void leave_known(const struct lq_hand_memory *memory, struct lq_hand_search *search)
{
    for (int h = 0; h < memory->count; h++) {
        struct lq_hand_match match;
        lq_hand_match(&memory->hands[h], search->nails, search->on, &match);
        leave(search, &match);
    }
}

static void remember(struct lq_hand_memory *memory, const struct lq_hand *hand, int fresh)
{
    if (hand->presence < LQ_HAND_PRESENT)
        return;
    memory->hands[memory->count++] = *hand;
    memory->fresh = fresh;
}

// A hand beyond doubt. Its directions are shown at once, so a second run confirms them at once. If
// other nails are left, the search goes on.
static int take(struct lq_hand_memory *memory, struct frame *frame,
                const struct lq_hand_candidate *found, struct lq_error *err)
{
    struct lq_hand_crop crop = lq_hand_crop_of(&found->hand);
    struct lq_hand_candidate again;
    int status = lq_hand_run(&frame->search, &crop, &again, err);
    if (status != LQ_OK)
        return status;
    const struct lq_hand_candidate *best = again.score >= found->score ? &again : found;
    lq_hand_apply(best, best == found ? &again.match : &found->match, frame->nails);
    remember(memory, &best->hand, FRESH - 1);
    end_search(memory);
    for (int i = 0; i < frame->nails->count; i++)
        frame->left[i] = frame->left[i] && !frame->nails->items[i].on_finger;
    memory->sought = count_left(frame);
    memory->searching = memory->sought >= LEFT_MIN;
    memory->began_us = frame->time_us;
    memory->search_us =
        frame->time_us + (memory->searching ? LQ_HAND_SEARCH_US : LQ_HAND_REST_US);
    return LQ_OK;
}

// The next crop to try: that of the best candidate's own landmarks if these are new, else the next
// of the list; false if no crop is left, or all rotations were tried and one shows a likely hand.
static bool next_crop(struct lq_hand_memory *memory, const struct lq_hand_search *search,
                      struct lq_hand_crop *crop)
{
    if (memory->refines) {
        memory->refines = false;
        *crop = lq_hand_crop_of(&memory->best.hand);
        return true;
    }
    if (memory->next_crop >= LQ_HAND_TURNS &&
        memory->best.score >= LIKELY * (float)search->count)
        return false;
    while (memory->next_crop < LQ_HAND_CROPS)
        if (lq_hand_crop_at(search, memory->next_crop++, crop))
            return true;
    return false;
}

// Ends a search that found no hand beyond doubt: its best candidate will be followed. Nails that
// are left may be another hand's, and their search begins at once, though not a third one.
static void conclude(struct lq_hand_memory *memory, const struct frame *frame)
{
    bool again = memory->again;
    int left = count_left(frame) - memory->best.match.count, known = memory->count;
    if (memory->best.score > 0)
        remember(memory, &memory->best.hand, FRESH);
    if (memory->count > known)
        memory->sought = left;
    end_search(memory);
    memory->again = !again && memory->count > known && left >= LEFT_MIN;
    memory->search_us = frame->time_us + (memory->again ? LQ_HAND_SEARCH_US : LQ_HAND_REST_US);
}

// Tries one crop for the nails that are on. The hand is the first one beyond doubt, or the best
// candidate of all crops.
static int try_one_crop(struct lq_hand_memory *memory, struct frame *frame, struct lq_error *err)
{
    struct lq_hand_search *search = &frame->search;
    struct lq_hand_crop crop;
    struct lq_hand_candidate candidate;
    if (!memory->searching) {
        memory->began_us = frame->time_us;
        memory->sought = count_left(frame);
    }
    memory->searching = next_crop(memory, search, &crop);
    if (!memory->searching) {
        conclude(memory, frame);
        return LQ_OK;
    }
    memory->search_us = frame->time_us + LQ_HAND_SEARCH_US;
    int status = lq_hand_run(search, &crop, &candidate, err);
    if (status != LQ_OK)
        return status;
    lq_hand_add_candidate(search, &candidate);
    if (candidate.score > memory->best.score) {
        memory->best = candidate;
        memory->refines = candidate.hand.presence >= LQ_HAND_PRESENT;
    }
    return lq_hand_is_certain(search) ? take(memory, frame, &candidate, err) : LQ_OK;
}

static uint64_t follow_pause_us(const struct lq_hand_memory *memory, uint64_t time_us)
{
    float pause_us = FOLLOW_FRAMES * (float)(time_us - memory->frame_us);
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
    // Which nails match no hand is known for certain only after the known hands were followed.
    bool may_search = memory->searching || due.follows || memory->count == 0;
    due.searches = may_search && memory->count < LQ_HANDS_MAX && time_us >= memory->search_us;
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

// Ends a search for nails that are gone, and the pause after one, or what it has tried so far, when
// another hand comes.
static void renew_search(struct lq_hand_memory *memory, const struct frame *frame)
{
    int left = frame->search.count;
    bool comes = left >= memory->sought + NEW_MIN;
    if (comes || left == 0 || frame->time_us - memory->frame_us > LQ_HAND_REST_US)
        end_search(memory);
    if (comes)
        memory->search_us = frame->time_us;
    if (comes || left == 0)
        memory->sought = left;
}

static int work(struct lq_hand_memory *memory, struct frame *frame,
                const struct lq_image *picture, struct lq_error *err)
{
    struct lq_hand_search *search = &frame->search;
    note_size(memory, picture);
    const struct due due = due_at(memory, frame->time_us);
    int status = due.follows || due.searches
                     ? lq_landmarker_set_picture(search->finder->landmarker, picture, err)
                     : LQ_OK;
    if (status == LQ_OK && due.follows) {
        memory->followed_us = frame->time_us;
        memory->fresh -= memory->fresh > 0;
        status = follow(memory, frame, err);
    } else
        leave_known(memory, search);
    if (status != LQ_OK)
        return status;
    memcpy(frame->left, search->on, sizeof frame->left);
    lq_hand_survey(search);
    renew_search(memory, frame);
    if (search->count == 0 || !due.searches)
        return LQ_OK;
    lq_hand_limit_to_one(search);
    return try_one_crop(memory, frame, err);
}

// Without the hand every sixth direction would be wrong, and turn round a moment later. A slow
// device needs longer for its search than a shopper should wait.
static bool awaits(const struct lq_hand_memory *memory, uint64_t time_us)
{
    return memory->fresh > 0 ||
           (memory->searching && time_us - memory->began_us < LQ_HAND_AWAIT_US);
}

static void await(const struct frame *frame)
{
    for (int i = 0; i < frame->nails->count; i++) {
        struct lq_nail *nail = &frame->nails->items[i];
        nail->awaits_hand = frame->left[i];
        nail->tip_known = nail->tip_known && !nail->awaits_hand;
    }
}

// Locks the memory; false if another frame uses it, or if one of a later time did.
static bool claim(struct lq_hand_memory *memory, uint64_t time_us)
{
    if (pthread_mutex_trylock(&memory->lock) != 0)
        return false;
    if (time_us >= memory->frame_us)
        return true;
    pthread_mutex_unlock(&memory->lock);
    return false;
}

void lq_hand_memory_pass(struct lq_hand_memory *memory, uint64_t time_us)
{
    if (!claim(memory, time_us))
        return;
    memory->frame_us = time_us;
    pthread_mutex_unlock(&memory->lock);
}

int lq_hand_follow(struct lq_hand_finder *finder, struct lq_hand_memory *memory,
                   const struct lq_image *picture, struct lq_nails *nails, uint64_t time_us,
                   struct lq_error *err)
{
    struct frame frame = {nails, time_us, {false}, {.finder = finder, .nails = nails}};
    bool claims = nails->count > 0 && claim(memory, time_us);
    for (int i = 0; i < nails->count; i++) {
        frame.left[i] = frame.search.on[i] = true;
        nails->items[i].awaits_hand = !claims; // the tracker waits for the frame that can say more
    }
    if (!claims)
        return LQ_OK;
    int status = work(memory, &frame, picture, err);
    if (awaits(memory, time_us))
        await(&frame);
    memory->frame_us = time_us;
    pthread_mutex_unlock(&memory->lock);
    return status;
}
