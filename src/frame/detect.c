#include "frame/detect.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "frame/fingertips.h"
#include "frame/multiscale.h"
#include "frame/window.h"
#include "nail/hand.h"

struct lq_detector {
    struct lq_runner *runner;
    struct lq_nail_finder *finder;
    struct lq_multiscale *multiscale;
    struct lq_fingertips *fingertips;
    struct lq_hand_finder *hands; // NULL: no hand landmark network
    struct lq_nails with_hands;   // the nails, with the direction and finger that their hands show
    bool maps;                    // the model returns one map of probabilities for all it sees
    struct lq_tracked tracked;    // the last frame of a video
    struct lq_pixel_box region;   // the region for which the current frame was decoded in part
    bool in_turn;                 // the current frame's region holds only some of the nails
    bool closer;                  // in the current frame the network also looked closer at them
};

// Margin around a region, as a share of the picture's longer side: nail tips, edges and light are
// read there.
static const float PART_MARGIN = 1.0f / 16;

// Allocates the parts whose memory grows with the picture.
static int open_parts(struct lq_detector *detector, struct lq_error *err)
{
    lq_tracked_init(&detector->tracked);
    if (lq_nail_finder_new(&detector->finder) == LQ_OK &&
        lq_multiscale_new(&detector->multiscale) == LQ_OK &&
        lq_fingertips_new(&detector->fingertips) == LQ_OK)
        return LQ_OK;
    return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
}

static void free_parts(struct lq_detector *detector)
{
    lq_fingertips_free(detector->fingertips);
    lq_multiscale_free(detector->multiscale);
    lq_nail_finder_free(detector->finder);
    detector->fingertips = NULL;
    detector->multiscale = NULL;
    detector->finder = NULL;
    lq_tracked_release(&detector->tracked);
}

int lq_detector_new(struct lq_detector **out, const struct lq_model *model, struct lq_error *err)
{
    *out = NULL;
    struct lq_detector *detector = calloc(1, sizeof *detector);
    if (!detector)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    detector->maps = lq_model_info(model)->head == LQ_HEAD_MASK;
    int status = open_parts(detector, err);
    if (status == LQ_OK)
        status = lq_runner_new(&detector->runner, model, err);
    if (status == LQ_OK && lq_model_landmarks(model))
        status = lq_hand_finder_new(&detector->hands, lq_model_landmarks(model), err);
    if (status != LQ_OK) {
        lq_detector_free(detector);
        return status;
    }
    *out = detector;
    return LQ_OK;
}

int lq_detector_rest(struct lq_detector *detector)
{
    free_parts(detector);
    return open_parts(detector, NULL);
}

void lq_detector_free(struct lq_detector *detector)
{
    if (!detector)
        return;
    free_parts(detector);
    lq_hand_finder_free(detector->hands);
    lq_runner_free(detector->runner);
    free(detector);
}

void lq_stage_done(struct lq_job *job, enum lq_stage stage, uint64_t *since_us)
{
    uint64_t now = lq_clock_us();
    job->stage_us[stage] = (uint32_t)(now - *since_us);
    job->total_us += job->stage_us[stage];
    *since_us = now;
}

void lq_job_pause(struct lq_job *job, uint64_t *since_us)
{
    if (!job->pause)
        return;
    uint64_t before_us = lq_clock_us();
    job->pause(job->pause_context);
    *since_us += lq_clock_us() - before_us;
}

// region: the region of interest in which nails were detected, or the whole picture if the network
// also looked closer; NULL: one pass over the whole picture.
static int track(struct lq_detector *detector, struct lq_job *job, const struct lq_image *picture,
                 const struct lq_pixel_box *region, struct lq_error *err)
{
    int status = region ? lq_tracker_update_region(job->tracker, picture, region, job->nails,
                                                   job->time_us, &detector->tracked)
                        : lq_tracker_update(job->tracker, picture, job->nails, job->time_us,
                                            job->smooth, &detector->tracked);
    if (status != LQ_OK)
        return lq_fail(err, status, "cannot track nails: %s", lq_status_text(status));
    job->nails = &detector->tracked.nails;
    return LQ_OK;
}

// Between two frames on which the network runs, propagating the nails by their motion is enough,
// for a tenth of the work. Sets job->propagated on success.
static int propagate_nails(struct lq_detector *detector, struct lq_job *job,
                           const struct lq_image *picture, uint64_t *since_us,
                           struct lq_error *err)
{
    if (!job->tracker || !job->may_propagate || !job->smooth)
        return LQ_OK;
    int status = lq_tracker_propagate(job->tracker, picture, job->time_us, &detector->tracked,
                                      &job->propagated);
    if (status != LQ_OK)
        return lq_fail(err, status, "cannot track nails: %s", lq_status_text(status));
    if (job->propagated) {
        job->nails = &detector->tracked.nails;
        lq_stage_done(job, LQ_STAGE_NAILS, since_us);
    }
    return LQ_OK;
}

