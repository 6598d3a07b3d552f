// Certificates: from PEM files, or generated for trying the server on a phone.
// Threads: the one that starts the server. Owner: the caller releases the pair, which wipes the
// private key.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "serve/options.h"

struct ssl_ctx_st; // OpenSSL's SSL_CTX

struct lq_tls_pair {
    struct lq_buf cert, key; // PEM
};

LQ_MUST_CHECK int lq_tls_pair_get(struct lq_tls_pair *pair, const struct lq_serve_options *options,
                                  struct lq_error *err);
void lq_tls_pair_release(struct lq_tls_pair *pair);

// Makes a TLS context present the pair, with its whole chain, to new connections: TLS 1.2 with
// forward secrecy and authenticated ciphers, or TLS 1.3. On failure the context is unchanged.
LQ_MUST_CHECK int lq_tls_pair_use(const struct lq_tls_pair *pair, struct ssl_ctx_st *context,
                                  struct lq_error *err);

// The first IPv4 address at which other machines on the network can reach this one; false: none.
bool lq_tls_lan_address(char *text, size_t size);
