// JSON texts read with libjansson, also when memory runs out in the middle of one. jansson 2.14 does not
// look whether its token's buffer grew: a byte is lost, and it reads and writes past the end of it.
// Threads: any. Owner: the value is the caller's, json_decref it.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

// As json_loadb. NULL: not JSON, and `where` (not NULL) says why; or memory ran out.
json_t *lq_json_parse(const void *text, size_t len, size_t flags, json_error_t *where);

// Whether that was for memory.
bool lq_json_ran_out(const json_error_t *where);
