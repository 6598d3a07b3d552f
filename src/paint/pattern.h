// Nail art: a small picture laid over a nail, its top at the tip. Kept in linear light with alpha
// multiplied in, halved again and again (a mip pyramid), so that it neither shimmers nor blurs at
// any size of nail.
// Threads: read by any once made. Owner: new/free by the caller.
#pragma once

#include "image/image.h"

enum { LQ_PATTERN_SIDE_MAX = 512, LQ_PATTERN_LEVELS = 10, LQ_PATTERN_NAME_MAX = 48 };

struct lq_pattern_level {
    int width, height;
    const float *texels; // red, green, blue, alpha; rows from the top (the tip)
};

struct lq_pattern {
    char name[LQ_PATTERN_NAME_MAX];
    int level_count;
    struct lq_pattern_level levels[LQ_PATTERN_LEVELS];
    const uint8_t *file;  // the PNG it came from
    size_t file_len;
    float *memory;        // all levels
};

// A PNG's (or JPEG's) bytes, copied; at most LQ_PATTERN_SIDE_MAX on a side.
LQ_MUST_CHECK int lq_pattern_new(struct lq_pattern **pattern, const char *name,
                                 const uint8_t *bytes, size_t len, struct lq_error *err);
void lq_pattern_free(struct lq_pattern *pattern);

// How often a nail as long as `aspect` widths shows the pattern's height. Stretched by a seventh
// at most, it fits the nail once; else it keeps its shape so far, and is cut at the cuticle or goes
// on there.
float lq_pattern_span(const struct lq_pattern *pattern, float aspect);

// The level for a nail that many pixels broad: the coarsest that has at least as many texels.
const struct lq_pattern_level *lq_pattern_level(const struct lq_pattern *pattern, float width);

// Bilinear, at as many places (x[i], y[i]) as `color` has pixels: linear light with alpha
// multiplied in, and the alpha itself. x and y in 0..1 from the top left; beyond, the sides' texels
// are repeated and, upwards and downwards, the whole pattern is.
void lq_pattern_read(const struct lq_pattern_level *level, const float *x, const float *y,
                     const struct lq_rgb_row *color, float *alpha);
