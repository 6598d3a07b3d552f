// How sharp a picture is about one nail's outline: paint drawn sharper than what lies beside it
// looks stuck on.
// Threads: any. Owner: nothing is kept.
#pragma once

#include "image/image.h"
#include "nail/blocks.h"

// Pixels from one side to the other of the sharper edges that cross the outline (the level 0.5 of
// `guess`, which has a value for the middle of each block): a straight ramp as steep as they are at
// their steepest. At least 1; 0 where the picture has no edges there to judge by.
float lq_sharpness_edge(const struct lq_image *picture, const struct lq_blocks *blocks,
                        const float *guess);
