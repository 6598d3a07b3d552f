// Scans a JPEG file's markers without decoding it: finds what must be known before memory or time
// is spent, what libjpeg does not report, and where the picture's data ends.
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
    int precision;       // bits per sample
    int width, height;   // pixels
    int components;      // 1, 3 or 4 in what we decode
    int scans;           // up to EOI; without EOI, up to `whole`
    bool covered;        // every component has its first scan
    bool ended;          // EOI was reached, with only valid segments before it
    bool adobe;          // APP14 is present: four components are then stored inverted
    // End of the scan that completes the picture (all components, all bits of their coefficients);
    // NULL: it is incomplete. Phones append data of their own after it, without EOI.
    const uint8_t *whole;
    const uint8_t *scan; // the last scan's data
    size_t scan_len;
    const uint8_t *exif; // "Exif\0\0" and what follows; NULL: none
    size_t exif_len;
    int icc_parts;       // as announced; 0: none
    struct {
        const uint8_t *bytes;
        size_t len;
    } icc[256];          // by part number, from 1
};

// Reads until the bytes make no sense; the fields show what is missing.
void lq_jpeg_map_read(struct lq_jpeg_map *map, const uint8_t *bytes, size_t len);

// Appends the colour profile assembled from its parts; nothing if a part is missing or the total is
// too large.
LQ_MUST_CHECK int lq_jpeg_map_icc(const struct lq_jpeg_map *map, struct lq_buf *icc);
