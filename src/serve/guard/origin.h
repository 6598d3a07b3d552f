// Web origins (RFC 6454), such as "https://shop.example:8443": browsers send the origin of the
// requesting page, and --allow-origin lists allowed ones.
// Threads: any. Owner: a struct points into the text it was parsed from.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct lq_origin {
    const char *scheme; // without "://"; "" for a Host header
    size_t scheme_len;
    const char *host;   // a name, an IPv4 address, or an IPv6 address in its brackets
    size_t host_len;
    int port;           // the scheme's default if none is written; 0: unknown
};

// Parses an Origin header strictly: false for "null", and for text before or after the origin.
bool lq_origin_parse(struct lq_origin *origin, const char *text);
// Parses a Host header; port is 0 if it has none.
bool lq_origin_parse_host(struct lq_origin *host, const char *text);

// Whether scheme, host and port are equal, ignoring case.
bool lq_origin_equal(const struct lq_origin *a, const struct lq_origin *b);
// Whether a page of this origin addresses the server by this Host. Either scheme is accepted,
// because a proxy may terminate TLS.
bool lq_origin_is_at(const struct lq_origin *origin, const struct lq_origin *host);

// Normalises an origin typed by a person to what browsers send: lower case, no trailing slash, no
// default port. "*" is kept. ARGUMENT, with what to write instead: a path, a pattern, a list, or no
// scheme.
LQ_MUST_CHECK int lq_origin_clean(char *text, struct lq_error *err);
