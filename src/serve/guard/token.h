// Bearer tokens (RFC 6750): who may use the server when --token-file is given.
// Threads: the loop; reading any. Owner: the struct holds digests only, never a token's text.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"

enum { LQ_TOKEN_DIGEST_BYTES = 32 }; // SHA-256

struct lq_tokens {
    int count; // 0: none were read, nothing is allowed
    uint8_t digests[LQ_TOKENS_MAX][LQ_TOKEN_DIGEST_BYTES];
};

// Reads a file of one token a line; empty lines and those that begin with '#' are passed over.
// A token has 16 to 256 characters of RFC 6750's b64token set. On failure *tokens is unchanged.
LQ_MUST_CHECK int lq_tokens_read(struct lq_tokens *tokens, const char *path, struct lq_error *err);

// Whether this is one of them, and its digest in any case. Takes as long for every answer.
bool lq_tokens_allow(const struct lq_tokens *tokens, const char *text, size_t len,
                     uint8_t digest[LQ_TOKEN_DIGEST_BYTES]);
// Whether the token of this digest is one of them: those of sessions, when the file was read again.
bool lq_tokens_know(const struct lq_tokens *tokens, const uint8_t digest[LQ_TOKEN_DIGEST_BYTES]);
