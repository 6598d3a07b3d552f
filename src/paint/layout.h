// Which colour lies where on a nail: ombre, French tip, nail art. docs/LOOKS.md, "Layout".
// Threads: any. Owner: the caller supplies all memory.
#pragma once

#include "paint/finish.h"

// Sets the row's pigment, hide and seen.
void lq_layout_row(const struct lq_coat *coat, const struct lq_polish_row *row);
