// Which nail of this frame is which of the last. Threads: any. Owner: the caller's memory.
#pragma once

#include "nail/nail.h"

enum { LQ_TRACKS_MAX = 2 * LQ_NAILS_MAX };

struct lq_match_track {
    float x, y, size; // where it was last, and the mean of its length and width, pixels
};

// track_count: at most LQ_TRACKS_MAX. Fills match[i] with the track of nail i or -1; no track is
// given twice. First the shift that brings most tracks onto nails is found, so that a hand that
// moves by a finger's width keeps its ids; then pairs are taken, nearest first.
void lq_match(const struct lq_match_track *tracks, int track_count, const struct lq_nails *nails,
              int match[LQ_NAILS_MAX]);
