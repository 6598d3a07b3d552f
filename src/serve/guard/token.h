// Bearer tokens (RFC 6750): control access when --token-file is given.
// Threads: the loop; any thread may read. Owner: the struct holds only digests, never a token's
// text.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"

enum { LQ_TOKEN_DIGEST_BYTES = 32 }; // SHA-256

struct lq_tokens {
    int count; // 0: none were read, nobody has access
    uint8_t digests[LQ_TOKENS_MAX][LQ_TOKEN_DIGEST_BYTES];
};

// Reads a file with one token per line; empty lines and lines that begin with '#' are skipped. A
// token has 16 to 256 characters from RFC 6750's b64token set. On failure *tokens is unchanged.
LQ_MUST_CHECK int lq_tokens_read(struct lq_tokens *tokens, const char *path, struct lq_error *err);

// Whether the token is valid; also computes its digest. Takes the same time for every answer.
bool lq_tokens_allow(const struct lq_tokens *tokens, const char *text, size_t len,
                     uint8_t digest[LQ_TOKEN_DIGEST_BYTES]);
// Whether the token with this digest is valid: used for running sessions after a reload.
bool lq_tokens_know(const struct lq_tokens *tokens, const uint8_t digest[LQ_TOKEN_DIGEST_BYTES]);
