// What a file is that is no picture we take, by its first bytes, so that whoever sends it is told.
// Threads: any; no state.
#pragma once

#include "image/codec.h"

// Fails with FORMAT and names the file's kind (or that it is empty) and what to do.
int lq_picture_refuse(const uint8_t *bytes, size_t len, struct lq_error *err);
