// The multi-scale pass over a still picture. The network's input is a few hundred pixels wide, so a
// small nail covers only about a dozen of them. After the first pass has found the nails, the
// network runs again on the mirrored whole picture and on windows around the nails (window.h), each
// straight and mirrored. The results are merged into one map of finer resolution. This costs about
// five to seven more runs per hand.
// Threads and owner: as for lq_pipe; memory grows with the first still and is then kept.
#pragma once

#include "nail/nail.h"

struct lq_multiscale;

LQ_MUST_CHECK int lq_multiscale_new(struct lq_multiscale **multiscale);
void lq_multiscale_free(struct lq_multiscale *multiscale);

// The result of the first pass over the whole picture.
struct lq_first_pass {
    const struct lq_patch *patches; // owned by the runner
    int patch_count;
    const struct lq_nails *nails;   // found in them
};

// How to run the network again; the call sets `count`.
struct lq_passes {
    struct lq_runner *runner;
    uint64_t deadline_us;         // as for lq_runner_infer
    bool exclusive;               // as for lq_runner_prepare; `pause` may change it
    void (*pause)(void *context); // called before each pass; NULL: never. It may run other pipes of
                                  // the same thread
    void *context;
    int count; // runs so far
};

// Runs one pass; its result is the runner's patch 0, with the mirrored picture's turned back.
LQ_MUST_CHECK int lq_pass_run(struct lq_passes *passes, const struct lq_image *image, bool mirrored,
                              const struct lq_patch **patches, struct lq_error *err);

// *fine is set to the merged map, which `multiscale` owns until its next call, or to NULL if
// another pass would add nothing: no nails, or a head that returns a patch per nail. Running the
// network again overwrites what `found` points to. TIMEOUT: passes->deadline_us has passed.
LQ_MUST_CHECK int lq_multiscale_detect(struct lq_multiscale *multiscale,
                                       const struct lq_image *picture,
                                       const struct lq_first_pass *found,
                                       struct lq_passes *passes, const struct lq_patch **fine,
                                       struct lq_error *err);

// The same with one to three more passes, for a video's first frame: on the region around all nails
// (nail/region.h) or, if they are far apart, on up to three windows, or, if they are large, on the
// mirrored whole picture.
LQ_MUST_CHECK int lq_multiscale_closer(struct lq_multiscale *multiscale,
                                       const struct lq_image *picture,
                                       const struct lq_first_pass *found, struct lq_passes *passes,
                                       const struct lq_patch **fine, struct lq_error *err);
