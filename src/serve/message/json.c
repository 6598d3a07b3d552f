#include "serve/message/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/limits.h"
#include "base/parse_json.h"

// The position after the string whose contents begin at `at`; `end` if it is not closed. The
// picture is one long string without a backslash, so this must be fast.
static const char *skip_string(const char *at, const char *end)
{
    for (;;) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (!quote)
            return end;
        size_t slashes = 0;
        while (quote - slashes > at && quote[-(ptrdiff_t)slashes - 1] == '\\')
            slashes++;
        at = quote + 1;
        if (slashes % 2 == 0)
            return at;
    }
}

// Whether the text's depth and number of values are within limits. Each value but the first follows
// a comma, a colon or an opening bracket.
static bool is_modest(const char *at, const char *end)
{
    int depth = 0, values = 1;
    while (at < end) {
        char c = *at++;
        if (c == '"')
            at = skip_string(at, end);
        else if (c == '[' || c == '{')
            depth++, values++;
        else if (c == ']' || c == '}')
            depth--;
        else if (c == ',' || c == ':')
            values++;
        if (depth > LQ_JSON_DEPTH_MAX || values > LQ_JSON_VALUES_MAX)
            return false;
    }
    return true;
}

int lq_json_read(json_t **root, const void *text, size_t len, struct lq_error *err)
{
    json_error_t where;
    *root = NULL;
    if (len == 0)
        return lq_fail(err, LQ_ERR_SYNTAX, "not JSON: it is empty");
    if (!is_modest(text, (const char *)text + len))
        return lq_fail(err, LQ_ERR_SYNTAX, "JSON has more than %d levels or %d values",
                       LQ_JSON_DEPTH_MAX, LQ_JSON_VALUES_MAX);
    *root = lq_json_parse(text, len, 0, &where);
    if (!*root && lq_json_ran_out(&where))
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
    return *root ? LQ_OK : lq_fail(err, LQ_ERR_SYNTAX, "not JSON: %.120s", where.text);
}
