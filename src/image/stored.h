// A picture as its file stores it: what each format's decoder returns to the codec.
// Threads: any. Owner: plain data; the memory is the caller's.
#pragma once

#include "image/image.h"

struct lq_stored_picture {
    struct lq_buf *pixels; // resized as needed; `image` then points into it
    struct lq_image image; // not yet upright
    int orientation;       // EXIF orientation 1..8 to be applied
};
