#include "base/error.h"

#include <stdarg.h>
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

// A message may quote what a stranger sent; it must stay one printable line.
static void keep_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
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
    return lq_fail(err, err->status, "%.100s: %.150s", head, tail);
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
