// The catalogue as JSON: `lacquer looks --json` and GET /api/looks (docs/LOOKS.md, "The list").
// Threads: any. Owner: the caller, who calls json_decref.
#pragma once

#include <jansson.h>

#include "paint/catalogue.h"

// NULL if out of memory.
json_t *lq_catalogue_write(const struct lq_catalogue *catalogue);
