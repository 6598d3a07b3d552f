// libjpeg's decoder with what its callbacks need, for jpeg_read.c and jpeg_repaint.c alone.
// Threads: one owner. Owner: lq_jpeg_read fills it in; release by who keeps it.
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h> // jpeglib.h wants it

#include <jpeglib.h>

struct lq_jpeg_read;

// Callbacks are given its `err` or `src` alone.
struct lq_jpeg_decoder {
    struct jpeg_decompress_struct lib;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct lq_jpeg_read *read; // while pixels are read
    bool damaged;
    bool kept;                 // it holds a whole picture's coefficients
    jmp_buf failed;            // where errors go; set before each use
};

void lq_jpeg_decoder_release(struct lq_jpeg_decoder *decoder);
