#include "nail/hand.h"

#include <stdlib.h>
#include <string.h>

#include "nail/hands.h"
#include "nail/tip.h"

enum { AGAIN = 2 }; // times that the best looks are looked at again

int lq_hand_finder_new(struct lq_hand_finder **out, const struct lq_landmarks *landmarks,
                       struct lq_error *err)
{
    *out = NULL;
    struct lq_hand_finder *finder = calloc(1, sizeof *finder);
    if (!finder)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    int status = lq_landmarker_new(&finder->landmarker, landmarks, err);
    if (status != LQ_OK) {
        free(finder);
        return status;
    }
    *out = finder;
    return LQ_OK;
}

void lq_hand_finder_free(struct lq_hand_finder *finder)
{
    if (!finder)
        return;
    lq_landmarker_free(finder->landmarker);
    free(finder);
}

static int try_all_ways(struct lq_hand_search *search, struct lq_error *err)
{
    for (int way = 0; way < LQ_HAND_WAYS && !lq_hand_is_plain(search); way++) {
        struct lq_hand_crop crop;
        struct lq_hand_seen seen;
        if (!lq_hand_way(search, way, &crop))
            continue;
        int status = lq_hand_look(search, &crop, &seen, err);
        if (status != LQ_OK)
            return status;
        lq_hand_keep(search, &seen);
    }
    return LQ_OK;
}

// The network sees a hand best where it has seen it already.
static int look_again(struct lq_hand_search *search, struct lq_hand_seen *best,
                      struct lq_error *err)
{
    for (int i = 0; i < AGAIN; i++) {
        struct lq_hand_crop crop = lq_hand_crop_of(&best->hand);
        struct lq_hand_seen seen;
        int status = lq_hand_look(search, &crop, &seen, err);
        if (status != LQ_OK)
            return status;
        if (seen.worth >= best->worth)
            *best = seen;
    }
    return LQ_OK;
}

// Finds the likeliest hand of the nails that are on; false in *found when none is.
static int find_hand(struct lq_hand_search *search, struct lq_hand_seen *hand, bool *found,
                     struct lq_error *err)
{
    *found = false;
    search->best_count = 0;
    int status = try_all_ways(search, err);
    int again = lq_hand_is_plain(search) ? 1 : search->best_count, first = 0;
    for (int i = 0; i < again && status == LQ_OK; i++)
        status = look_again(search, &search->best[i], err);
    if (status != LQ_OK)
        return status;
    for (int i = 1; i < again; i++)
        if (search->best[i].worth > search->best[first].worth)
            first = i;
    *hand = search->best[first];
    *found = search->best_count > 0 && hand->match.count > 0 &&
             hand->hand.presence >= LQ_HAND_PRESENT;
    return LQ_OK;
}

static int tell_nails(struct lq_hand_search *search, struct lq_nails *nails,
                      const struct lq_hand_seen *seen, struct lq_error *err)
{
    struct lq_hand turned;
    struct lq_hand_match doubts;
    struct lq_hand_crop crop = lq_hand_crop_of(&seen->hand);
    int status = lq_landmarker_run(search->finder->landmarker, &crop, true, &turned, err);
    if (status != LQ_OK)
        return status;
    // Where the mirrored picture shows no hand, it confirms no finger.
    const bool none[LQ_NAILS_MAX] = {false};
    lq_hand_match(&turned, nails, turned.presence < LQ_HAND_PRESENT ? none : search->on, &doubts);
    lq_hand_apply(&seen->match, &doubts, nails);
    return LQ_OK;
}

int lq_hand_estimate(struct lq_hand_finder *finder, const struct lq_image *picture,
                     struct lq_nails *nails, const struct lq_hand_limits *limits,
                     struct lq_error *err)
{
    if (nails->count == 0)
        return LQ_OK;
    struct lq_hand_search search = {.finder = finder, .nails = nails, .limits = limits};
    bool left[LQ_NAILS_MAX]; // on no hand yet
    for (int i = 0; i < nails->count; i++)
        left[i] = true;
    int status = lq_landmarker_set_picture(finder->landmarker, picture, err);
    for (int hands = 0; hands < LQ_HANDS_MAX && status == LQ_OK; hands++) {
        struct lq_hand_seen seen;
        bool found;
        memcpy(search.on, left, sizeof left);
        lq_hand_survey(&search);
        lq_hand_take_one_side(&search);
        if (search.count == 0)
            break;
        status = find_hand(&search, &seen, &found, err);
        if (status != LQ_OK || !found)
            break;
        status = tell_nails(&search, nails, &seen, err);
        for (int i = 0; i < nails->count; i++)
            if (seen.match.finger[i] >= 0)
                left[i] = false;
    }
    if (status == LQ_OK)
        lq_tip_agree(nails);
    return status;
}