// Further runs of the network on a picture.
struct further_passes {
    struct lq_passes passes; // whose context is this structure
    struct lq_job *job;
    uint64_t *since_us;
};

static void pause_pass(void *context)
{
    struct further_passes *further = context;
    lq_job_pause(further->job, further->since_us);
    further->passes.exclusive = further->job->exclusive;
}

static void begin_passes(struct further_passes *further, const struct lq_detector *detector,
                         struct lq_job *job, uint64_t *since_us)
{
    *further = (struct further_passes){
        {detector->runner, job->deadline_us, job->exclusive, pause_pass, further, 0},
        job, since_us};
}

// Detects the nails of a still again, in the combined probabilities of all passes.
static int add_multiscale_pass(struct lq_detector *detector, struct lq_job *job,
                               const struct lq_image *picture, const struct lq_first_pass *found,
                               uint64_t *since_us, struct lq_error *err)
{
    const struct lq_patch *fine;
    struct further_passes still;
    begin_passes(&still, detector, job, since_us);
    int status = lq_multiscale_detect(detector->multiscale, picture, found, &still.passes, &fine,
                                      err);
    job->passes += still.passes.count;
    if (status == LQ_OK && fine)
        status = lq_nail_find(detector->finder, picture, fine, 1, &job->nails, err);
    return status;
}

// In the first frame of a video that shows nails, the network also looks closer at them, so that
// their first outlines are already good.
static int look_closer(struct lq_detector *detector, struct lq_job *job,
                       const struct lq_image *picture, const struct lq_first_pass *found,
                       uint64_t *since_us, struct lq_error *err)
{
    const struct lq_patch *fine;
    struct further_passes closer;
    if (!job->tracker || !job->smooth || lq_tracker_shows(job->tracker, picture, job->time_us))
        return LQ_OK;
    begin_passes(&closer, detector, job, since_us);
    int status = lq_multiscale_closer(detector->multiscale, picture, found, &closer.passes, &fine,
                                      err);
    job->passes += closer.passes.count;
    if (status == LQ_ERR_TIMEOUT) // what the first pass found is still good
        return LQ_OK;
    detector->closer = status == LQ_OK && fine;
    if (detector->closer)
        status = lq_nail_find(detector->finder, picture, fine, 1, &job->nails, err);
    return status;
}

struct hand_pause {
    struct lq_job *job;
    uint64_t *since_us;
};

static void pause_search(void *context)
{
    struct hand_pause *pause = context;
    lq_job_pause(pause->job, pause->since_us);
}

// Looks closer at the fingertips of a still on which no nail was found.
static int search_fingertips(struct lq_detector *detector, struct lq_job *job,
                             const struct lq_image *picture, uint64_t *since_us,
                             struct lq_error *err)
{
    struct further_passes still;
    begin_passes(&still, detector, job, since_us);
    const struct lq_fingertips_job search = {picture, detector->hands, &detector->with_hands,
                                             &still.passes};
    int status = lq_fingertips_search(detector->fingertips, &search, err);
    job->passes += still.passes.count;
    return status;
}

// A frame that shows its hands in part: none is due.
static void pass_hands(struct lq_detector *detector, const struct lq_job *job)
{
    lq_hand_memory_pass(lq_tracker_hands(job->tracker), job->time_us);
    for (int i = 0; i < detector->with_hands.count; i++)
        detector->with_hands.items[i].awaits_hand = true; // another frame can say more
}

// Estimates each nail's direction and finger from the hand that it is on. In a still with the
// multi-scale pass, the hands also show where nails are missing.
static int find_hands(struct lq_detector *detector, struct lq_job *job,
                      const struct lq_image *picture, uint64_t *since_us, struct lq_error *err)
{
    struct hand_pause pause = {job, since_us};
    const struct lq_hand_limits limits = {job->deadline_us, pause_search, &pause};
    detector->with_hands = *job->nails;
    job->nails = &detector->with_hands;
    if (job->is_part || detector->in_turn) {
        pass_hands(detector, job);
        return LQ_OK;
    }
    if (job->tracker)
        return lq_hand_follow(detector->hands, lq_tracker_hands(job->tracker), picture,
                              &detector->with_hands, job->time_us, err);
    int status = lq_hand_estimate(detector->hands, picture, &detector->with_hands, &limits, err);
    if (status == LQ_OK && job->multiscale && detector->maps)
        status = search_fingertips(detector, job, picture, since_us, err);
    return status;
}

// Whether a frame of a video is to be searched for hands: it must show all nails then.
static bool hands_are_due(const struct lq_detector *detector, const struct lq_job *job)
{
    return job->hands && detector->hands && job->tracker &&
           lq_hand_memory_is_due(lq_tracker_hands(job->tracker), job->time_us);
}

