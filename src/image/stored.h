// A picture as its file stores it: what the readers of single formats hand to the codec.
// Threads: any. Owner: plain data; the memory is the caller's.
#pragma once

#include "image/image.h"

struct lq_stored_picture {
    struct lq_buf *pixels; // resized as needed; `image` then points into it
    struct lq_image image; // not yet upright
    int orientation;       // how it is to be turned: EXIF's 1..8
};
