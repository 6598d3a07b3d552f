// The mirror on the reader's own device: pixels of a camera frame in, the bytes of a lacquer.v1
// `nails` reply out (docs/PROTOCOL.md), by the same detector, tracker and light as the server's.
// Built as WebAssembly for the page (tools/wasm.sh, web/device/) and natively for its tests.
//
// It runs no network itself. Whoever embeds it defines lq_mirror_run (network.h), which is called
// in the middle of lq_mirror_look: once for a frame, some more times where hands or a still ask for
// it. In the page that call waits for ONNX Runtime Web: Binaryen's Asyncify unwinds the stack and
// winds it up again, so that one pipeline serves both places instead of one in steps beside it.
//
// Threads: one device belongs to one thread; one look at a time. Owner: open/close by the caller;
// what is pointed to belongs to the device.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct lq_mirror;

// What is known of the networks. Sizes are those of the nails' network (models/nail.json), each a
// width and a height in pixels; a frame goes in by the one of nearest proportions.
enum { LQ_MIRROR_SIZES_MAX = 4 };
struct lq_mirror_networks {
    int32_t size_count;
    int32_t sizes[LQ_MIRROR_SIZES_MAX][2];
    float threshold;  // a probability at or above this is nail; 0: the usual one
    int32_t hand;     // 0: there is no hand landmark network
};

// NULL: no memory, or a description that makes no sense.
LQ_MUST_CHECK struct lq_mirror *lq_mirror_open(const struct lq_mirror_networks *networks);
void lq_mirror_close(struct lq_mirror *mirror); // NULL is fine

// Where the next picture's pixels go: RGBA, 8 bits, sRGB, rows without gaps. Valid until the next
// call of it, of lq_mirror_rest or of lq_mirror_close. NULL: too large, or no memory; error says.
uint8_t *lq_mirror_picture(struct lq_mirror *mirror, int width, int height);

// One look at that picture.
struct lq_mirror_look {
    uint32_t id;          // comes back in the reply
    int32_t still;        // 0: a video's next frame; else a picture by itself, looked at in
                          // several scales and with a search for its hands
    double client_us;     // comes back in the reply: the sender's clock, microseconds
    double time_us;       // of the frame, on a clock that does not run backwards
    double read_us;       // what getting the pixels took: the reply's "decode"
};

// Finds the nails; 0, or a negative enum lq_status (base/error.h) whose words lq_mirror_error has.
LQ_MUST_CHECK int lq_mirror_find(struct lq_mirror *mirror, const struct lq_mirror_look *look);

// The reply of the last look that went well, until the next.
const uint8_t *lq_mirror_reply(const struct lq_mirror *mirror);
size_t lq_mirror_reply_bytes(const struct lq_mirror *mirror);
// The words for the last failure.
const char *lq_mirror_error(const struct lq_mirror *mirror);

// Another video begins, or none for a while: forgets its nails and gives its memory back.
void lq_mirror_rest(struct lq_mirror *mirror);
