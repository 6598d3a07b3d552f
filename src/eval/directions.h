// `lacquer eval --directions FILE`: compares the directions and fingers of detected nails with
// those that people annotated. The file is JSON: {"STEM": [{"x": 610.8, "y": 146.8, "angle": -83,
// "finger": "little"}, …], …}; x, y are the middle of the nail in pixels of the upright picture;
// angle points from the base to the tip, in degrees, 0 to the right and 90 up; an unknown finger is
// omitted.
// For videos it also counts how often a nail's direction flips from one frame to the next.
// Threads: main thread. Owner: open/close by the caller.
#pragma once

#include "nail/nail.h"

struct lq_directions {
    void *root; // the JSON
    int nails, found;              // nails in the file; those detected in their pictures
    int tips, right, backwards;    // tips estimated; those within 30 degrees; those 150 degrees off
                                   // or more
    int axes;                      // axes within 30 degrees, in either direction
    int known, named, named_right; // fingers in the file; those classified; those classified
                                   // correctly
};

LQ_MUST_CHECK int lq_directions_open(struct lq_directions *directions, const char *path,
                                     struct lq_error *err);
void lq_directions_close(struct lq_directions *directions);

// Adds one picture's nails; a picture that is not in the file is ignored.
void lq_directions_add(struct lq_directions *directions, const char *stem,
                       const struct lq_nails *nails);

enum { LQ_FLIP_DEGREES = 35 };

struct lq_flips {
    int pairs, count;       // nails present in two consecutive frames; those that turned by more
                            // than that
    struct lq_nails last;   // of the last frame, without their masks
};

// Adds the next frame of a video. Of a nail whose tip is unknown in either frame, only the axis is
// compared.
void lq_flips_add(struct lq_flips *flips, const struct lq_nails *nails);
