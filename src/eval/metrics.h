// How well a predicted mask agrees with a drawn one. Masks are bytes, nail where >= 128.
// Threads: one owner. Owner: init/release by the caller; scratch memory is kept between pictures.
//
// iou         intersection over union, summed over all pixels of all pictures
// mean_iou    the mean over pictures of each picture's own (1 when both masks are empty)
// boundary_f  the mean over pictures of 2PR/(P+R), where P is the share of the prediction's outline
//             within 2 px of the drawn one and R the reverse (after Csurka et al., "What is a good
//             evaluation measure for semantic segmentation?", BMVC 2013)
// found       drawn nails of which at least half is covered; the others are missed
// false       predicted nails of which less than a quarter lies on any drawn nail
// false_paint share of pixels painted, over the pictures without a nail
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct lq_score { // one picture
    uint64_t intersection, union_, painted, pixels; // pixels
    bool blank;                                     // no nail drawn
    double iou, boundary_f;
    int found, missed, false_;
    uint64_t nail_pixels; // drawn
};

struct lq_tally { // many pictures; initialise with {0}
    int images, blank_images;
    uint64_t intersection, union_, blank_painted, blank_pixels;
    double iou_sum, boundary_sum;
    int found, missed, false_;
};

// Scratch memory.
struct lq_metrics {
    struct lq_buf labels, stack, outline_a, outline_b, near;
};

void lq_metrics_init(struct lq_metrics *metrics);
void lq_metrics_release(struct lq_metrics *metrics);

// Compares one picture's masks: width x height bytes each, rows without padding.
LQ_MUST_CHECK int lq_metrics_score(struct lq_metrics *metrics, const uint8_t *predicted,
                                   const uint8_t *drawn, int width, int height,
                                   struct lq_score *score);

void lq_tally_add(struct lq_tally *tally, const struct lq_score *score);
double lq_tally_iou(const struct lq_tally *tally);         // 1 if there was nothing to find
double lq_tally_mean_iou(const struct lq_tally *tally);
double lq_tally_boundary_f(const struct lq_tally *tally);
double lq_tally_false_paint(const struct lq_tally *tally); // NaN without blank pictures
