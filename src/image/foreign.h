// Recognises unsupported files by their first bytes, so that the error can name the format.
// Threads: any; no state.
#pragma once

#include "image/codec.h"

// Fails with FORMAT; the text names the file's format (or says that it is empty) and what to do.
int lq_picture_refuse(const uint8_t *bytes, size_t len, struct lq_error *err);
