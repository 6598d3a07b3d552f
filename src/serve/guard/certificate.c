#include "serve/guard/certificate.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "serve/guard/secret.h"

enum { PEM_BYTES_MAX = 1024 * 1024, VALID_DAYS = 397, CHAIN_MAX = 8 };

// The text of an address worth listing: IPv4, its interface up, not loopback; else NULL.
static const char *lan_text(const struct ifaddrs *each, char *text, size_t size)
{
    if (!each->ifa_addr || each->ifa_addr->sa_family != AF_INET || !(each->ifa_flags & IFF_UP) ||
        (each->ifa_flags & IFF_LOOPBACK))
        return NULL;
    struct sockaddr_in address;
    memcpy(&address, each->ifa_addr, sizeof address);
    return inet_ntop(AF_INET, &address.sin_addr, text, (socklen_t)size);
}

bool lq_tls_lan_address(char *text, size_t size)
{
    struct ifaddrs *all;
    bool found = false;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *each = all; each && !found; each = each->ifa_next)
        found = lan_text(each, text, size) != NULL;
    freeifaddrs(all);
    return found;
}

// Lists every name under which this machine may be opened: browsers reject a certificate that lacks
// the name.
static void list_names(char *names, size_t size)
{
    struct ifaddrs *all;
    char text[64], host[128] = "";
    snprintf(names, size, "DNS:localhost,IP:127.0.0.1,IP:::1");
    if (gethostname(host, sizeof host - 1) == 0 && *host && !strpbrk(host, ", :"))
        snprintf(names + strlen(names), size - strlen(names), ",DNS:%s,DNS:%s.local", host, host);
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *each = all; each; each = each->ifa_next)
        if (lan_text(each, text, sizeof text) && strlen(names) + strlen(text) + 5 < size)
            snprintf(names + strlen(names), size - strlen(names), ",IP:%s", text);
    freeifaddrs(all);
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool done = extension && X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    return done;
}

static bool fill_cert(X509 *cert, EVP_PKEY *key)
{
    uint8_t serial[8];
    char names[1024];
    list_names(names, sizeof names);
    if (RAND_bytes(serial, sizeof serial) != 1)
        return false;
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    bool done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    X509_NAME *subject = X509_get_subject_name(cert);
    return done && X509_set_version(cert, X509_VERSION_3) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
           X509_gmtime_adj(X509_getm_notAfter(cert), 60L * 60 * 24 * VALID_DAYS) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                      (const uint8_t *)"Lacquer on this machine", -1, -1, 0) &&
           X509_set_issuer_name(cert, subject) && X509_set_pubkey(cert, key) &&
           add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, NID_ext_key_usage, "serverAuth") &&
           add_extension(cert, NID_subject_alt_name, names) && X509_sign(cert, key, EVP_sha256());
}

// Moves the contents of a memory BIO into a buffer.
static bool take(BIO *bio, struct lq_buf *buf)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    return len > 0 && lq_buf_append(buf, text, (size_t)len) == LQ_OK;
}

static int make_pair(struct lq_tls_pair *pair, struct lq_error *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *key_text = BIO_new(BIO_s_mem()), *cert_text = BIO_new(BIO_s_mem());
    bool done = key && cert && key_text && cert_text && fill_cert(cert, key) &&
                PEM_write_bio_X509(cert_text, cert) &&
                PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) &&
                take(cert_text, &pair->cert) && take(key_text, &pair->key);
    BIO_free(cert_text);
    BIO_free(key_text);
    X509_free(cert);
    EVP_PKEY_free(key);
    return done ? LQ_OK : lq_fail(err, LQ_ERR_IO, "cannot make a certificate");
}

// Adds the certificates after the first: the chain to one that clients trust.
static bool add_chain(BIO *text, STACK_OF(X509) *chain)
{
    for (;;) {
        X509 *cert = PEM_read_bio_X509(text, NULL, NULL, NULL);
        if (!cert) {
            ERR_clear_error(); // the end of the file
            return true;
        }
        if (sk_X509_num(chain) == CHAIN_MAX || !sk_X509_push(chain, cert)) {
            X509_free(cert);
            return false;
        }
    }
}

static bool harden(SSL_CTX *context)
{
    // Mozilla's "intermediate" list without DHE and CBC. It applies to TLS 1.2; all ciphers of TLS
    // 1.3 are secure.
    static const char ciphers[] =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
           SSL_CTX_set_cipher_list(context, ciphers);
}

int lq_tls_pair_use(const struct lq_tls_pair *pair, struct ssl_ctx_st *context,
                    struct lq_error *err)
{
    BIO *cert_text = BIO_new_mem_buf(pair->cert.data, (int)pair->cert.len);
    BIO *key_text = BIO_new_mem_buf(pair->key.data, (int)pair->key.len);
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *cert = cert_text ? PEM_read_bio_X509(cert_text, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = key_text ? PEM_read_bio_PrivateKey(key_text, NULL, NULL, (void *)"") : NULL;
    bool done = context && cert && key && chain && add_chain(cert_text, chain) &&
                harden(context) && SSL_CTX_use_cert_and_key(context, cert, key, chain, 1);
    sk_X509_pop_free(chain, X509_free);
    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(cert_text);
    BIO_free(key_text);
    return done ? LQ_OK : lq_fail(err, LQ_ERR_IO, "cannot use this certificate and its chain");
}

static int check_pair(const struct lq_tls_pair *pair, const struct lq_serve_options *options,
                      struct lq_error *err)
{
    BIO *cert_text = BIO_new_mem_buf(pair->cert.data, (int)pair->cert.len);
    BIO *key_text = BIO_new_mem_buf(pair->key.data, (int)pair->key.len);
    X509 *cert = cert_text ? PEM_read_bio_X509(cert_text, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = key_text ? PEM_read_bio_PrivateKey(key_text, NULL, NULL, (void *)"") : NULL;
    int status = LQ_OK;
    if (!cert)
        status = lq_fail(err, LQ_ERR_IO, "no PEM certificate in '%s'", options->tls_cert);
    else if (!key)
        status = lq_fail(err, LQ_ERR_IO, "no PEM private key in '%s'", options->tls_key);
    else if (X509_check_private_key(cert, key) != 1)
        status = lq_fail(err, LQ_ERR_IO,
                         "the key in '%s' does not belong to the certificate in '%s'",
                         options->tls_key, options->tls_cert);
    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(cert_text);
    BIO_free(key_text);
    return status;
}

int lq_tls_pair_get(struct lq_tls_pair *pair, const struct lq_serve_options *options,
                    struct lq_error *err)
{
    lq_buf_init(&pair->cert, PEM_BYTES_MAX);
    lq_buf_init(&pair->key, PEM_BYTES_MAX);
    int status = LQ_OK;
    if (!options->tls_cert)
        status = make_pair(pair, err);
    else
        status = lq_file_read(options->tls_cert, &pair->cert, err);
    if (status == LQ_OK && options->tls_cert)
        status = lq_secret_read(options->tls_key, &pair->key, err);
    if (status == LQ_OK && options->tls_cert)
        status = check_pair(pair, options, err);
    if (status != LQ_OK)
        lq_tls_pair_release(pair);
    return status;
}

void lq_tls_pair_release(struct lq_tls_pair *pair)
{
    if (pair->key.data)
        OPENSSL_cleanse(pair->key.data, pair->key.cap);
    lq_buf_release(&pair->key);
    lq_buf_release(&pair->cert);
}
