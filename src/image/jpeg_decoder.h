// libjpeg's decoder and the state its callbacks need, shared by jpeg_read.c and jpeg_repaint.c.
// Threads: one owner. Owner: lq_jpeg_read fills it in; whoever keeps it releases it.
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h> // jpeglib.h wants it

#include <jpeglib.h>

struct lq_jpeg_read;

// libjpeg's callbacks receive only `err` or `src` of this struct.
struct lq_jpeg_decoder {
    struct jpeg_decompress_struct lib;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct lq_jpeg_read *read; // set while pixels are read
    bool damaged;
    bool kept;                 // it holds a whole picture's coefficients
    jmp_buf failed;            // where errors jump to; set before each use
};

void lq_jpeg_decoder_release(struct lq_jpeg_decoder *decoder);
