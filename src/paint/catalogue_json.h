// The catalogue as JSON: `lacquer looks --json` and GET /api/looks (docs/LOOKS.md, "The list").
// Threads: any. Owner: the caller's to json_decref.
#pragma once

#include <jansson.h>

#include "paint/catalogue.h"

// NULL when memory runs out.
json_t *lq_catalogue_write(const struct lq_catalogue *catalogue);
