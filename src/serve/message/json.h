// Parses JSON from clients with limits on depth and number of values, so that a body of brackets
// cannot grow to fifty times its size in memory.
// Threads: any. Owner: the caller releases the result (json_decref).
#pragma once

#include <jansson.h>

#include "base/error.h"

// SYNTAX: not JSON, or beyond LQ_JSON_DEPTH_MAX or LQ_JSON_VALUES_MAX.
LQ_MUST_CHECK int lq_json_read(json_t **root, const void *text, size_t len, struct lq_error *err);
