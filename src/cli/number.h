// Parses numbers in options: plain decimal numbers with nothing around them.
// Threads: the main one, while options are read; no state.
#pragma once

#include <argp.h>
#include <stdbool.h>

// Reads decimal digits as an integer in [low, high]: no fraction, exponent, space, or sign except
// '-'.
bool lq_cli_read_integer(const char *text, long low, long high, long *value);

// The same; on failure exits with an argp usage error that names the option and the range.
long lq_cli_integer(struct argp_state *state, const char *option, const char *text, long low,
                    long high);

// Reads a decimal number in [low, high]; on failure exits with an argp usage error likewise.
double lq_cli_number(struct argp_state *state, const char *option, const char *text, double low,
                     double high);
