// The options of custom operators: a FlexBuffer whose root is a map from names to numbers.
// Threads: any. Owner: the bytes are the caller's. Errors: damage reads as "not there".
// Source: the public description of FlexBuffers; flexbuffer.c explains its bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The number (or truth, as 0 or 1) of a key; false when there is none.
bool lq_flex_number(const uint8_t *data, size_t len, const char *key, double *value);
