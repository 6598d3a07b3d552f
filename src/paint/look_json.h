// Looks in JSON: the schema of docs/LOOKS.md, read strictly. Every key is checked, and an error
// names the path of the key that is wrong ("fingers.ring.finish.size must be …").
// Threads: any. Owner: the caller's.
#pragma once

#include <jansson.h>

#include "paint/catalogue.h"
#include "paint/look.h"

// Reads one look. What it leaves out is as in lq_look_default(). Shade and pattern names are looked
// up in the catalogue (NULL: there are none). On failure *look is unchanged.
LQ_MUST_CHECK int lq_look_read(struct lq_look *look, const json_t *object,
                               const struct lq_catalogue *catalogue, struct lq_error *err);

// A name in the catalogue, or an object.
LQ_MUST_CHECK int lq_look_read_any(struct lq_look *look, const json_t *value,
                                   const struct lq_catalogue *catalogue, struct lq_error *err);

// The look with every number written out and colours as #rrggbb, as lq_look_read would take it.
// NULL when memory runs out. The caller's to json_decref.
json_t *lq_look_write(const struct lq_look *look);
