// A second, closer look at a still picture. A network sees the whole picture in a few hundred
// pixels; a nail that is small in it gets a dozen of them. Once the nails are known, the network
// looks again at the whole and through windows around the nails (window.h), at each straight and in a
// mirror, and all of it becomes one fine map. A hand costs some five to seven inferences more.
// Threads and owner: as of lq_pipe; memory grows with the first still and is then kept.
#pragma once

#include "nail/nail.h"

struct lq_closer;

LQ_MUST_CHECK int lq_closer_new(struct lq_closer **closer);
void lq_closer_free(struct lq_closer *closer);

// How the network is run for it, and what came of that.
struct lq_passes {
    uint64_t deadline_us;        // as lq_runner_infer
    bool alone;                  // as lq_runner_prepare; may change at a pause
    void (*pause)(void *context); // called before each pass; NULL: no pauses. Other pipes of the
                                  // same thread may be run meanwhile
    void *context;
    int count;                   // passes so far
};

// *fine: the map of all looks, in the closer until its next call; NULL where there is nothing to look
// at again: no nails, or a head that gives each nail its own patch.
// patches, patch_count: the runner's, from the first look, and nails what was found in them. The
// runner is run again, so they are gone afterwards. TIMEOUT: passes->deadline_us is over.
LQ_MUST_CHECK int lq_closer_look(struct lq_closer *closer, struct lq_runner *runner,
                                 const struct lq_image *picture, const struct lq_patch *patches,
                                 int patch_count, const struct lq_nails *nails,
                                 struct lq_passes *passes, const struct lq_patch **fine,
                                 struct lq_error *err);
