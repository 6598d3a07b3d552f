// The address of a server to measure.
// Threads: any. Owner: plain values.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct lq_url {
    char host[256]; // without the brackets of an IPv6 address
    int port;
};

// Parses "http://host[:port][/]", with [brackets] around an IPv6 address. Anything else: ARGUMENT.
LQ_MUST_CHECK int lq_url_parse(struct lq_url *url, const char *text, struct lq_error *err);

// Writes "http://HOST:PORT" and the path; false if it does not fit.
LQ_MUST_CHECK bool lq_url_write(const struct lq_url *url, const char *path, char *text,
                                size_t size);
