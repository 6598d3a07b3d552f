// Checks whether a device computes the same as the processor: test pictures are run through a
// session before it is used. A GPU that computes in half precision differs a little; one that
// replays an outdated graph or splits a batch wrongly differs a lot.
// Private to this layer. Threads: one per slot. Owner: nothing is kept.
#pragma once

#include "engine/engine.h"

enum { LQ_ORT_PICTURES = 2 }; // number of test pictures

// Fills part `part` of `parts` of input 0 with test picture number `picture`.
void lq_ort_draw(const struct lq_tensors *tensors, int part, int parts, int picture);

// How far part `part` of `parts` of all outputs is from `others`, a run of one part: the root mean
// square of the difference divided by that of the others; probabilities are compared as logits. 0
// means equal; HUGE_VAL if sizes differ or a value is NaN or infinite.
double lq_ort_distance(const struct lq_tensors *tensors, int part, int parts,
                       const struct lq_tensors *others);
