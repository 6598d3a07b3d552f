// Decodes one JPEG through libjpeg's own interface. Each call creates a decoder (0.2 us), so no
// table or setting carries over between pictures. A sequential picture without DHT gets the
// standard tables (ITU-T T.81, K.3); one without DQT is refused.
// Threads: any; no state. Owner: the caller owns all memory.
#pragma once

#include <stdbool.h>

#include "image/image.h"
#include "image/jpeg_map.h"

struct jpeg_decompress_struct;
struct lq_jpeg_decoder; // jpeg_decoder.h

struct lq_jpeg_read {
    const uint8_t *bytes;   // after the last byte the decoder sees an end marker
    size_t len;
    int scans;              // as the map counts them; data after the last scan's blocks is ignored
    const uint8_t *data_end; // where the last scan's data ends
    bool inks;              // four components as stored; else RGB
    int shrink;             // 1, 2, 4 or 8: each side is divided by it and rounded up
    const struct lq_pixel_box *part; // only these pixels (and a few beside them) are decoded; the
                            // rest is black, and what follows is not read; NULL: all
    // Called once the header is read: whether to keep the coefficients. NULL: no.
    bool (*keeps)(const struct jpeg_decompress_struct *header, void *context);
    void *context;

    // set by the call
    size_t spare;           // bytes of that data that no block needed; may be up to 8 too low
    char why[200];          // the first error or warning, as the library words it
};

// Decodes into `image`, which must have the right size and channels. CORRUPT: the file is damaged
// or truncated, and `why` says how. MEMORY: out of memory. If the coefficients were kept,
// decoder->kept is set: the caller must then release the decoder, and until then must neither move
// it nor free read->bytes.
LQ_MUST_CHECK int lq_jpeg_read(struct lq_jpeg_read *read, const struct lq_image *image,
                               struct lq_jpeg_decoder *decoder);
