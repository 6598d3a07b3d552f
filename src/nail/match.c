#include "nail/match.h"

#include <math.h>

// A nail may be this far from its track's expected position, in nail sizes.
static const float REACH = 0.9f;
// A shift must be worth it: standing still is more likely than a jump.
static const float SHIFT_COST = 0.12f; // of a full match, per nail size of shift
enum { TRIED_MAX = 12 };               // tracks and nails from which shifts are tried

static float size_of(const struct lq_nail *nail)
{
    return 0.5f * (nail->length + nail->width);
}

// 1 for the same position and size, 0 if too far or too different.
static float likeness(const struct lq_match_track *track, const struct lq_nail *nail, float shift_x,
                      float shift_y)
{
    float size = size_of(nail), ratio = track->size / fmaxf(size, 1.0f);
    float off = hypotf(nail->center_x - track->x - shift_x, nail->center_y - track->y - shift_y);
    float far = off / (REACH * fmaxf(track->size, 1.0f));
    float unlike = fabsf(logf(fmaxf(ratio, 0.01f)));
    float both = 1.0f - far * far - unlike;
    return both > 0.0f ? both : 0.0f;
}

static float score_shift(const struct lq_match_track *tracks, int track_count,
                         const struct lq_nails *nails, float shift_x, float shift_y)
{
    float total = 0.0f, size = 1.0f;
    for (int t = 0; t < track_count; t++) {
        float best = 0.0f;
        for (int i = 0; i < nails->count; i++)
            best = fmaxf(best, likeness(&tracks[t], &nails->items[i], shift_x, shift_y));
        total += best;
        size = fmaxf(size, tracks[t].size);
    }
    float cost = SHIFT_COST * hypotf(shift_x, shift_y) / size;
    return total - cost;
}

static void find_shift(const struct lq_match_track *tracks, int track_count,
                       const struct lq_nails *nails, float *shift_x, float *shift_y)
{
    *shift_x = *shift_y = 0.0f;
    float best = score_shift(tracks, track_count, nails, 0.0f, 0.0f);
    // No shift can be better than all nails at rest.
    if (best > 0.75f * (float)track_count)
        return;
    for (int t = 0; t < track_count && t < TRIED_MAX; t++)
        for (int i = 0; i < nails->count && i < TRIED_MAX; i++) {
            float x = nails->items[i].center_x - tracks[t].x;
            float y = nails->items[i].center_y - tracks[t].y;
            float score = score_shift(tracks, track_count, nails, x, y);
            if (score > best) {
                best = score;
                *shift_x = x;
                *shift_y = y;
            }
        }
}

void lq_match(const struct lq_match_track *tracks, int track_count, const struct lq_nails *nails,
              int match[LQ_NAILS_MAX])
{
    bool taken[LQ_TRACKS_MAX] = {false};
    float shift_x, shift_y;
    for (int i = 0; i < nails->count; i++)
        match[i] = -1;
    if (track_count == 0 || nails->count == 0)
        return;
    find_shift(tracks, track_count, nails, &shift_x, &shift_y);
    for (;;) {
        float best = 0.0f;
        int best_track = -1, best_nail = -1;
        for (int t = 0; t < track_count; t++)
            for (int i = 0; i < nails->count && !taken[t]; i++) {
                float like = match[i] < 0 ? likeness(&tracks[t], &nails->items[i], shift_x, shift_y)
                                          : 0.0f;
                if (like > best) {
                    best = like;
                    best_track = t;
                    best_nail = i;
                }
            }
        if (best_track < 0)
            return;
        taken[best_track] = true;
        match[best_nail] = best_track;
    }
}
