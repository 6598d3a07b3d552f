// The region of interest of a picture: where a hand's nails are. The network then sees the region
// at the resolution otherwise used for the whole picture. Threads: any. Owner: plain data.
#pragma once

#include <stdbool.h>

#include "nail/nail.h"

struct lq_region { // picture pixels
    float x0, y0, x1, y1;
    float largest; // nail's length or width; 0: none yet
};

// Adds a nail, shifted by (shift_x, shift_y).
void lq_region_add(struct lq_region *region, const struct lq_nail *nail, float shift_x,
                   float shift_y);

// box: within the picture, with a margin around the nails and an aspect ratio that the network was
// trained on. false: there is no nail, or too little is gained.
bool lq_region_place(const struct lq_region *region, const struct lq_image *picture,
                     struct lq_pixel_box *box);

bool lq_region_is_whole(const struct lq_pixel_box *box, const struct lq_image *picture);

// Whether a nail found in the region touches the region's border, so that part of it is missing.
bool lq_region_cuts(const struct lq_pixel_box *box, const struct lq_image *picture,
                    const struct lq_nail *nail);

// Whether the picture's border may cut the nail.
bool lq_touches_border(const struct lq_image *picture, const struct lq_nail *nail);
