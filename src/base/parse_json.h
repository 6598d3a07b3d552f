// Parses JSON into libjansson's values and prints it, safely even when memory runs out midway.
// Why we do not use jansson's parser: version 2.14 does not check whether its token buffer grew,
// and then reads and writes past its end. Fixing that through an allocator of ours
// (json_set_alloc_funcs) would replace the allocator of any program that uses both liblacquer and
// jansson.
// Threads: any. Owner: the caller owns the value and calls json_decref.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

// As json_loadb with JSON_REJECT_DUPLICATES, JSON_DECODE_ANY and JSON_DISABLE_EOF_CHECK, or without
// flags. Returns NULL if the text is not JSON or memory ran out; `where` (not NULL) says which and
// where.
json_t *lq_json_parse(const void *text, size_t len, size_t flags, json_error_t *where);

// Whether parsing failed because memory ran out.
bool lq_json_ran_out(const json_error_t *where);

// Appends the value as text (flags as for json_dumps). json_dumps itself would return text that
// only the program's own jansson allocator can free. False: there is no value, or the buffer's
// limit or memory is exhausted.
LQ_MUST_CHECK bool lq_json_print(const json_t *value, size_t flags, struct lq_buf *text);
