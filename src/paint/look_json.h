// Looks in JSON: reads the schema of docs/LOOKS.md strictly. Every key is checked, and an error
// names the path of the wrong key ("fingers.ring.finish.size must be …").
// Threads: any. Owner: the caller.
#pragma once

#include <jansson.h>

#include "paint/catalogue.h"
#include "paint/look.h"

// Reads one look. Missing values are taken from lq_look_default(). Names of swatches and patterns
// are looked up in the catalogue (NULL: there are none). On failure *look is unchanged.
LQ_MUST_CHECK int lq_look_read(struct lq_look *look, const json_t *object,
                               const struct lq_catalogue *catalogue, struct lq_error *err);

// Reads the name of a look in the catalogue, or an object.
LQ_MUST_CHECK int lq_look_read_any(struct lq_look *look, const json_t *value,
                                   const struct lq_catalogue *catalogue, struct lq_error *err);

// Writes a look with every number, and colours as #rrggbb, so that lq_look_read accepts it. NULL if
// out of memory. The caller calls json_decref.
json_t *lq_look_write(const struct lq_look *look);
