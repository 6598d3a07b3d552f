// The mirror: detection on the user's own device. Pixels of a camera frame go in, the bytes of a
// lacquer.v1 `nails` reply come out (docs/PROTOCOL.md), using the server's detector, tracker and
// light estimation. Built as WebAssembly for the page (tools/wasm.sh, web/device/) and natively for
// its tests.
//
// It does not run networks itself: the embedding program defines lq_mirror_run (network.h), which
// lq_mirror_find calls once per frame, and more often for hands and stills. In the page,
// lq_mirror_run waits for ONNX Runtime Web: Binaryen's Asyncify unwinds the C stack and rewinds it
// afterwards, so the pipeline need not be split into steps for the page.
//
// Threads: one mirror belongs to one thread, with one lq_mirror_find at a time. Owner: open/close
// by the caller; returned pointers belong to the mirror.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct lq_mirror;

// Describes the networks. `sizes` are the nail network's input sizes (models/nail.json), width and
// height in pixels; a frame uses the size with the nearest aspect ratio.
enum { LQ_MIRROR_SIZES_MAX = 4 };
struct lq_mirror_networks {
    int32_t size_count;
    int32_t sizes[LQ_MIRROR_SIZES_MAX][2];
    float threshold;  // a probability at or above this is nail; 0: the default
    int32_t hand;     // 0: there is no hand landmark network
};

// NULL: out of memory, or an invalid description.
LQ_MUST_CHECK struct lq_mirror *lq_mirror_open(const struct lq_mirror_networks *networks);
void lq_mirror_close(struct lq_mirror *mirror); // mirror may be NULL

// Memory for the next picture's pixels: RGBA, 8 bits, sRGB, rows without gaps. Valid until the next
// call of this function, of lq_mirror_rest or of lq_mirror_close. NULL: too large, or out of
// memory; lq_mirror_error says which.
uint8_t *lq_mirror_picture(struct lq_mirror *mirror, int width, int height);

// Parameters of one detection on that picture.
struct lq_mirror_look {
    uint32_t id;          // returned in the reply
    int32_t still;        // 0: the next frame of a video; else a still, detected with the
                          // multi-scale pass and a search for hands
    double client_us;     // returned in the reply: the sender's clock, in microseconds
    double time_us;       // of the frame, on a clock that never goes back
    double read_us;       // time taken to get the pixels: the reply's "decode"
};

// Detects the nails. Returns 0, or a negative enum lq_status (base/error.h); lq_mirror_error then
// has the text.
LQ_MUST_CHECK int lq_mirror_find(struct lq_mirror *mirror, const struct lq_mirror_look *look);

// The reply of the last successful detection, valid until the next.
const uint8_t *lq_mirror_reply(const struct lq_mirror *mirror);
size_t lq_mirror_reply_bytes(const struct lq_mirror *mirror);
// The error text of the last failure.
const char *lq_mirror_error(const struct lq_mirror *mirror);

// Call it when another video begins or after the last frame: forgets the nails and frees memory.
void lq_mirror_rest(struct lq_mirror *mirror);
