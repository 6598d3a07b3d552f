// A walk over a JPEG file's markers, without decoding: what the decoder must know before it spends
// memory or time, what the decoder library does not tell, and where the picture's data ends.
//
//   SOI  { FF code length16 body } ..  SOS body entropy-coded data .. EOI    (ITU-T T.81, annex B)
//   in the data FF 00 is a byte FF, FF D0 .. FF D7 are restarts, any other FF code ends the scan
//   APP1 "Exif\0\0" TIFF     APP2 "ICC_PROFILE\0" part parts bytes     APP14 "Adobe" .. transform
//
// Threads: any. Owner: a map points into the file's bytes and owns nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct lq_jpeg_map {
    const uint8_t *bytes; // the file
    size_t len;
    int process;         // 0xc0 baseline, 0xc1 extended, 0xc2 progressive, …; 0 no frame header
    int precision;       // bits a sample
    int width, height;   // pixels
    int components;      // 1, 3 or 4 in what we decode
    int scans;           // up to EOI; without one up to `whole`
    bool covered;        // every component has its first scan
    bool ended;          // EOI was reached, by segments that may stand there
    bool adobe;          // APP14: four components are then stored inverted
    // Where the data ends of the scan by which everything was sent (all components, all bits of
    // their coefficients); NULL: never. Phones write things of their own behind it, without EOI.
    const uint8_t *whole;
    const uint8_t *scan; // the last scan's data
    size_t scan_len;
    const uint8_t *exif; // "Exif\0\0" and what follows, NULL without
    size_t exif_len;
    int icc_parts;       // as announced; 0 without
    struct {
        const uint8_t *bytes;
        size_t len;
    } icc[256];          // by part number, from 1
};

// Reads as far as the bytes make sense; what is missing shows in the fields.
void lq_jpeg_map_read(struct lq_jpeg_map *map, const uint8_t *bytes, size_t len);

// The colour profile put together from its parts; nothing when one is missing or all too large.
LQ_MUST_CHECK int lq_jpeg_map_icc(const struct lq_jpeg_map *map, struct lq_buf *icc);
