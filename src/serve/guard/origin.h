// Web origins (RFC 6454): "https://shop.example:8443", as browsers name the page that asks, and as
// --allow-origin names pages that may.
// Threads: any. Owner: a struct points into the text that it was read from.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct lq_origin {
    const char *scheme; // without "://"; "" for a Host header
    size_t scheme_len;
    const char *host;   // a name, an IPv4 address, or an IPv6 address in its brackets
    size_t host_len;
    int port;           // the scheme's own where none is written; 0: not known
};

// Reads an Origin header, strictly: false for "null", and for anything before or after the origin.
bool lq_origin_parse(struct lq_origin *origin, const char *text);
// Reads a Host header; port 0 where it names none.
bool lq_origin_parse_host(struct lq_origin *host, const char *text);

// The same scheme, host and port; case does not matter.
bool lq_origin_equal(const struct lq_origin *a, const struct lq_origin *b);
// Whether a page of this origin calls the server by this Host. Either scheme will do: TLS may end
// at a proxy.
bool lq_origin_is_at(const struct lq_origin *origin, const struct lq_origin *host);

// Makes a person's spelling what browsers send: lower case, no slash at the end, no default port.
// "*" stays. A path, a pattern, a list or no scheme: ARGUMENT, with what to write instead.
LQ_MUST_CHECK int lq_origin_clean(char *text, struct lq_error *err);
