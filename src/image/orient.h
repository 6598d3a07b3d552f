// Reads a picture's orientation (EXIF tag 0x0112) and turns the picture upright.
// Threads: any; no state.
//
//   "Exif\0\0"      then TIFF 6.0, which offsets count from:
//   "II" or "MM"    numbers are little- or big-endian; u16 42; u32 offset of the first directory
//   directory       u16 count, then entries of u16 tag, u16 type, u32 count, 4 bytes of value
//
// Only the first directory is read, so a loop of directories cannot cost time.
#pragma once

#include "image/image.h"

// The orientation 1..8 in an EXIF block ("Exif\0\0", then TIFF); 1 when there is none.
int lq_exif_orientation(const uint8_t *exif, size_t len);

// Orientations 5..8 swap width and height.
static inline int lq_orientation_swaps(int orientation)
{
    return orientation >= 5 && orientation <= 8;
}

// Copies `source`, turned upright, into `upright`, which has the turned size and the same pixel
// format.
void lq_orient_upright(const struct lq_image *source, int orientation,
                       const struct lq_image *upright);
