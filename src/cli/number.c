#include "cli/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool lq_cli_read_integer(const char *text, long low, long high, long *value)
{
    const char *digits = text + (*text == '-');
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return false;
    errno = 0;
    *value = strtol(text, NULL, 10);
    return errno == 0 && *value >= low && *value <= high;
}

long lq_cli_integer(struct argp_state *state, const char *option, const char *text, long low,
                    long high)
{
    long value = low;
    if (!lq_cli_read_integer(text, low, high, &value))
        argp_error(state, "--%s wants a whole number from %ld to %ld, not '%s'", option, low, high,
                   text);
    return value;
}

// strtod alone would also accept leading spaces, hexadecimal digits and words such as "inf".
double lq_cli_number(struct argp_state *state, const char *option, const char *text, double low,
                     double high)
{
    char *end = NULL;
    double value = low;
    bool plain = *text && text[strspn(text, "0123456789.eE-")] == '\0';
    errno = 0;
    if (plain)
        value = strtod(text, &end);
    if (!plain || errno || end == text || *end || !isfinite(value) || value < low || value > high)
        argp_error(state, "--%s wants a number from %g to %g, not '%s'", option, low, high, text);
    return value;
}
