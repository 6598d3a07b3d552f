// Clients against a small server that sends the replies that a test sets.
#include "bench/client.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/unit.h"

enum { CONNECTIONS_MAX = 4, REQUESTS_MAX = 4 };

// Answers each request with the next reply; an empty reply closes the connection.
static struct {
    int fd;
    pthread_t thread;
    const char *const *replies; // NULL ends them
    int connections;
} server;

static int replies;

// Reads a head, and a body of the length in its Content-Length.
static bool read_request(int fd)
{
    char text[4096];
    size_t len = 0;
    for (;;) {
        ssize_t got = recv(fd, text + len, sizeof text - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = 0;
        char *blank = strstr(text, "\r\n\r\n"), *told = strstr(text, "Content-Length: ");
        size_t body = told ? strtoul(told + 16, NULL, 10) : 0;
        if (blank && len >= (size_t)(blank - text) + 4 + body)
            return true;
    }
}

static void *serve(void *context)
{
    (void)context;
    const char *const *next = server.replies;
    while (*next) {
        int fd = accept(server.fd, NULL, NULL);
        server.connections++;
        while (*next && **next && read_request(fd)) {
            send(fd, *next, strlen(*next), MSG_NOSIGNAL);
            next++;
        }
        next += *next && !**next;
        close(fd);
    }
    return NULL;
}

static void start(const char *const *texts, struct lq_client_target *target)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    server.replies = texts;
    server.connections = replies = 0;
    server.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server.fd, CONNECTIONS_MAX), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&address, &size), 0);
    snprintf(target->url.host, sizeof target->url.host, "127.0.0.1");
    target->url.port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static void stop(void)
{
    pthread_join(server.thread, NULL);
    close(server.fd);
}

static void on_reply(void *context, const struct lq_client_reply *reply)
{
    (void)context;
    assert_true(reply->latency_ms > 0);
    assert_int_equal(reply->len, 7 / 4 * 3 + 3);
    replies++;
}

// Sends one frame after the other and awaits each reply; stops at the first failure.
static int send_frames(struct lq_client *client, struct lq_client_set *set, int count,
                       struct lq_error *err)
{
    struct lq_client_frame frame = {0};
    lq_buf_init(&frame.json, 100);
    assert_ok(lq_buf_printf(&frame.json, "{\"image\":\"x\"}"));
    int status = LQ_OK;
    for (int i = 0; status == LQ_OK && i < count; i++) {
        status = lq_client_send(client, &frame, err);
        while (status == LQ_OK && client->in_flight > 0)
            status = lq_client_set_turn(set, 100, err);
    }
    lq_buf_release(&frame.json);
    return status;
}

static int run_http(const char *const *texts, int count, uint64_t *bytes, struct lq_error *err)
{
    struct lq_client_target target = {.way = LQ_CLIENT_HTTP, .path = "/api/x"};
    struct lq_client_set set;
    struct lq_client client;
    start(texts, &target);
    assert_ok(lq_client_set_init(&set, 1, NULL));
    assert_ok(lq_client_open(&client, &set, &target, NULL));
    client.on_reply = on_reply;
    int status = send_frames(&client, &set, count, err);
    *bytes = client.bytes;
    lq_client_close(&client);
    lq_client_set_release(&set);
    stop();
    return status;
}

#define BODY "{\"image\":\"data:image/jpeg;base64,/9j/AAA=\"}"

static void http_replies_of_every_framing(void **state)
{
    (void)state;
    // With a length on a connection that stays open, in chunks, up to the connection's end as in
    // HTTP/1.0, and on a new connection.
    static const char *const texts[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n" BODY,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2b\r\n" BODY "\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n" BODY, "",
        "HTTP/1.1 200 OK\r\nContent-Length: 43\r\nConnection: close\r\n\r\n" BODY, NULL};
    struct lq_error err = {0};
    uint64_t bytes;
    assert_int_equal(strlen(BODY), 43);
    if (run_http(texts, 4, &bytes, &err) != LQ_OK)
        fail_msg("%s", err.text);
    assert_int_equal(replies, 4);
    assert_int_equal(server.connections, 2);
    size_t least = 0;
    for (int i = 0; i < 5; i++)
        least += strlen(texts[i]);
    assert_true(bytes > least && bytes < least + 4 * 400); // … and four requests
}

static void http_replies_cut_off_or_refused(void **state)
{
    (void)state;
    static const char *const cut[] = {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "", NULL};
    static const char *const busy[] = {"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate",
                                       NULL};
    static const char *const other[] = {"SSH-2.0-x\r\n", "", NULL};
    struct lq_error err;
    uint64_t bytes;
    assert_int_equal(run_http(cut, 1, &bytes, &err), LQ_ERR_IO);
    assert_non_null(strstr(err.text, "incomplete"));
    assert_int_equal(run_http(busy, 1, &bytes, &err), LQ_ERR_IO);
    assert_non_null(strstr(err.text, "HTTP 503: late"));
    assert_int_equal(run_http(other, 1, &bytes, &err), LQ_ERR_IO);
    assert_int_equal(replies, 0);
}

static int open_ws(const char *text, struct lq_error *err)
{
    const char *const texts[] = {text, "", NULL};
    struct lq_client_target target = {.way = LQ_CLIENT_WS, .path = "/ws"};
    struct lq_client_set set;
    struct lq_client client;
    start(texts, &target);
    assert_ok(lq_client_set_init(&set, 1, NULL));
    int status = lq_client_open(&client, &set, &target, err);
    lq_client_close(&client);
    lq_client_set_release(&set);
    stop();
    return status;
}

static void a_websocket_opens_only_after_an_upgrade_response(void **state)
{
    (void)state;
    struct lq_error err = {0};
    // The accept value of RFC 6455 section 1.3; header names in any case, with and without blanks.
    static const char *const good[] = {
        "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        "Sec-WebSocket-Protocol: lacquer.v1\r\n\r\n",
        "HTTP/1.1 101 \r\nsec-websocket-protocol:lacquer.v1\r\n"
        "SEC-WEBSOCKET-ACCEPT:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"};
    static const char *const bad[] = {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"
        "Sec-WebSocket-Protocol: lacquer.v1\r\n\r\n",
        "HTTP/1.1 101 X\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "SSH-2.0-x is no HTTP\r\n\r\n", "HTTP/1.1 101 cut off\r\n"};
    for (size_t i = 0; i < LQ_COUNT(good); i++)
        if (open_ws(good[i], &err) != LQ_OK)
            fail_msg("%zu: %s", i, err.text);
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_true(open_ws(bad[i], &err) != LQ_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_replies_of_every_framing),
        cmocka_unit_test(http_replies_cut_off_or_refused),
        cmocka_unit_test(a_websocket_opens_only_after_an_upgrade_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
