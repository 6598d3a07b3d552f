// `lacquer eval --directions FILE`: which way found nails point and which fingers they are on,
// against what people saw.
// The file is JSON: {"STEM": [{"x": 610.8, "y": 146.8, "angle": -83, "finger": "little"}, …], …};
// x, y are the middle of the nail in pixels of the upright picture, angle is from its base to its
// tip in degrees, 0 to the right and 90 up; a finger that is not known is left out.
// And for videos, how often a nail's direction flips from one frame to the next.
// Threads: main thread. Owner: open/close by the caller.
#pragma once

#include "nail/nail.h"

struct lq_directions {
    void *root; // the JSON
    int nails, found;              // of the file; of these found in their pictures
    int told, right, backwards;    // tips that are told; within 30 degrees; 150 degrees off or more
    int axes;                      // axes within 30 degrees, either way round
    int known, named, named_right; // fingers that the file names; of these named; rightly
};

LQ_MUST_CHECK int lq_directions_open(struct lq_directions *directions, const char *path,
                                     struct lq_error *err);
void lq_directions_close(struct lq_directions *directions);

// Counts one picture's nails; one that the file does not have counts nothing.
void lq_directions_add(struct lq_directions *directions, const char *stem,
                       const struct lq_nails *nails);

enum { LQ_FLIP_DEGREES = 35 };

struct lq_flips {
    int pairs, count;       // nails seen in two frames running; of these turned by more than that
    struct lq_nails last;   // of the last frame; their masks are not used
};

// The next frame of a video. A nail whose tip is not known, before or now, has an axis alone.
void lq_flips_add(struct lq_flips *flips, const struct lq_nails *nails);
