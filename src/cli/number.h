// Numbers as options are given them: plain decimal ones, with nothing around them.
// Threads: the main one, while options are read; no state.
#pragma once

#include <argp.h>
#include <stdbool.h>

// A whole number of decimal digits in [low, high]: no fraction, exponent, sign but '-', or space.
bool lq_cli_read_integer(const char *text, long low, long high, long *value);

// The same, or an argp usage error that names the option and the range.
long lq_cli_integer(struct argp_state *state, const char *option, const char *text, long low,
                    long high);

// A decimal number in [low, high], or an argp usage error that names the option and the range.
double lq_cli_number(struct argp_state *state, const char *option, const char *text, double low,
                     double high);
