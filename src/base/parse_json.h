// JSON texts into libjansson's values, and back, also when memory runs out in the middle of one.
// Read here and not by jansson: its 2.14 does not look whether its token's buffer grew, and then
// reads and writes past the end of it. Guarding that with an allocator of ours
// (json_set_alloc_funcs) would replace that of a program which uses liblacquer and jansson both.
// Threads: any. Owner: the value is the caller's, json_decref it.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

// As json_loadb with JSON_REJECT_DUPLICATES, JSON_DECODE_ANY and JSON_DISABLE_EOF_CHECK, or none of
// them. NULL: not JSON, and `where` (not NULL) says why; or memory ran out.
json_t *lq_json_parse(const void *text, size_t len, size_t flags, json_error_t *where);

// Whether that was for memory.
bool lq_json_ran_out(const json_error_t *where);

// Appends the value as text (flags as json_dumps). Its text would have to be freed by whatever
// allocator the program has given jansson. False: no value, or no room or memory for the text.
LQ_MUST_CHECK bool lq_json_print(const json_t *value, size_t flags, struct lq_buf *text);
