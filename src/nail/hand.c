#include "nail/hand.h"

#include <stdlib.h>
#include <string.h>

#include "nail/hands.h"
#include "nail/tip.h"

enum { REFINE_RUNS = 2 }; // of the network, for each of the best candidates

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

static int try_all_crops(struct lq_hand_search *search, struct lq_error *err)
{
    for (int i = 0; i < LQ_HAND_CROPS && !lq_hand_is_certain(search); i++) {
        struct lq_hand_crop crop;
        struct lq_hand_candidate candidate;
        if (!lq_hand_crop_at(search, i, &crop))
            continue;
        int status = lq_hand_run(search, &crop, &candidate, err);
        if (status != LQ_OK)
            return status;
        lq_hand_add_candidate(search, &candidate);
    }
    return LQ_OK;
}

// The network is most accurate in the crop computed from its own landmarks.
static int refine(struct lq_hand_search *search, struct lq_hand_candidate *best,
                  struct lq_error *err)
{
    for (int i = 0; i < REFINE_RUNS; i++) {
        struct lq_hand_crop crop = lq_hand_crop_of(&best->hand);
        struct lq_hand_candidate candidate;
        int status = lq_hand_run(search, &crop, &candidate, err);
        if (status != LQ_OK)
            return status;
        if (candidate.score >= best->score)
            *best = candidate;
    }
    return LQ_OK;
}

// Finds the most likely hand of the nails that are on; *found is false if there is none.
static int find_hand(struct lq_hand_search *search, struct lq_hand_candidate *hand, bool *found,
                     struct lq_error *err)
{
    *found = false;
    search->best_count = 0;
    int status = try_all_crops(search, err);
    int again = lq_hand_is_certain(search) ? 1 : search->best_count, first = 0;
    for (int i = 0; i < again && status == LQ_OK; i++)
        status = refine(search, &search->best[i], err);
    if (status != LQ_OK)
        return status;
    for (int i = 1; i < again; i++)
        if (search->best[i].score > search->best[first].score)
            first = i;
    *hand = search->best[first];
    *found = search->best_count > 0 && hand->match.count > 0 &&
             hand->hand.presence >= LQ_HAND_PRESENT;
    return LQ_OK;
}

static int apply_hand(struct lq_hand_search *search, struct lq_nails *nails,
                      const struct lq_hand_candidate *candidate, struct lq_error *err)
{
    struct lq_hand turned;
    struct lq_hand_match doubts;
    struct lq_hand_crop crop = lq_hand_crop_of(&candidate->hand);
    int status = lq_landmarker_run(search->finder->landmarker, &crop, true, &turned, err);
    if (status != LQ_OK)
        return status;
    // If the mirrored picture shows no hand, it confirms no finger.
    const bool none[LQ_NAILS_MAX] = {false};
    lq_hand_match(&turned, nails, turned.presence < LQ_HAND_PRESENT ? none : search->on, &doubts);
    lq_hand_apply(&candidate->match, &doubts, nails);
    return LQ_OK;
}

int lq_hand_estimate(struct lq_hand_finder *finder, const struct lq_image *picture,
                     struct lq_nails *nails, const struct lq_hand_limits *limits,
                     struct lq_error *err)
{
    if (nails->count == 0)
        return LQ_OK;
    struct lq_hand_search search = {.finder = finder, .nails = nails, .limits = limits};
    bool left[LQ_NAILS_MAX]; // nails that match no hand yet
    for (int i = 0; i < nails->count; i++)
        left[i] = true;
    int status = lq_landmarker_set_picture(finder->landmarker, picture, err);
    for (int hands = 0; hands < LQ_HANDS_MAX && status == LQ_OK; hands++) {
        struct lq_hand_candidate candidate;
        bool found;
        memcpy(search.on, left, sizeof left);
        lq_hand_survey(&search);
        lq_hand_limit_to_one(&search);
        if (search.count == 0)
            break;
        status = find_hand(&search, &candidate, &found, err);
        if (status != LQ_OK || !found)
            break;
        status = apply_hand(&search, nails, &candidate, err);
        for (int i = 0; i < nails->count; i++)
            if (candidate.match.finger[i] >= 0)
                left[i] = false;
    }
    if (status == LQ_OK)
        lq_tip_agree(nails);
    return status;
}
