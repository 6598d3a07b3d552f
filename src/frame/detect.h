// From pixels to nails: prepare > infer > nails, with regions, tracking, the multi-scale pass and
// hands. What is common to a frame on the server (frame.h) and one on the reader's own device
// (device/device.h): it decodes nothing, paints nothing, encodes nothing.
// Threads: a detector belongs to one thread at a time. Owner: new/free by the caller; the nails
// found live in the detector until its next run. Its memory grows to the largest picture seen.
#pragma once

#include "frame/frame.h"

struct lq_detector;

LQ_MUST_CHECK int lq_detector_new(struct lq_detector **detector, const struct lq_model *model,
                                  struct lq_error *err);
void lq_detector_free(struct lq_detector *detector); // NULL is fine
// Gives back what grew with pictures. MEMORY: it can only be freed then.
LQ_MUST_CHECK int lq_detector_rest(struct lq_detector *detector);

// Which part of a frame of this size suffices to find its nails: around the region of interest
// (nail/track.h). False: all of it is needed. If job->is_part, lq_detector_run of the same job then
// runs the network on that region.
bool lq_detector_choose_part(struct lq_detector *detector, const struct lq_job *job, int width,
                             int height, struct lq_pixel_box *part);

// Finds the nails of an sRGB picture into job->nails, and counts stages and passes in the job.
// since_us: when the stage under way began; moved on as stages end.
LQ_MUST_CHECK int lq_detector_run(struct lq_detector *detector, struct lq_job *job,
                                  const struct lq_image *picture, uint64_t *since_us,
                                  struct lq_error *err);

// Each stage's time runs from the end of the one before, so the six add up to the total.
void lq_stage_done(struct lq_job *job, enum lq_stage stage, uint64_t *since_us);
// Between two steps. What runs meanwhile is not this job's time.
void lq_job_pause(struct lq_job *job, uint64_t *since_us);
