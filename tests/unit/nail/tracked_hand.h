// A drawn, moving hand with textured nails, detections of them with errors, and a tracker, for the
// tests of tracking. There is one of each per test program.
#pragma once

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nail/shape.h"
#include "nail/track.h"
#include "unit/unit.h"

enum { W = 320, H = 200, CROP = 48, NAILS = 5, FRAME_US = 33333 };

static uint8_t pixels[W * H * 3];
static struct lq_image picture = {pixels, W, H, 3, 8, W * 3};
static uint8_t crops[NAILS][CROP * CROP];
static struct lq_tracker *tracker;
static struct lq_tracked tracked;
static struct lq_nails found;

static inline int open_all(void **state)
{
    (void)state;
    lq_tracked_init(&tracked);
    picture.width = W;
    return lq_tracker_new(&tracker);
}

static inline int close_all(void **state)
{
    (void)state;
    lq_tracker_free(tracker);
    lq_tracked_release(&tracked);
    return 0;
}

// The hand at (x, y): nail k lies 55 pixels right of the one before.
static inline float place_x(int k, float x)
{
    return 50 + 55 * (float)k + x;
}

static inline void draw_picture(float x, float y)
{
    for (int j = 0; j < H; j++)
        for (int i = 0; i < W; i++) {
            float u = (float)i - x, v = (float)j - y;
            float level = 128 + 45 * sinf(u * 0.25f) * cosf(v * 0.21f) +
                25 * sinf(u * 0.1f + v * 0.3f);
            memset(pixels + (j * W + i) * 3, (int)level, 3);
        }
}

// Adds a detection of nail k whose centre is off by (ex, ey).
static inline void find(int k, float x, float y, float ex, float ey)
{
    struct lq_nail *nail = &found.items[found.count++];
    float cx = place_x(k, x) + ex, cy = 100 + y + ey;
    *nail = (struct lq_nail){.id = found.count, .confidence = 0.9f,
                             .crop = {(int)cx - CROP / 2, (int)cy - CROP / 2, CROP, CROP},
                             .alpha = crops[k], .alpha_stride = CROP};
    for (int j = 0; j < CROP; j++)
        for (int i = 0; i < CROP; i++) {
            float dx = ((float)(nail->crop.x + i) + 0.5f - cx) / 11,
                dy = ((float)(nail->crop.y + j) + 0.5f - cy) / 16;
            float level = 0.5f + (1 - sqrtf(dx * dx + dy * dy)) * 6;
            crops[k][j * CROP + i] = (uint8_t)(255 * (level < 0 ? 0 : level > 1 ? 1 : level));
        }
    lq_shape_measure(nail);
}

static inline void find_all(float x, float y)
{
    found.count = 0;
    for (int k = 0; k < NAILS; k++)
        find(k, x, y, 0, 0);
}

static inline void update(uint64_t time_us, bool smooth)
{
    assert_ok(lq_tracker_update(tracker, &picture, &found, time_us, smooth, &tracked));
}

static inline void update_region(uint64_t time_us, const struct lq_pixel_box *box)
{
    assert_ok(lq_tracker_update_region(tracker, &picture, box, &found, time_us, &tracked));
}

#define TRACK_TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)
