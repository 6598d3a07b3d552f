// Turns patches of probability into single nails with soft, full-resolution edges.
// Threads: a finder belongs to one thread at a time.
// Owner: new/free by the caller; the nails and their alpha live in the finder until its next run.
// Scratch memory grows to the largest picture seen and is then reused.
#pragma once

#include <stdbool.h>

#include "base/limits.h"
#include "image/image.h"
#include "model/model.h"

// Which finger a nail is on.
enum lq_finger { LQ_FINGER_UNKNOWN, LQ_FINGER_THUMB, LQ_FINGER_INDEX, LQ_FINGER_MIDDLE,
                 LQ_FINGER_RING, LQ_FINGER_LITTLE, LQ_FINGER_COUNT };

struct lq_nail {
    int id;               // 1, 2, … in this picture, left to right
    float confidence;     // 0..1
    struct lq_pixel_box crop; // the part of the picture that `alpha` covers
    const uint8_t *alpha; // of the crop: coverage 0..255, rows of `alpha_stride` bytes
    size_t alpha_stride;
    int64_t area;         // pixels with alpha >= 128
    // Local frame. axis is the unit vector along the nail's length: towards the tip where tip_known
    // says so, else either way.
    float center_x, center_y;
    float axis_x, axis_y;
    float length;         // pixels along the axis
    float width;          // pixels across it
    // pixels from one side to the other of the picture's edges about it; 0: unknown
    float edge;
    float curvature;      // radians that the middle line turns over the length, clockwise as seen
    bool tip_known;
    bool on_finger;       // tip_x, tip_y and the axis are those of the finger behind it (hand.h)
    bool awaits_hand;     // its hand is being searched for: the tip is not known before
    float tip_x, tip_y;   // sum of the likely tip directions (tip.h): its length is the confidence
    enum lq_finger finger;
    float finger_share[LQ_FINGER_COUNT - 1]; // probability of each, thumb first; all 0: not
                                             // estimated
};

float lq_nail_side(const struct lq_nail *nail); // the longer of length and width
const char *lq_finger_name(enum lq_finger finger); // "unknown", "thumb", … "little"

struct lq_nails {
    int count;
    struct lq_nail items[LQ_NAILS_MAX];
};

struct lq_nail_finder;

LQ_MUST_CHECK int lq_nail_finder_new(struct lq_nail_finder **finder);
void lq_nail_finder_free(struct lq_nail_finder *finder);

// Splits patches into nails (connected components for a whole-picture patch), drops specks and
// implausible shapes, and refines each outline along the picture's edges (guided filter; He, Sun
// and Tang, "Guided Image Filtering", ECCV 2010).
LQ_MUST_CHECK int lq_nail_find(struct lq_nail_finder *finder, const struct lq_image *picture,
                               const struct lq_patch *patches, int patch_count,
                               const struct lq_nails **nails, struct lq_error *err);

// Sorts nails from left to right and numbers them.
void lq_nails_sort(struct lq_nails *nails);
