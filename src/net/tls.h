// TLS server with OpenSSL 3: versions 1.2 and 1.3, ALPN "http/1.1", no renegotiation, no
// compression.
// Threads: the loop's. Owner: a context is reference-counted: its creator calls SSL_CTX_free;
// listeners keep their own reference.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ssl_ctx_st;
struct ssl_st;

// Creates a context without a certificate; the caller sets one. NULL: out of memory.
struct ssl_ctx_st *lq_tls_context_new(void);

// The result of a read, a write or a handshake, also on a plain socket.
enum lq_io {
    LQ_IO_DONE,   // all of it, or part of it (see the count)
    LQ_IO_READ,   // continue when the socket is readable
    LQ_IO_WRITE,  // continue when the socket is writable
    LQ_IO_END,    // the other side shut down its sending side properly
    LQ_IO_BROKEN, // the connection is lost
};

struct ssl_st *lq_tls_new(struct ssl_ctx_st *context, int fd); // NULL: out of memory
enum lq_io lq_tls_handshake(struct ssl_st *tls);
enum lq_io lq_tls_read(struct ssl_st *tls, void *bytes, size_t size, size_t *len);
// After READ or WRITE, the next call must pass the same bytes, or more of them.
enum lq_io lq_tls_write(struct ssl_st *tls, const void *bytes, size_t size, size_t *len);
void lq_tls_end(struct ssl_st *tls); // sends close_notify if possible
void lq_tls_free(struct ssl_st *tls);
