// Associates the nails of this frame with those of the last. Threads: any. Owner: the caller's
// memory.
#pragma once

#include "nail/nail.h"

enum { LQ_TRACKS_MAX = 2 * LQ_NAILS_MAX };

struct lq_match_track {
    float x, y, size; // where it was last, and the mean of its length and width, pixels
};

// track_count: at most LQ_TRACKS_MAX. Sets match[i] to the track of nail i, or -1; a track is used
// at most once. First finds the motion (a shift, or a shift with a turn) that brings most tracks
// onto nails, so that ids survive a hand that moves by a finger's width; then pairs them, nearest
// first. Turns are tried with the first few tracks, so put those that were shown last first.
void lq_match(const struct lq_match_track *tracks, int track_count, const struct lq_nails *nails,
              int match[LQ_NAILS_MAX]);
