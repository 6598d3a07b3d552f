// The pictures with which every row is measured: JPEG, 640x480, prepared for each way of sending.
// Threads: one. Owner: init/release by the caller.
#pragma once

#include "bench/client.h"

enum { LQ_BENCH_FRAMES_MAX = 96, LQ_BENCH_WIDTH = 640, LQ_BENCH_HEIGHT = 480 };

struct lq_bench_frames {
    struct lq_client_frame items[LQ_BENCH_FRAMES_MAX];
    int count;
    size_t bytes_mean; // of a JPEG
};

// Reads the JPEGs of a folder, in order of their names, or a file of concatenated JPEGs (Motion
// JPEG, as cameras produce); at most LQ_BENCH_FRAMES_MAX. Frames of 640x480 are sent unchanged;
// others are cropped to 4:3 around the middle, resized, and encoded at quality 85.
LQ_MUST_CHECK int lq_bench_frames_load(struct lq_bench_frames *frames, const char *path,
                                       struct lq_error *err);
void lq_bench_frames_release(struct lq_bench_frames *frames);
