#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct status_row {
    const char *name, *text;
    int http, ws_close;
} rows[LQ_STATUS_COUNT] = {
    {"OK", "ok", 200, 1000},
#define X(name, text, http, close) {#name, text, http, close},
    LQ_STATUS_MAP(X)
#undef X
};

static const struct status_row *row_of(int status)
{
    int index = -status;
    if (index < 0 || index >= LQ_STATUS_COUNT)
        index = LQ_STATUS_ENGINE_INDEX;
    return &rows[index];
}

// Length of the character at `at`, or 0 if it is not well-formed UTF-8 (Unicode, table 3-7).
static size_t char_len(const unsigned char *at)
{
    static const struct {
        unsigned char first, last, low, high; // range of the first byte, and of the second
        size_t len;
    } forms[] = {{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
                 {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
                 {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
                 {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    if (at[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last)
            continue;
        bool good = at[1] >= forms[i].low && at[1] <= forms[i].high;
        for (size_t j = 2; j < forms[i].len && good; j++)
            good = (at[j] & 0xc0) == 0x80;
        return good ? forms[i].len : 0;
    }
    return 0;
}

// A message may quote untrusted text and be cut anywhere. Keep it one printable line of valid
// UTF-8, since JSON requires that.
static void keep_one_line(char *text)
{
    unsigned char *at = (unsigned char *)text;
    while (*at) {
        size_t len = char_len(at);
        bool control = at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0);
        if (len > 0 && control)
            memset(at, ' ', len);
        else if (len == 0)
            *at = '?';
        at += len > 0 ? len : 1;
    }
}

int lq_fail(struct lq_error *err, int status, const char *format, ...)
{
    if (!err)
        return status;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    keep_one_line(err->text);
    err->status = status;
    return status;
}

int lq_fail_within(struct lq_error *err, const char *format, ...)
{
    if (!err)
        return LQ_ERR_ENGINE;
    char head[sizeof err->text], tail[sizeof err->text];
    va_list args;
    va_start(args, format);
    vsnprintf(head, sizeof head, format, args);
    va_end(args);
    memcpy(tail, err->text, sizeof tail);
    return lq_fail(err, err->status, "%.150s: %.600s", head, tail);
}

const char *lq_status_name(int status)
{
    return row_of(status)->name;
}

const char *lq_status_text(int status)
{
    return row_of(status)->text;
}

int lq_status_http(int status)
{
    return row_of(status)->http;
}

int lq_status_ws_close(int status)
{
    return row_of(status)->ws_close;
}
