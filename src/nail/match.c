#include "nail/match.h"

#include <math.h>

#include "model/landmarks.h"

// A nail may be this far from its track's expected position, in nail sizes.
static const float REACH = 0.9f;
// A motion must be worth it: standing still is more likely than a jump. Shares of a full match, for
// each nail size of shift and each radian of turn.
static const float SHIFT_COST = 0.12f, TURN_COST = 0.3f;
// A hand turns and grows at most so much from one detection to the next.
static const float COS_MIN = 0.7f, SCALE_MAX = 1.3f;
static const float STILL = 0.75f; // no motion can be better than so many of all nails at rest
enum { TRIED_MAX = 12, TURNED_MAX = 6 }; // tracks and nails from which motions are tried

// Where a hand's nails have moved: p -> (a p.x - b p.y + x, b p.x + a p.y + y).
struct move {
    float a, b, x, y;
};

static struct lq_point moved(const struct move *move, float x, float y)
{
    return (struct lq_point){move->a * x - move->b * y + move->x,
                             move->b * x + move->a * y + move->y};
}

static float size_of(const struct lq_nail *nail)
{
    return 0.5f * (nail->length + nail->width);
}

// 1 for the same position and size as the track's, which has moved to `place`; 0 if too far or too
// different.
static float likeness(const struct lq_match_track *track, struct lq_point place,
                      const struct lq_nail *nail)
{
    float size = size_of(nail), ratio = track->size / fmaxf(size, 1.0f);
    float off = hypotf(nail->center_x - place.x, nail->center_y - place.y);
    float far = off / (REACH * fmaxf(track->size, 1.0f));
    float unlike = fabsf(logf(fmaxf(ratio, 0.01f)));
    float both = 1.0f - far * far - unlike;
    return both > 0.0f ? both : 0.0f;
}

// The nails that lie where a motion brings the tracks, less what so large a motion costs.
static float score(const struct lq_match_track *tracks, int track_count,
                   const struct lq_nails *nails, const struct move *move)
{
    float total = 0.0f, size = 1.0f, shift = 0.0f;
    for (int t = 0; t < track_count; t++) {
        const struct lq_match_track *track = &tracks[t];
        struct lq_point place = moved(move, track->x, track->y);
        float best = 0.0f;
        for (int i = 0; i < nails->count; i++)
            best = fmaxf(best, likeness(track, place, &nails->items[i]));
        total += best;
        size = fmaxf(size, track->size);
        shift += hypotf(place.x - track->x, place.y - track->y);
    }
    return total - SHIFT_COST * shift / (size * (float)track_count) -
           TURN_COST * fabsf(atan2f(move->b, move->a));
}

struct search {
    const struct lq_match_track *tracks;
    int track_count;
    const struct lq_nails *nails;
    struct move best;
    float best_score;
};

static void try(struct search *search, struct move move)
{
    float worth = score(search->tracks, search->track_count, search->nails, &move);
    if (worth > search->best_score) {
        search->best_score = worth;
        search->best = move;
    }
}

static void try_shifts(struct search *search)
{
    for (int t = 0; t < search->track_count && t < TRIED_MAX; t++)
        for (int i = 0; i < search->nails->count && i < TRIED_MAX; i++) {
            const struct lq_nail *nail = &search->nails->items[i];
            try(search, (struct move){1.0f, 0.0f, nail->center_x - search->tracks[t].x,
                                      nail->center_y - search->tracks[t].y});
        }
}

// The motion that brings two tracks onto two nails; false if no hand moves so.
static bool move_of_pair(const struct lq_match_track *t, const struct lq_match_track *u,
                         const struct lq_nail *i, const struct lq_nail *j, struct move *move)
{
    float from_x = u->x - t->x, from_y = u->y - t->y;
    float to_x = j->center_x - i->center_x, to_y = j->center_y - i->center_y;
    float from = from_x * from_x + from_y * from_y, to = to_x * to_x + to_y * to_y;
    if (!(from > 0.0f) || to > SCALE_MAX * SCALE_MAX * from || from > SCALE_MAX * SCALE_MAX * to)
        return false;
    move->a = (from_x * to_x + from_y * to_y) / from;
    move->b = (from_x * to_y - from_y * to_x) / from;
    move->x = i->center_x - (move->a * t->x - move->b * t->y);
    move->y = i->center_y - (move->b * t->x + move->a * t->y);
    return move->a > COS_MIN * sqrtf(to / from);
}

// A hand that turns shifts each nail differently.
static void try_turns(struct search *search)
{
    struct move move;
    int tracks = search->track_count < TURNED_MAX ? search->track_count : TURNED_MAX;
    int nails = search->nails->count < TURNED_MAX ? search->nails->count : TURNED_MAX;
    for (int pair = 0; pair < tracks * tracks * nails * nails; pair++) {
        int t = pair % tracks, u = pair / tracks % tracks;
        int i = pair / (tracks * tracks) % nails, j = pair / (tracks * tracks * nails);
        if (t < u && i != j &&
            move_of_pair(&search->tracks[t], &search->tracks[u], &search->nails->items[i],
                         &search->nails->items[j], &move))
            try(search, move);
    }
}

static struct move find_move(const struct lq_match_track *tracks, int track_count,
                             const struct lq_nails *nails)
{
    struct search search = {tracks, track_count, nails, {1.0f, 0.0f, 0.0f, 0.0f}, 0.0f};
    int most = track_count < nails->count ? track_count : nails->count;
    search.best_score = score(tracks, track_count, nails, &search.best);
    if (search.best_score <= STILL * (float)most)
        try_shifts(&search);
    if (search.best_score <= STILL * (float)most)
        try_turns(&search);
    return search.best;
}

void lq_match(const struct lq_match_track *tracks, int track_count, const struct lq_nails *nails,
              int match[LQ_NAILS_MAX])
{
    bool taken[LQ_TRACKS_MAX] = {false};
    for (int i = 0; i < nails->count; i++)
        match[i] = -1;
    if (track_count == 0 || nails->count == 0)
        return;
    const struct move move = find_move(tracks, track_count, nails);
    for (;;) {
        float best = 0.0f;
        int best_track = -1, best_nail = -1;
        for (int t = 0; t < track_count; t++) {
            struct lq_point place = moved(&move, tracks[t].x, tracks[t].y);
            for (int i = 0; i < nails->count && !taken[t]; i++) {
                float like = match[i] < 0 ? likeness(&tracks[t], place, &nails->items[i]) : 0.0f;
                if (like > best) {
                    best = like;
                    best_track = t;
                    best_nail = i;
                }
            }
        }
        if (best_track < 0)
            return;
        taken[best_track] = true;
        match[best_nail] = best_track;
    }
}