// In every other frame of a video the network may run on the region of interest around the last
// nails: small nails get more grid points, and the tracker blends the outlines of both scales. Only
// for heads that return a map of probabilities, which does not depend on the scale.
static enum lq_region_kind choose_region(const struct lq_detector *detector,
                                         const struct lq_job *job, const struct lq_image *picture,
                                         struct lq_pixel_box *box)
{
    if (!job->tracker || !job->smooth || !detector->maps)
        return LQ_REGION_NONE;
    struct lq_pixel_box region;
    enum lq_region_kind kind = lq_tracker_region(job->tracker, picture, job->time_us, &region);
    if (kind == LQ_REGION_NONE || (kind == LQ_REGION_TURN && hands_are_due(detector, job)))
        return LQ_REGION_NONE;
    *box = region;
    return kind;
}

static void widen_stretch(int *from, int *length, int margin, int limit)
{
    int end = *from + *length + margin;
    *from = *from > margin ? *from - margin : 0;
    *length = (end < limit ? end : limit) - *from;
}

bool lq_detector_choose_part(struct lq_detector *detector, const struct lq_job *job, int width,
                             int height, struct lq_pixel_box *part)
{
    const struct lq_image picture = {.width = width, .height = height};
    int margin = (int)(PART_MARGIN * (float)(width > height ? width : height));
    if (hands_are_due(detector, job) ||
        choose_region(detector, job, &picture, &detector->region) != LQ_REGION_ALL)
        return false; // the picture must show all nails
    *part = detector->region;
    widen_stretch(&part->x, &part->width, margin, width);
    widen_stretch(&part->y, &part->height, margin, height);
    return true;
}

// If the frame was decoded in part, the network must run on that region, even if the tracker would
// choose another one by now.
static bool get_region(struct lq_detector *detector, const struct lq_job *job,
                       const struct lq_image *picture, struct lq_pixel_box *box)
{
    detector->in_turn = detector->closer = false;
    if (job->is_part) {
        *box = detector->region;
        return true;
    }
    enum lq_region_kind kind = choose_region(detector, job, picture, box);
    detector->in_turn = kind == LQ_REGION_TURN;
    return kind != LQ_REGION_NONE;
}

static int find_in_region(struct lq_detector *detector, struct lq_job *job,
                          const struct lq_image *picture, const struct lq_patch *patch,
                          const struct lq_pixel_box *box, struct lq_error *err)
{
    struct lq_patch placed = *patch;
    lq_patch_place(&placed, box);
    return lq_nail_find(detector->finder, picture, &placed, 1, &job->nails, err);
}

int lq_detector_run(struct lq_detector *detector, struct lq_job *job,
                    const struct lq_image *picture, uint64_t *since_us, struct lq_error *err)
{
    const struct lq_patch *patches;
    struct lq_pixel_box box = {0, 0, picture->width, picture->height};
    int patch_count;
    int status = propagate_nails(detector, job, picture, since_us, err);
    bool region = status == LQ_OK && !job->propagated && get_region(detector, job, picture, &box);
    struct lq_image part = lq_image_part(picture, &box);
    if (status == LQ_OK && !job->propagated)
        status = lq_runner_prepare(detector->runner, &part, job->exclusive, err);
    if (status != LQ_OK || job->propagated)
        return status;
    lq_stage_done(job, LQ_STAGE_PREPARE, since_us);
    if (job->deadline_us && *since_us >= job->deadline_us)
        return lq_fail(err, LQ_ERR_TIMEOUT, "the frame is too old to be processed");
    job->passes = 1;
    status = lq_runner_infer(detector->runner, job->deadline_us, err);
    if (status != LQ_OK)
        return status;
    lq_stage_done(job, LQ_STAGE_INFER, since_us);
    status = lq_runner_patches(detector->runner, &patches, &patch_count, err);
    if (status == LQ_OK)
        status = region ? find_in_region(detector, job, picture, patches, &box, err)
                        : lq_nail_find(detector->finder, picture, patches, patch_count, &job->nails,
                                       err);
    const struct lq_first_pass found = {patches, patch_count, job->nails};
    if (status == LQ_OK && job->multiscale && !job->tracker)
        status = add_multiscale_pass(detector, job, picture, &found, since_us, err);
    else if (status == LQ_OK && !region)
        status = look_closer(detector, job, picture, &found, since_us, err);
    if (status == LQ_OK && job->hands && detector->hands)
        status = find_hands(detector, job, picture, since_us, err);
    if (status == LQ_OK && job->tracker)
        status = track(detector, job, picture, detector->closer || region ? &box : NULL, err);
    if (status == LQ_OK)
        lq_stage_done(job, LQ_STAGE_NAILS, since_us);
    return status;
}
