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

// Tries crops from number *next on: all, or until a hand is beyond doubt.
static int try_crops(struct lq_hand_search *search, int *next, bool all, struct lq_error *err)
{
    while (*next < LQ_HAND_CROPS && (all || !lq_hand_is_certain(search))) {
        struct lq_hand_crop crop;
        struct lq_hand_candidate candidate;
        if (!lq_hand_crop_at(search, (*next)++, &crop))
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

// If the mirrored picture shows no hand, it confirms no finger.
static int confirm(struct lq_hand_search *search, struct lq_hand_sight *sight, struct lq_error *err)
{
    struct lq_hand *turned = &sight->mirrored_hand;
    struct lq_hand_crop crop = lq_hand_crop_of(&sight->candidate.hand);
    int status = lq_landmarker_run(search->finder->landmarker, &crop, true, turned, err);
    if (status != LQ_OK)
        return status;
    const bool none[LQ_NAILS_MAX] = {false};
    bool shown = turned->presence >= LQ_HAND_PRESENT;
    lq_hand_match(turned, search->nails, shown ? search->on : none, &sight->mirrored);
    sight->agreed = 0;
    for (int i = 0; i < search->nails->count; i++)
        sight->agreed += sight->candidate.match.finger[i] >= 0 &&
                         sight->candidate.match.finger[i] == sight->mirrored.finger[i];
    float share = (float)sight->agreed / (float)search->count;
    sight->score = sight->candidate.score + share * sight->mirrored.value;
    return LQ_OK;
}

static int look_closer(struct lq_hand_search *search, int count, struct lq_hand_sight *best,
                       struct lq_error *err)
{
    for (int i = 0; i < count; i++) {
        struct lq_hand_sight sight = {.candidate = search->best[i]};
        int status = refine(search, &sight.candidate, err);
        if (status == LQ_OK)
            status = confirm(search, &sight, err);
        if (status != LQ_OK)
            return status;
        if (i == 0 || sight.score > best->score)
            *best = sight;
    }
    return LQ_OK;
}

// Finds the most likely hand of the nails that are on; *found is false if there is none.
static int find_hand(struct lq_hand_search *search, struct lq_hand_sight *best, bool *found,
                     struct lq_error *err)
{
    int next = 0;
    bool confirmed = false;
    *found = false;
    search->best_count = 0;
    int status = try_crops(search, &next, false, err);
    if (status == LQ_OK && lq_hand_is_certain(search)) {
        status = look_closer(search, 1, best, err);
        confirmed = status == LQ_OK && best->agreed == search->count;
    }
    if (status == LQ_OK && !confirmed)
        status = try_crops(search, &next, true, err);
    if (status == LQ_OK && !confirmed)
        status = look_closer(search, search->best_count, best, err);
    *found = status == LQ_OK && search->best_count > 0 && best->candidate.match.count > 0 &&
             best->candidate.hand.presence >= LQ_HAND_PRESENT;
    return status;
}

int lq_hand_estimate(struct lq_hand_finder *finder, const struct lq_image *picture,
                     struct lq_nails *nails, const struct lq_hand_limits *limits,
                     struct lq_error *err)
{
    finder->sight_count = 0;
    if (nails->count == 0)
        return LQ_OK;
    struct lq_hand_search search = {.finder = finder, .nails = nails, .limits = limits};
    bool left[LQ_NAILS_MAX]; // nails that match no hand yet
    for (int i = 0; i < nails->count; i++)
        left[i] = true;
    int status = lq_landmarker_set_picture(finder->landmarker, picture, err);
    for (int hands = 0; hands < LQ_HANDS_MAX && status == LQ_OK; hands++) {
        struct lq_hand_sight *sight = &finder->sights[hands];
        bool found;
        memcpy(search.on, left, sizeof left);
        lq_hand_survey(&search);
        lq_hand_limit_to_one(&search);
        if (search.count == 0)
            break;
        status = find_hand(&search, sight, &found, err);
        if (status != LQ_OK || !found)
            break;
        finder->sight_count = hands + 1;
        lq_hand_apply(&sight->candidate, &sight->mirrored, nails);
        for (int i = 0; i < nails->count; i++)
            if (sight->candidate.match.finger[i] >= 0)
                left[i] = false;
    }
    if (status == LQ_OK)
        lq_tip_agree(nails);
    return status;
}
