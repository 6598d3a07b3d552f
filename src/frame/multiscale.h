// The multi-scale pass over a still picture. The network's input is a few hundred pixels wide, so a
// nail that is small in the picture covers a dozen of them. After the first pass has found the
// nails, the network runs again on the whole picture mirrored and on windows around the nails
// (window.h), each straight and mirrored, and the results are merged into one map of finer
// resolution. A hand costs about five to seven more runs. Threads and owner: as of lq_pipe; memory
// grows with the first still and is then kept.
#pragma once

#include "nail/nail.h"

struct lq_multiscale;

LQ_MUST_CHECK int lq_multiscale_new(struct lq_multiscale **multiscale);
void lq_multiscale_free(struct lq_multiscale *multiscale);

// What the first pass over the whole picture gave.
struct lq_first_pass {
    const struct lq_patch *patches; // the runner's
    int patch_count;
    const struct lq_nails *nails;   // found in them
};

// How the network is run again; `count` is filled in.
struct lq_passes {
    struct lq_runner *runner;
    uint64_t deadline_us;         // as for lq_runner_infer
    bool exclusive;               // as for lq_runner_prepare; `pause` may change it
    void (*pause)(void *context); // called before each pass; NULL: no pauses. Other pipes of the
                                  // same thread may be run meanwhile
    void *context;
    int count; // runs so far
};

// *fine gets the merged map, which `multiscale` owns until its next call, or NULL where a further
// pass would add nothing: no nails, or a head that gives each nail its own patch.
// Running the network again overwrites what `found` points to. TIMEOUT: passes->deadline_us has
// passed.
LQ_MUST_CHECK int lq_multiscale_detect(struct lq_multiscale *multiscale,
                                       const struct lq_image *picture,
                                       const struct lq_first_pass *found,
                                       struct lq_passes *passes, const struct lq_patch **fine,
                                       struct lq_error *err);
