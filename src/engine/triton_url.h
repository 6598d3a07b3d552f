// The address of an inference server as people write it, and as requests need it.
// Threads: any, no state.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { LQ_TRITON_PORT = 8000 }; // Triton's own for HTTP

// "SCHEME://HOST[:PORT][/PATH]" in `out`, without a slash or "/v2" at its end. The scheme is http
// or https; an address without one is http's, and then a missing port is LQ_TRITON_PORT. An IPv6
// host stands in brackets. ARGUMENT with what is wanted for anything else.
LQ_MUST_CHECK int lq_triton_url_read(char *out, size_t size, const char *text,
                                     struct lq_error *err);

// Whether such an address names this machine: localhost, 127.0.0.0/8 or [::1]. Nothing is resolved.
bool lq_triton_url_is_local(const char *url);
