// cmocka with the headers that it needs, and helpers for all unit tests.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_ok(expression) assert_int_equal((expression), 0)

// A repeatable stream of numbers for test pictures (xorshift32; Marsaglia 2003).
static inline uint32_t unit_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}
