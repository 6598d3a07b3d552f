// The pictures every row is measured with: JPEG, 640x480, ready for each way of sending.
// Threads: one. Owner: init/release by the caller.
#pragma once

#include "bench/client.h"

enum { LQ_BENCH_FRAMES_MAX = 96, LQ_BENCH_WIDTH = 640, LQ_BENCH_HEIGHT = 480 };

struct lq_bench_frames {
    struct lq_client_frame items[LQ_BENCH_FRAMES_MAX];
    int count;
    size_t bytes_mean; // of a JPEG
};

// Reads a folder's JPEGs, by name, or a file of JPEGs one after another (Motion JPEG, what a camera
// gives); at most LQ_BENCH_FRAMES_MAX. A frame of 640x480 is sent as it is; others are cut to 4:3
// about their middle, resized, and written at quality 85.
LQ_MUST_CHECK int lq_bench_frames_load(struct lq_bench_frames *frames, const char *path,
                                       struct lq_error *err);
void lq_bench_frames_release(struct lq_bench_frames *frames);
