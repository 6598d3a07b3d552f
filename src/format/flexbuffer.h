// Reads the options of custom operators: a FlexBuffer whose root is a map from names to numbers.
// Threads: any. Owner: the caller owns the bytes. Errors: damaged data reads as absent.
// Source: the public description of FlexBuffers; flexbuffer.c explains the bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Reads a key's number (or boolean, as 0 or 1); false if there is none.
bool lq_flex_number(const uint8_t *data, size_t len, const char *key, double *value);
