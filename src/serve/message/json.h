// JSON from strangers: no deeper and of no more values than any message of ours, so that a body of
// brackets cannot grow to fifty times its size in memory.
// Threads: any. Owner: the caller releases what is read (json_decref).
#pragma once

#include <jansson.h>

#include "base/error.h"

// SYNTAX when the text is no JSON, or beyond LQ_JSON_DEPTH_MAX or LQ_JSON_VALUES_MAX.
LQ_MUST_CHECK int lq_json_read(json_t **root, const void *text, size_t len, struct lq_error *err);
