// One JPEG's samples by libjpeg's own interface. Each call makes a decoder of its own (0.2 us), so
// that no table or setting of one picture can reach another. Without DHT a
// sequential picture gets the standard tables (ITU-T T.81, K.3); without DQT it is refused.
// Threads: any; no state. Owner: the caller owns all memory.
#pragma once

#include <stdbool.h>

#include "image/image.h"
#include "image/jpeg_map.h"

struct jpeg_decompress_struct;
struct lq_jpeg_decoder; // jpeg_decoder.h

struct lq_jpeg_read {
    const uint8_t *bytes;   // behind the last one the decoder sees an end marker
    size_t len;
    int scans;              // as the map counts them: what follows the last one's blocks is no loss
    const uint8_t *data_end; // where the last scan's data ends
    bool inks;              // four components as stored, else RGB
    int shrink;             // 1, 2, 4 or 8: each side is divided by it, rounded up
    const struct lq_pixel_box *part; // only these pixels, and a few beside them, are wanted; the
                            // rest is black, and what follows is not read; NULL: all
    // Whether the coefficients are to stay, once the header is read; NULL: no.
    bool (*keeps)(const struct jpeg_decompress_struct *header, void *context);
    void *context;

    // done
    size_t spare;           // bytes of that data which no block needed, up to 8 bytes too few
    char why[200];          // the first thing wrong, a line of the library's
};

// Decodes into `image`, which has the right size and channels. CORRUPT: damaged, or bytes are
// missing, and `why` says so; MEMORY. Where the coefficients stay, decoder->kept says so: it is
// then the caller's to release, holds on to read->bytes, and must lie where it is until then.
LQ_MUST_CHECK int lq_jpeg_read(struct lq_jpeg_read *read, const struct lq_image *image,
                               struct lq_jpeg_decoder *decoder);
