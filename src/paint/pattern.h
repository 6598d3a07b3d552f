// Nail art: a small picture laid over a nail, with its top at the tip. Stored in linear light with
// premultiplied alpha as a mip pyramid, so that it neither shimmers nor blurs at any nail size.
// Threads: read-only and shared once created. Owner: new/free by the caller.
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
    const uint8_t *file;  // the PNG it was read from
    size_t file_len;
    float *memory;        // all levels
};

// Copies the bytes of a PNG (or JPEG) of at most LQ_PATTERN_SIDE_MAX pixels per side.
LQ_MUST_CHECK int lq_pattern_new(struct lq_pattern **pattern, const char *name,
                                 const uint8_t *bytes, size_t len, struct lq_error *err);
void lq_pattern_free(struct lq_pattern *pattern);

// How often the pattern repeats along a nail that is `aspect` widths long. It is stretched by up to
// a seventh to fit once; otherwise it keeps its proportions and is cut off or repeated at the
// cuticle.
float lq_pattern_span(const struct lq_pattern *pattern, float aspect);

// The level for a nail of that width in pixels: the coarsest with at least as many texels.
const struct lq_pattern_level *lq_pattern_level(const struct lq_pattern *pattern, float width);

// Bilinear lookup at the positions (x[i], y[i]), one for each pixel of `color`: linear light with
// premultiplied alpha, and the alpha itself. x and y are 0..1 from the top left; beyond that,
// texels at the left and right edge repeat, and vertically the whole pattern repeats.
void lq_pattern_read(const struct lq_pattern_level *level, const float *x, const float *y,
                     const struct lq_rgb_row *color, float *alpha);
