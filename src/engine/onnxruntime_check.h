// Whether a device answers as the processor does: pictures are shown to a session before its use.
// A GPU that computes in halves differs a little; one that plays an old graph, or splits a batch
// wrongly, by much.
// Inside this layer only. Threads: one a slot. Owner: nothing is kept.
#pragma once

#include "engine/engine.h"

enum { LQ_ORT_PICTURES = 2 }; // test pictures, from 0

// Fills part `part` of `parts` of input 0 with a test picture.
void lq_ort_draw(const struct lq_tensors *tensors, int part, int parts, int picture);

// How far part `part` of `parts` of all outputs is from part 0 of 1 of others: the root of the mean
// square, beside that of the others, of probabilities that of their logits; 0 is equal. HUGE_VAL
// where sizes differ or a number is none.
double lq_ort_distance(const struct lq_tensors *tensors, int part, int parts,
                       const struct lq_tensors *others);
