#include "base/trace.h"

#include <string.h>

enum { ID_AT = 3, ID_LEN = 32, SPAN_AT = 36, SPAN_LEN = 16, FLAGS_AT = 53, LEN = 55 };

static _Thread_local struct lq_trace current;

// Whether there are `len` lower-case hexadecimal digits, not all zero if `nonzero`.
static bool is_hex(const char *text, size_t len, bool nonzero)
{
    return strspn(text, "0123456789abcdef") >= len && (!nonzero || strspn(text, "0") < len);
}

bool lq_trace_parse(struct lq_trace *trace, const char *text)
{
    trace->parent[0] = 0;
    size_t len = strlen(text);
    bool later = len > LEN && text[LEN] == '-';
    if ((len != LEN && !later) || !is_hex(text, 2, false) || strncmp(text, "ff", 2) == 0 ||
        (later && strncmp(text, "00", 2) == 0))
        return false;
    if (text[ID_AT - 1] != '-' || text[SPAN_AT - 1] != '-' || text[FLAGS_AT - 1] != '-' ||
        !is_hex(text + ID_AT, ID_LEN, true) || !is_hex(text + SPAN_AT, SPAN_LEN, true) ||
        !is_hex(text + FLAGS_AT, 2, false))
        return false;
    memcpy(trace->parent, text, LEN);
    memcpy(trace->parent, "00", 2);
    trace->parent[LEN] = 0;
    return true;
}

void lq_trace_enter(const struct lq_trace *trace)
{
    if (trace)
        current = *trace;
    else
        current.parent[0] = 0;
}

const char *lq_trace_parent(void)
{
    return current.parent;
}

void lq_trace_id(char id[LQ_TRACE_ID_SIZE])
{
    size_t len = *current.parent ? ID_LEN : 0;
    memcpy(id, current.parent + ID_AT, len);
    id[len] = 0;
}
