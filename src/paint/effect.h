// The effect of a finish on the polish under the top coat: flakes, pearl, metal, mirror, magnetic
// band, sand. docs/LOOKS.md, "Effects".
// Threads: any. Owner: plain data.
#pragma once

#include "paint/finish.h"

// Adds the coat's effect to row->painted, which holds the body of the polish. Reads the surface,
// its light (body) and how much of the effect shows (seen).
void lq_effect_apply(const struct lq_coat *coat, const struct lq_polish_row *row);
