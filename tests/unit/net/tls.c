// TLS: handshakes cut anywhere, requests and large responses, rejected clients, a certificate that
// is replaced, and PROXY headers before the handshake.
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "net/tls.h"
#include "unit/net/server.h"

static struct net_server server;

// A certificate for `name`, valid for a day.
static SSL_CTX *context_for(const char *name)
{
    SSL_CTX *context = lq_tls_context_new();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_set_version(cert, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(context, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    return context;
}

// A client whose bytes pass through memory, so that they can be cut.
struct client {
    int fd;
    SSL_CTX *context;
    SSL *tls;
    BIO *in, *out;
    size_t step; // bytes of one send; 0: all
};

static void client_open(struct client *client, int version_max)
{
    *client = (struct client){.fd = net_connect(&server),
                              .context = SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_security_level(client->context, 0);
    if (version_max)
        SSL_CTX_set_max_proto_version(client->context, version_max);
    client->tls = SSL_new(client->context);
    client->in = BIO_new(BIO_s_mem());
    client->out = BIO_new(BIO_s_mem());
    SSL_set_bio(client->tls, client->in, client->out);
    SSL_set_connect_state(client->tls);
    SSL_set_alpn_protos(client->tls, (const unsigned char *)"\x02h2\x08http/1.1", 12);
}

static void client_close(struct client *client)
{
    SSL_free(client->tls);
    SSL_CTX_free(client->context);
    close(client->fd);
    net_turns(&server);
}

// Transfers bytes in both directions. False: the server has closed the connection.
static bool transfer(struct client *client)
{
    char bytes[65536];
    size_t len = client->step ? client->step : sizeof bytes;
    for (int got; (got = BIO_read(client->out, bytes, (int)len)) > 0;)
        net_send(&server, client->fd, bytes, (size_t)got);
    net_turns(&server);
    ssize_t got = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0)
        BIO_write(client->in, bytes, (int)got);
    return got > 0 || (got < 0 && errno == EAGAIN);
}

static bool shake_hands(struct client *client)
{
    for (int i = 0; i < 200; i++) {
        int done = SSL_do_handshake(client->tls);
        if (!transfer(client) && done != 1)
            return false;
        if (done == 1)
            return true;
    }
    return false;
}

// Sends a request; returns up to `want` bytes of the response.
static const char *ask(struct client *client, const char *text, size_t want)
{
    static char answer[BIG_BYTES + 65536];
    size_t len = 0;
    SSL_write(client->tls, text, (int)strlen(text));
    for (int idle = 0; len < want && idle < 200;) {
        bool open = transfer(client);
        int got = SSL_read(client->tls, answer + len, (int)(sizeof answer - 1 - len));
        len += got > 0 ? (size_t)got : 0;
        idle = got > 0 ? 0 : idle + 1;
        if (!open && got <= 0)
            break;
    }
    answer[len] = 0;
    return answer;
}

static void open_tls(struct lq_listener_options options)
{
    options.tls = context_for("first");
    net_open(&server, &options);
    SSL_CTX_free(options.tls);
}

#define GET "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

// Writes the client's pending bytes to its socket, without running the server.
static void push(struct client *client)
{
    char bytes[4096];
    int got = BIO_read(client->out, bytes, sizeof bytes);
    assert_true(got > 0 && send(client->fd, bytes, (size_t)got, 0) == got);
}

static bool was_answered(const struct client *client)
{
    char byte;
    return recv(client->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
}

static void many_handshakes_do_not_delay_connected_clients(void **state)
{
    struct client live, storm[30];
    int begun = 0;
    (void)state;
    open_tls((struct lq_listener_options){0});
    client_open(&live, 0);
    assert_true(shake_hands(&live));
    for (int i = 0; i < 5; i++)
        transfer(&live); // session tickets
    assert_false(was_answered(&live));
    for (size_t i = 0; i < LQ_COUNT(storm); i++)
        client_open(&storm[i], 0);
    net_turns(&server); // accepted, and silent
    for (size_t i = 0; i < LQ_COUNT(storm); i++) {
        SSL_do_handshake(storm[i].tls);
        push(&storm[i]);
    }
    SSL_write(live.tls, GET, sizeof GET - 1);
    push(&live);
    assert_ok(lq_net_turn(server.net, 0));
    for (size_t i = 0; i < LQ_COUNT(storm); i++)
        begun += was_answered(&storm[i]);
    assert_true(was_answered(&live));
    assert_in_range(begun, 1, 8);
    for (size_t i = 0; i < LQ_COUNT(storm); i++) { // and none is forgotten
        assert_true(shake_hands(&storm[i]));
        client_close(&storm[i]);
    }
    client_close(&live);
    net_close(&server);
}

static void speaks_http_through_tls(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    (void)state;
    open_tls((struct lq_listener_options){0});
    for (size_t i = 0; i < LQ_COUNT(versions); i++)
        for (size_t step = 0; step < 2; step++) { // at once, and byte by byte
            struct client client;
            const unsigned char *protocol;
            unsigned int len;
            client_open(&client, versions[i]);
            client.step = step;
            assert_true(shake_hands(&client));
            SSL_get0_alpn_selected(client.tls, &protocol, &len);
            assert_int_equal(len, 8);
            assert_memory_equal(protocol, "http/1.1", 8);
            for (int k = 0; k < 3; k++)
                assert_non_null(strstr(ask(&client, GET, 100), "\r\n\r\nhello"));
            client_close(&client);
        }
    assert_int_equal(server.gone_whole, 12);
    net_close(&server);
}

static void big_bodies_go_both_ways(void **state)
{
    static char request[300000];
    struct client client;
    (void)state;
    open_tls((struct lq_listener_options){0});
    client_open(&client, 0);
    assert_true(shake_hands(&client));
    size_t len = (size_t)snprintf(request, sizeof request,
                                  "POST /echo HTTP/1.1\r\nHost: a\r\n"
                                  "Content-Length: 250000\r\n\r\n");
    for (size_t i = 0; i < 250000; i++)
        request[len + i] = (char)('a' + i % 23);
    const char *text = ask(&client, request, 250000 + 100), *start = strstr(text, "\r\n\r\n");
    assert_non_null(start);
    assert_memory_equal(start + 4, request + len, 250000);
    text = ask(&client, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n", BIG_BYTES + 100);
    assert_memory_equal(strstr(text, "\r\n\r\n") + 4, server.big, BIG_BYTES);
    client_close(&client);
    net_close(&server);
}

static void an_orderly_end_after_a_request_is_answered(void **state)
{
    struct client client;
    (void)state;
    open_tls((struct lq_listener_options){0});
    client_open(&client, 0);
    assert_true(shake_hands(&client));
    SSL_write(client.tls, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n", 32);
    SSL_shutdown(client.tls); // half closed, in TLS
    transfer(&client);
    assert_non_null(server.waiting);
    net_answer(server.waiting, 200, "late", 4);
    assert_non_null(strstr(ask(&client, "", 100), "\r\n\r\nlate"));
    client_close(&client);
    assert_int_equal(server.gone_whole, 1);
    net_close(&server);
}

static void refuses_old_versions_and_no_tls(void **state)
{
    struct client client;
    size_t len;
    bool closed;
    (void)state;
    open_tls((struct lq_listener_options){.limits.handshake_ms = 100});
    client_open(&client, TLS1_1_VERSION);
    assert_false(shake_hands(&client));
    client_close(&client);
    int fd = net_connect(&server);
    net_say(&server, fd, GET);
    net_hear(&server, fd, 10000, 500, &len, &closed);
    assert_true(closed);
    close(fd);
    fd = net_connect(&server); // half a handshake ends at the deadline
    net_send(&server, fd, "\x16\x03\x01\x02\x00\x01\x00", 7);
    net_hear(&server, fd, 1, 500, &len, &closed);
    assert_true(closed);
    assert_int_equal(server.last_end, LQ_END_SLOW);
    assert_int_equal(server.requests, 0);
    close(fd);
    net_close(&server);
}

static void renegotiation_is_off(void **state)
{
    struct client client;
    (void)state;
    open_tls((struct lq_listener_options){0});
    client_open(&client, TLS1_2_VERSION);
    SSL_CTX_clear_options(client.context, SSL_OP_NO_RENEGOTIATION);
    assert_true(shake_hands(&client));
    SSL_renegotiate(client.tls);
    assert_false(shake_hands(&client) && SSL_renegotiate_pending(client.tls) == 0 &&
                 SSL_num_renegotiations(client.tls) > 0);
    client_close(&client);
    net_close(&server);
}

static void assert_named(struct client *client, const char *name)
{
    char text[64] = "";
    X509 *cert = SSL_get1_peer_certificate(client->tls);
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text, sizeof text);
    X509_free(cert);
    assert_string_equal(text, name);
}

static void a_certificate_can_be_changed(void **state)
{
    struct client before, after;
    (void)state;
    open_tls((struct lq_listener_options){0});
    client_open(&before, 0);
    assert_true(shake_hands(&before));
    SSL_CTX *second = context_for("second");
    lq_listener_set_tls(server.listener, second);
    SSL_CTX_free(second);
    client_open(&after, 0);
    assert_true(shake_hands(&after));
    assert_named(&before, "first");
    assert_named(&after, "second");
    assert_non_null(strstr(ask(&before, GET, 100), "\r\n\r\nhello"));
    assert_non_null(strstr(ask(&after, GET, 100), "\r\n\r\nhello"));
    client_close(&before);
    client_close(&after);
    net_close(&server);
}

static void proxies_name_their_clients(void **state)
{
    struct lq_net_block block;
    struct lq_error error;
    struct client client;
    char text[LQ_NET_ADDRESS_SIZE];
    size_t len;
    bool closed;
    (void)state;
    assert_ok(lq_net_block_parse(&block, "127.0.0.0/8", &error));
    open_tls((struct lq_listener_options){.proxies = &block, .proxy_count = 1,
                                          .limits.handshake_ms = 1000});
    client_open(&client, 0);
    const char *header = "PROXY TCP4 192.0.2.7 192.0.2.9 56324 443\r\n";
    for (const char *at = header; *at; at++)
        net_send(&server, client.fd, at, 1);
    assert_true(shake_hands(&client));
    assert_non_null(strstr(ask(&client, GET, 100), "\r\n\r\nhello"));
    lq_net_address_print(&server.last_client, text);
    assert_string_equal(text, "192.0.2.7");
    client_close(&client);
    int accepted = server.accepted;
    static const char *const bad[] = {"GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 x\r\n", "PROXY TC"};
    for (size_t i = 0; i < LQ_COUNT(bad); i++) { // invalid headers, and a missing one
        int fd = net_connect(&server);
        net_say(&server, fd, bad[i]);
        net_hear(&server, fd, 1, 10000, &len, &closed);
        assert_true(closed);
        close(fd);
    }
    assert_int_equal(server.accepted, accepted); // the accept callback was not called for them
    net_close(&server);
}

// From an untrusted address, a PROXY header is an invalid request line.
static void untrusted_clients_may_not_send_proxy_headers(void **state)
{
    struct lq_net_block block;
    struct lq_error error;
    char body[256];
    bool closed;
    (void)state;
    assert_ok(lq_net_block_parse(&block, "10.0.0.0/8", &error));
    net_open(&server, &(struct lq_listener_options){.proxies = &block, .proxy_count = 1});
    int fd = net_connect(&server);
    net_say(&server, fd, "PROXY TCP4 192.0.2.7 192.0.2.9 56324 443\r\n" GET);
    assert_int_equal(net_answer_of(&server, fd, body, sizeof body, &closed), 400);
    assert_true(closed);
    assert_int_equal(server.requests, 0);
    close(fd);
    fd = net_connect(&server);
    net_send(&server, fd, "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\0", 16);
    assert_int_equal(net_answer_of(&server, fd, body, sizeof body, &closed), 400);
    close(fd);
    net_close(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_http_through_tls),
        cmocka_unit_test(many_handshakes_do_not_delay_connected_clients), cmocka_unit_test(big_bodies_go_both_ways),
        cmocka_unit_test(an_orderly_end_after_a_request_is_answered),
        cmocka_unit_test(refuses_old_versions_and_no_tls), cmocka_unit_test(renegotiation_is_off),
        cmocka_unit_test(a_certificate_can_be_changed),
        cmocka_unit_test(proxies_name_their_clients),
        cmocka_unit_test(untrusted_clients_may_not_send_proxy_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
