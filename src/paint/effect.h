// What a finish does to the body of the polish, under the top coat: flakes, pearl, metal, mirror,
// magnetic band, sand. docs/LOOKS.md, "Effects".
// Threads: any. Owner: plain data.
#pragma once

#include "paint/finish.h"

// Changes row->painted: the body in, the body with the coat's effect out. Reads the surface, its
// light (body) and how much of the effect shows (seen).
void lq_effect_apply(const struct lq_coat *coat, const struct lq_polish_row *row);
