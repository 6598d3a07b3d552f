// Records of a CSV text (RFC 4180) as spreadsheets and shops write it: by comma, semicolon or tab,
// CRLF or LF or CR, quoted or not, with or without a byte order mark, in UTF-8 or Windows-1252.
// Threads: one owner at a time. Owner: init/release by the caller; a record's fields live until the
// next one is read.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum { LQ_CSV_FIELDS_MAX = 512 };

struct lq_csv {
    const uint8_t *start, *at, *end;
    char delimiter;
    bool windows;       // the text is Windows-1252; fields are UTF-8 all the same
    int next_line;      // where `at` is, counted from 1
    // Of the record read last:
    int line;           // where it begins
    int count;
    char *fields[LQ_CSV_FIELDS_MAX];
    size_t offsets[LQ_CSV_FIELDS_MAX];
    struct lq_buf text;
};

// Borrows the bytes. FORMAT: it is UTF-16.
LQ_MUST_CHECK int lq_csv_init(struct lq_csv *csv, const void *bytes, size_t len,
                              struct lq_error *err);
void lq_csv_release(struct lq_csv *csv);

// Reads the next record that is not empty: 1, or 0 at the end. Negative: this one cannot be read
// and csv->line says where it begins; reading goes on with the next line. MEMORY ends it.
LQ_MUST_CHECK int lq_csv_next(struct lq_csv *csv, struct lq_error *err);
