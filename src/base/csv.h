// Reads CSV (RFC 4180) as spreadsheets and shops write it: separated by comma, semicolon or tab;
// lines ended by CRLF, LF or CR; quoted or not; with or without a byte order mark; in UTF-8 or
// Windows-1252.
// Threads: one owner at a time. Owner: init/release by the caller; a record's fields are valid
// until the next record is read.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum { LQ_CSV_FIELDS_MAX = 512 };

struct lq_csv {
    const uint8_t *start, *at, *end;
    char delimiter;
    bool windows;       // the text is Windows-1252; fields are converted to UTF-8
    int next_line;      // line number of `at`, counted from 1
    // Of the last record read:
    int line;           // line number at which it begins
    int count;
    char *fields[LQ_CSV_FIELDS_MAX];
    size_t offsets[LQ_CSV_FIELDS_MAX];
    struct lq_buf text;
};

// Borrows the bytes. Fails with FORMAT for UTF-16.
LQ_MUST_CHECK int lq_csv_init(struct lq_csv *csv, const void *bytes, size_t len,
                              struct lq_error *err);
void lq_csv_release(struct lq_csv *csv);

// Reads the next record that is not empty. Returns 1, or 0 at the end. Negative: this record cannot
// be read, csv->line is the line where it begins, and the next call continues with the line after
// it. After MEMORY, stop reading.
LQ_MUST_CHECK int lq_csv_next(struct lq_csv *csv, struct lq_error *err);
