// Small string predicates. Threads: any. Owner: nothing is kept.
#pragma once

#include <stdbool.h>
#include <string.h>
#include <strings.h>

// Whether `text` ends with `ending`, case-sensitive.
static inline bool lq_ends_with(const char *text, const char *ending)
{
    size_t len = strlen(text), ending_len = strlen(ending);
    return len >= ending_len && strcmp(text + len - ending_len, ending) == 0;
}

// The same, ignoring case, as for file names.
static inline bool lq_ends_with_any_case(const char *text, const char *ending)
{
    size_t len = strlen(text), ending_len = strlen(ending);
    return len >= ending_len && strcasecmp(text + len - ending_len, ending) == 0;
}
