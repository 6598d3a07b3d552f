#include "base/csv.h"

#include <string.h>

#include "base/utf8.h"

// ---- encoding ----------------------------------------------------------------------------------

// Windows-1252 from 0x80 to 0x9f; 0 where it is undefined.
static const uint16_t windows[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

static int append_windows(struct lq_buf *text, uint8_t byte)
{
    unsigned code = byte < 0xa0 ? windows[byte - 0x80] : byte;
    if (!code)
        code = 0xfffd;
    const uint8_t utf8[3] = {(uint8_t)(0xe0 | code >> 12), (uint8_t)(0x80 | (code >> 6 & 0x3f)),
                             (uint8_t)(0x80 | (code & 0x3f))};
    const uint8_t two[2] = {(uint8_t)(0xc0 | code >> 6), utf8[2]};
    return code < 0x800 ? lq_buf_append(text, two, 2) : lq_buf_append(text, utf8, 3);
}

static int append(struct lq_csv *csv, uint8_t byte)
{
    return csv->windows && byte >= 0x80 ? append_windows(&csv->text, byte)
                                        : lq_buf_append(&csv->text, &byte, 1);
}

// ---- start -------------------------------------------------------------------------------------

// The most frequent delimiter in the first line, outside quotes.
static char find_delimiter(const uint8_t *at, const uint8_t *end)
{
    static const char set[] = ",;\t";
    int counts[3] = {0};
    bool quoted = false;
    for (; at < end && (quoted || (*at != '\n' && *at != '\r')); at++) {
        quoted ^= *at == '"';
        for (int i = 0; i < 3 && !quoted; i++)
            counts[i] += *at == set[i];
    }
    int best = counts[1] > counts[0] ? 1 : 0;
    return set[counts[2] > counts[best] ? 2 : best];
}

int lq_csv_init(struct lq_csv *csv, const void *bytes, size_t len, struct lq_error *err)
{
    *csv = (struct lq_csv){.start = bytes, .at = bytes, .next_line = 1};
    csv->end = csv->start + len;
    // A character of Windows-1252 takes at most three bytes in UTF-8, and each field a NUL.
    lq_buf_init(&csv->text, 3 * len + LQ_CSV_FIELDS_MAX);
    if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return lq_fail(err, LQ_ERR_FORMAT, "it is UTF-16, save it as CSV UTF-8");
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        csv->at += 3;
    csv->windows = !lq_utf8_is_text(csv->at, (size_t)(csv->end - csv->at));
    csv->delimiter = find_delimiter(csv->at, csv->end);
    return LQ_OK;
}

void lq_csv_release(struct lq_csv *csv)
{
    lq_buf_release(&csv->text);
}

// ---- records -----------------------------------------------------------------------------------

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

// Skips one line end; CRLF counts as one.
static void skip_line_end(struct lq_csv *csv)
{
    if (csv->at < csv->end && *csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n')
        csv->at++;
    if (csv->at < csv->end) {
        csv->at++;
        csv->next_line++;
    }
}

// Skips the line that begins at `from`, whatever it contains.
static void skip_line(struct lq_csv *csv, const uint8_t *from, int line)
{
    csv->at = from;
    csv->next_line = line;
    while (csv->at < csv->end && !is_line_end(*csv->at))
        csv->at++;
    skip_line_end(csv);
}

// Reads from the opening quote to the closing one; false if there is none.
static bool read_quoted(struct lq_csv *csv, int *status)
{
    csv->at++;
    while (csv->at < csv->end && *status == LQ_OK) {
        uint8_t byte = *csv->at++;
        bool more = csv->at < csv->end;
        if (byte == '"' && !(more && *csv->at == '"'))
            return true;
        if (byte == '"')
            csv->at++; // a doubled quote stands for one
        csv->next_line += is_line_end(byte) && !(byte == '\r' && more && *csv->at == '\n');
        *status = append(csv, byte);
    }
    return false;
}

static int read_field(struct lq_csv *csv, bool *closed)
{
    int status = LQ_OK;
    *closed = csv->at >= csv->end || *csv->at != '"' || read_quoted(csv, &status);
    // Text after a closing quote is part of the field, as in spreadsheets.
    while (status == LQ_OK && csv->at < csv->end && *csv->at != (uint8_t)csv->delimiter &&
           !is_line_end(*csv->at))
        status = append(csv, *csv->at++);
    return status == LQ_OK ? append(csv, 0) : status;
}

static int refuse(struct lq_csv *csv, const uint8_t *from, const char *why, struct lq_error *err)
{
    skip_line(csv, from, csv->line);
    return lq_fail(err, LQ_ERR_SYNTAX, "%s", why);
}

static int read_record(struct lq_csv *csv, struct lq_error *err)
{
    const uint8_t *from = csv->at;
    csv->line = csv->next_line;
    csv->count = 0;
    lq_buf_clear(&csv->text);
    for (;;) {
        bool closed;
        if (csv->count == LQ_CSV_FIELDS_MAX)
            return refuse(csv, from, "it has more than 512 columns", err);
        csv->offsets[csv->count++] = csv->text.len;
        if (read_field(csv, &closed) != LQ_OK)
            return lq_fail(err, LQ_ERR_MEMORY, "out of memory");
        if (!closed)
            return refuse(csv, from, "a quote is opened and never closed", err);
        if (csv->at >= csv->end || is_line_end(*csv->at))
            break;
        csv->at++;
    }
    skip_line_end(csv);
    for (int i = 0; i < csv->count; i++)
        csv->fields[i] = (char *)csv->text.data + csv->offsets[i];
    if (memchr(from, 0, (size_t)(csv->at - from)))
        return lq_fail(err, LQ_ERR_SYNTAX, "it contains a zero byte, so it is not text");
    return 1;
}

static bool is_empty(const struct lq_csv *csv)
{
    for (int i = 0; i < csv->count; i++)
        if (csv->fields[i][strspn(csv->fields[i], " \t\r\n")])
            return false;
    return true;
}

int lq_csv_next(struct lq_csv *csv, struct lq_error *err)
{
    while (csv->at < csv->end) {
        int status = read_record(csv, err);
        if (status != 1 || !is_empty(csv))
            return status;
    }
    return 0;
}
