// TLS by OpenSSL 3, as a server: 1.2 and 1.3, ALPN "http/1.1", no renegotiation, no compression.
// Threads: the loop's. Owner: a context is counted: SSL_CTX_free by who made it; listeners keep
// their own reference.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct ssl_ctx_st;
struct ssl_st;

// A context without a certificate yet: the caller puts one in. NULL: no memory.
struct ssl_ctx_st *lq_tls_context_new(void);

// What a read, a write or a handshake came to, of a plain socket too.
enum lq_io {
    LQ_IO_DONE,   // all of it, or some (the count says)
    LQ_IO_READ,   // go on when the socket can be read
    LQ_IO_WRITE,  // go on when it can be written
    LQ_IO_END,    // the other side ended its direction in order
    LQ_IO_BROKEN, // the connection is lost
};

struct ssl_st *lq_tls_new(struct ssl_ctx_st *context, int fd); // NULL: no memory
enum lq_io lq_tls_handshake(struct ssl_st *tls);
enum lq_io lq_tls_read(struct ssl_st *tls, void *bytes, size_t size, size_t *len);
// After READ or WRITE the next call must come with the same bytes, or more of them.
enum lq_io lq_tls_write(struct ssl_st *tls, const void *bytes, size_t size, size_t *len);
void lq_tls_end(struct ssl_st *tls); // says that nothing more comes (close_notify), if it can
void lq_tls_free(struct ssl_st *tls);
