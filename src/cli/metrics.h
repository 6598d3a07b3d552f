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

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct lq_metrics {
    int images, blank_images;       // blank: no nail drawn
    uint64_t intersection, union_;  // pixels
    uint64_t blank_painted, blank_pixels;
    double iou_sum, boundary_sum;   // over images
    int found, missed, false_;
    struct lq_buf labels, stack, outline_a, outline_b, near;
};

void lq_metrics_init(struct lq_metrics *metrics);
void lq_metrics_release(struct lq_metrics *metrics);

// Adds one picture: width x height bytes each, rows without padding.
LQ_MUST_CHECK int lq_metrics_add(struct lq_metrics *metrics, const uint8_t *predicted,
                                 const uint8_t *drawn, int width, int height);

double lq_metrics_iou(const struct lq_metrics *metrics);         // 1 when nothing was to be found
double lq_metrics_mean_iou(const struct lq_metrics *metrics);
double lq_metrics_boundary_f(const struct lq_metrics *metrics);
double lq_metrics_false_paint(const struct lq_metrics *metrics); // NaN without blank pictures
