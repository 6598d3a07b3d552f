// A closer look at fingertips on which no nail was found. The hands' landmarks (nail/hand.h) tell
// where the nails of all fingers should be; the network runs again on a window around each place
// that has none, straight and mirrored. That finds nails that are too small for the whole picture,
// such as those of thumbs seen from the side. It takes two or four runs a fingertip, and at most 32
// in a picture.
// Threads and owner: as for lq_multiscale. The nails that are added live in `fingertips` until its
// next call.
#pragma once

#include "frame/multiscale.h"
#include "nail/hand.h"

struct lq_fingertips;

LQ_MUST_CHECK int lq_fingertips_new(struct lq_fingertips **fingertips);
void lq_fingertips_free(struct lq_fingertips *fingertips); // fingertips may be NULL

// A still whose hands were found.
struct lq_fingertips_job {
    const struct lq_image *picture;
    struct lq_hand_finder *hands;
    struct lq_nails *nails;   // as lq_hand_estimate of `hands` left them; those that are found are
                              // added, and all are numbered again from left to right
    struct lq_passes *passes; // of a network that returns a map (LQ_HEAD_MASK)
};

LQ_MUST_CHECK int lq_fingertips_search(struct lq_fingertips *fingertips,
                                       const struct lq_fingertips_job *job, struct lq_error *err);
