// Small questions about text. Threads: any. Owner: none, nothing is kept.
#pragma once

#include <stdbool.h>
#include <string.h>
#include <strings.h>

// Whether `text` ends in `ending`, letter case and all.
static inline bool lq_ends_with(const char *text, const char *ending)
{
    size_t len = strlen(text), ending_len = strlen(ending);
    return len >= ending_len && strcmp(text + len - ending_len, ending) == 0;
}

// The same in any letter case, as names of files are told apart.
static inline bool lq_ends_with_any_case(const char *text, const char *ending)
{
    size_t len = strlen(text), ending_len = strlen(ending);
    return len >= ending_len && strcasecmp(text + len - ending_len, ending) == 0;
}
