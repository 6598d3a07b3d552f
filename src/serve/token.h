// Bearer tokens (RFC 6750): who may use the server when --token-file is given.
// Threads: the loop; reading any. Owner: the struct holds digests only, never a token's text.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"

struct lq_tokens {
    int count; // 0: none were read, nothing is allowed
    uint8_t digests[LQ_TOKENS_MAX][32]; // SHA-256
};

// Reads a file of one token a line; empty lines and those that begin with '#' are passed over.
// A token has 16 to 256 characters of RFC 6750's b64token set. On failure *tokens is unchanged.
LQ_MUST_CHECK int lq_tokens_read(struct lq_tokens *tokens, const char *path, struct lq_error *err);

// Whether this is one of them. Takes as long for every answer.
bool lq_tokens_allow(const struct lq_tokens *tokens, const char *text, size_t len);
