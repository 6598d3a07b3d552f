// Parses the address of an inference server.
// Threads: any, no state.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { LQ_TRITON_PORT = 8000 }; // Triton's default HTTP port

// Writes "SCHEME://HOST[:PORT][/PATH]" to `out`, without a slash or "/v2" at its end. The scheme is
// http or https; without one it is http, and a missing port is then LQ_TRITON_PORT. An IPv6 host
// stands in brackets. Anything else fails with ARGUMENT, and the text says what is expected.
LQ_MUST_CHECK int lq_triton_url_read(char *out, size_t size, const char *text,
                                     struct lq_error *err);

// Whether such an address is this machine: localhost, 127.0.0.0/8 or [::1]. Does not resolve names.
bool lq_triton_url_is_local(const char *url);
