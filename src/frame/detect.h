// From pixels to nails: prepare > infer > nails, with regions, tracking, the multi-scale pass and
// hands. Shared by the server (frame.h) and the page's on-device pipeline (device/device.h). It
// does not decode, paint or encode.
// Threads: a detector belongs to one thread at a time. Owner: new/free by the caller; the nails
// live in the detector until its next run. Its memory grows to the largest picture seen.
#pragma once

#include "frame/frame.h"

struct lq_detector;

LQ_MUST_CHECK int lq_detector_new(struct lq_detector **detector, const struct lq_model *model,
                                  struct lq_error *err);
void lq_detector_free(struct lq_detector *detector); // detector may be NULL
// Frees the memory that grew with pictures. After MEMORY the detector can only be freed.
LQ_MUST_CHECK int lq_detector_rest(struct lq_detector *detector);

// Which part of a frame of this size suffices to detect its nails: the surroundings of the region
// of interest (nail/track.h). False: the whole frame is needed. If job->is_part, the next
// lq_detector_run of the same job runs the network on that region.
bool lq_detector_choose_part(struct lq_detector *detector, const struct lq_job *job, int width,
                             int height, struct lq_pixel_box *part);

// Detects the nails of an sRGB picture, sets job->nails, and adds stage times and passes to the
// job. since_us: when the current stage began; updated as stages end.
LQ_MUST_CHECK int lq_detector_run(struct lq_detector *detector, struct lq_job *job,
                                  const struct lq_image *picture, uint64_t *since_us,
                                  struct lq_error *err);

// Ends a stage. Its time is counted from the end of the stage before, so the six add up to the
// total.
void lq_stage_done(struct lq_job *job, enum lq_stage stage, uint64_t *since_us);
// Calls the job's `pause` between two steps. Time spent in it is not counted for this job.
void lq_job_pause(struct lq_job *job, uint64_t *since_us);
