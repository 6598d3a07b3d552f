#include "net/tls.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

// ALPN (RFC 7301): selects HTTP/1.1. A client that does not offer it is accepted without ALPN,
// since some clients offer nonsense and still speak HTTP/1.1.
static int choose_protocol(SSL *tls, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned int len, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;
    (void)tls;
    (void)context;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, offered, len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

struct ssl_ctx_st *lq_tls_context_new(void)
{
    // Mozilla's "intermediate" list for TLS 1.2 without DHE and CBC. All suites of TLS 1.3 are
    // sound.
    static const char ciphers[] =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(context, ciphers)) {
        SSL_CTX_free(context);
        ERR_clear_error();
        return NULL;
    }
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Idle connections hold no buffers; a read of the socket takes all available bytes.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); // tickets still work
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return context;
}

struct ssl_st *lq_tls_new(struct ssl_ctx_st *context, int fd)
{
    SSL *tls = SSL_new(context);
    if (!tls || !SSL_set_fd(tls, fd)) {
        SSL_free(tls);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(tls);
    return tls;
}

// Interprets a failed call. Empties OpenSSL's error queue, which belongs to the thread.
static enum lq_io outcome(SSL *tls, int result)
{
    int error = SSL_get_error(tls, result);
    ERR_clear_error();
    switch (error) {
    case SSL_ERROR_WANT_READ:
        return LQ_IO_READ;
    case SSL_ERROR_WANT_WRITE:
        return LQ_IO_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return LQ_IO_END;
    default:
        return LQ_IO_BROKEN;
    }
}

enum lq_io lq_tls_handshake(struct ssl_st *tls)
{
    int result = SSL_do_handshake(tls);
    return result == 1 ? LQ_IO_DONE : outcome(tls, result);
}

enum lq_io lq_tls_read(struct ssl_st *tls, void *bytes, size_t size, size_t *len)
{
    *len = 0;
    int result = SSL_read_ex(tls, bytes, size, len);
    return result == 1 ? LQ_IO_DONE : outcome(tls, result);
}

enum lq_io lq_tls_write(struct ssl_st *tls, const void *bytes, size_t size, size_t *len)
{
    *len = 0;
    if (size == 0)
        return LQ_IO_DONE;
    int result = SSL_write_ex(tls, bytes, size, len);
    return result == 1 ? LQ_IO_DONE : outcome(tls, result);
}

void lq_tls_end(struct ssl_st *tls)
{
    SSL_shutdown(tls);
    ERR_clear_error();
}

void lq_tls_free(struct ssl_st *tls)
{
    SSL_free(tls);
    ERR_clear_error();
}
