// HTTP over real sockets: framing, order, early responses, waiting, half-closed and slow clients.
#include <sys/resource.h>

#include "base/clock.h"
#include "unit/net/server.h"

static struct net_server server;

#define HOST "Host: a\r\n"

static int ask(int fd, const char *text, char *body, bool *closed)
{
    net_say(&server, fd, text);
    return net_answer_of(&server, fd, body, 65536, closed);
}

static char body[65536];

static void answers_and_goes_on(void **state)
{
    bool closed;
    (void)state;
    net_open(&server, NULL);
    int fd = net_connect(&server);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(fd, "GET /a%20b?c HTTP/1.1\r\n" HOST "\r\n", body, &closed), 200);
        assert_string_equal(body, "hello");
        assert_string_equal(server.seen, "GET /a b a");
        assert_false(closed);
    }
    assert_int_equal(ask(fd, "GET / HTTP/1.1\r\nConnection: close\r\n" HOST "\r\n", body, &closed),
                     200);
    assert_true(closed);
    close(fd);
    net_turns(&server);
    assert_int_equal(lq_net_connections(server.net), 0);
    assert_int_equal(server.gone_whole, 4);
    net_close(&server);
}

static const struct { const char *text; int code; const char *body; bool closed; } asked[] = {
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabcde", 200, "abcde", false},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, "", false},
    {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: x\r\n\r\n", 200, "abcde", false},
    {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "", false},
    {"GET /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 200, "abc", false},
    {"POST /echo HTTP/1.1\r\n" HOST "\r\n", 200, "no body", false},
    {"POST /hello HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 200, "hello", false},
    {"POST /early HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 413, "too much", false},
    {"POST /early HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 413,
     "too much", false},
    {"GET /hello HTTP/1.0\r\n\r\n", 200, "hello", true},
    {"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, "hello", false},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 200, "hello", false},
    {"GET /%zz HTTP/1.1\r\n" HOST "\r\n", 400, NULL, true},
    {"GET / HTTP/1.1\r\n\r\n", 400, NULL, true},
    {"CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 405, NULL, true},
    {"GET / HTTP/3.0\r\n" HOST "\r\n", 505, NULL, true},
    {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", 400, NULL,
     true},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4294967296\r\n\r\nabc", 413, NULL, true},
    {"GET /hello HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
     "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n" HOST "\r\n", 200, "hello", false},
};

// The result is the same whether a request arrives at once or byte by byte. If it keeps the
// connection open, another request succeeds.
static void reads_requests_however_cut(void **state)
{
    bool closed;
    (void)state;
    net_open(&server, NULL);
    for (size_t i = 0; i < 2 * LQ_COUNT(asked); i++) {
        const char *text = asked[i / 2].text;
        int fd = net_connect(&server);
        for (size_t at = 0; i % 2 && at < strlen(text); at++)
            net_send(&server, fd, text + at, 1);
        int code = i % 2 ? net_answer_of(&server, fd, body, sizeof body, &closed)
                         : ask(fd, text, body, &closed);
        if (code != asked[i / 2].code || closed != asked[i / 2].closed ||
            (asked[i / 2].body && strcmp(body, asked[i / 2].body) != 0))
            fail_msg("%d '%s' closed %d of: %s", code, body, closed, text);
        if (!closed) {
            assert_int_equal(ask(fd, "GET /next HTTP/1.1\r\n" HOST "\r\n", body, &closed), 200);
            assert_string_equal(server.seen, "GET /next a");
        }
        close(fd);
    }
    net_close(&server);
}

static void keeps_head_requests_bodyless(void **state)
{
    size_t len;
    bool closed;
    (void)state;
    net_open(&server, NULL);
    int fd = net_connect(&server);
    net_say(&server, fd, "HEAD /big HTTP/1.1\r\n" HOST "\r\n");
    const char *text = net_hear(&server, fd, 1, 1000, &len, &closed);
    assert_non_null(strstr(text, "content-length: 8388608\r\n\r\n"));
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\n");
    close(fd);
    net_close(&server);
}

static void answers_pipelined_requests_in_order(void **state)
{
    (void)state;
    net_open(&server, NULL);
    int fd = net_connect(&server);
    net_say(&server, fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\none"
                         "GET /wait HTTP/1.1\r\n" HOST "\r\n"
                         "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nthree"
                         "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(net_answer_of(&server, fd, body, sizeof body, NULL), 200);
    assert_string_equal(body, "one");
    net_turns(&server);
    assert_int_equal(server.requests, 2); // the third is not even parsed
    assert_non_null(server.waiting);
    assert_true(lq_net_buffered(server.net) > 0);
    net_answer(server.waiting, 200, "two", 3);
    assert_int_equal(net_answer_of(&server, fd, body, sizeof body, NULL), 200);
    assert_string_equal(body, "two");
    assert_int_equal(net_answer_of(&server, fd, body, sizeof body, NULL), 200);
    assert_string_equal(body, "three");
    assert_int_equal(net_answer_of(&server, fd, body, sizeof body, NULL), 200);
    assert_string_equal(body, "hello");
    assert_int_equal(lq_net_buffered(server.net), 0);
    close(fd);
    net_close(&server);
}

static void sends_continue_only_if_expected(void **state)
{
    size_t len;
    bool closed;
    (void)state;
    net_open(&server, NULL);
    int fd = net_connect(&server);
    net_say(&server, fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n"
                         "Expect: 100-continue\r\n\r\n");
    assert_string_equal(net_hear(&server, fd, 25, 1000, &len, &closed),
                        "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(ask(fd, "ab", body, &closed), 200);
    assert_string_equal(body, "ab");
    assert_false(closed);
    // The response is sent at once. The body may or may not follow, so the connection cannot be
    // used for another request.
    assert_int_equal(ask(fd, "POST /early HTTP/1.1\r\n" HOST "Content-Length: 2\r\n"
                             "Expect: 100-continue\r\n\r\n", body, &closed), 413);
    assert_true(closed);
    close(fd);
    net_close(&server);
}

static void half_closed_clients_get_their_response(void **state)
{
    size_t len;
    bool closed;
    (void)state;
    net_open(&server, NULL);
    int fd = net_connect(&server);
    net_say(&server, fd, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    shutdown(fd, SHUT_WR);
    net_turns(&server);
    assert_non_null(server.waiting);
    net_answer(server.waiting, 200, "late", 4);
    assert_int_equal(net_answer_of(&server, fd, body, sizeof body, &closed), 200);
    assert_string_equal(body, "late");
    net_hear(&server, fd, 1, 1000, &len, &closed);
    assert_true(closed);
    assert_int_equal(server.gone_whole, 1);
    close(fd);
    // A connection that ends in the middle of a body gets no response.
    fd = net_connect(&server);
    net_say(&server, fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc");
    shutdown(fd, SHUT_WR);
    net_hear(&server, fd, 1, 1000, &len, &closed);
    assert_true(closed);
    assert_int_equal(server.gone_lost, 1);
    assert_int_equal(server.last_end, LQ_END_PEER);
    close(fd);
    net_close(&server);
}

static void reset(int fd)
{
    struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

static void a_client_lost_while_waiting_is_reported(void **state)
{
    (void)state;
    net_open(&server, NULL);
    int fd = net_connect(&server);
    net_say(&server, fd, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    assert_non_null(server.waiting);
    reset(fd);
    net_turns(&server);
    assert_null(server.waiting);
    assert_int_equal(server.gone_lost, 1);
    net_close(&server);
}

static void big_responses_wait_for_slow_readers(void **state)
{
    size_t len;
    bool closed;
    (void)state;
    net_open(&server, NULL);
    int fd = net_connect(&server);
    net_say(&server, fd, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    net_turns(&server);
    assert_int_equal(server.gone_whole, 0); // more than sockets keep
    assert_true(lq_net_buffered(server.net) < 4096); // borrowed
    const char *text = net_hear(&server, fd, BIG_BYTES + 100, 2000, &len, &closed);
    const char *start = strstr(text, "\r\n\r\n") + 4;
    assert_int_equal(len - (size_t)(start - text), BIG_BYTES);
    assert_memory_equal(start, server.big, BIG_BYTES);
    assert_int_equal(server.gone_whole, 1);
    close(fd);
    net_close(&server);
}

static void an_early_response_reaches_a_sending_client(void **state)
{
    static char much[1000000];
    bool closed;
    (void)state;
    net_open(&server, &(struct lq_listener_options){.limits.discard_bytes = 3000000});
    int fd = net_connect(&server);
    memset(much, 'x', sizeof much);
    net_say(&server, fd, "POST /early HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\n\r\n");
    net_send(&server, fd, much, sizeof much);
    net_send(&server, fd, much, sizeof much);
    assert_int_equal(net_answer_of(&server, fd, body, sizeof body, &closed), 413);
    assert_false(closed);
    assert_int_equal(ask(fd, "GET /next HTTP/1.1\r\n" HOST "\r\n", body, &closed), 200);
    // A body larger than the server discards: the connection is closed, but the response arrives.
    net_say(&server, fd, "POST /early HTTP/1.1\r\n" HOST "Content-Length: 4000000\r\n\r\n");
    net_send(&server, fd, much, sizeof much);
    assert_int_equal(net_answer_of(&server, fd, body, sizeof body, &closed), 413);
    assert_true(closed);
    close(fd);
    net_close(&server);
}

static void deadlines_end_what_is_slow(void **state)
{
    static const struct { const char *text; int code; enum lq_net_end end; } slow[] = {
        {"", 0, LQ_END_SLOW},
        {"GET / HT", 0, LQ_END_SLOW},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nabc", 408, LQ_END_DONE},
        {"GET /hello HTTP/1.1\r\n" HOST "\r\n", 200, LQ_END_DONE},
        {"GET /big HTTP/1.1\r\n" HOST "\r\n", 200, LQ_END_SLOW},
    };
    size_t len;
    bool closed;
    (void)state;
    net_open(&server, &(struct lq_listener_options){
        .limits = {.handshake_ms = 60, .keepalive_ms = 60, .body_ms = 60, .stall_ms = 150,
                   .linger_ms = 20}});
    for (size_t i = 0; i < LQ_COUNT(slow); i++) {
        int fd = net_connect(&server), ended = server.ended;
        net_say(&server, fd, slow[i].text);
        for (int ms = 0; ms < 1000 && server.ended == ended; ms++)
            net_turns(&server);
        assert_int_equal(server.ended, ended + 1);
        assert_int_equal(server.last_end, slow[i].end);
        if (slow[i].end == LQ_END_SLOW && slow[i].code == 200) // … and its handler gets the reason
            assert_int_equal(server.gone_end, LQ_END_SLOW);
        const char *text = net_hear(&server, fd, BIG_BYTES, 10, &len, &closed);
        assert_true(closed);
        assert_int_equal(len > 9 ? (int)strtol(text + 9, NULL, 10) : 0, slow[i].code);
        close(fd);
    }
    net_close(&server);
}

static void reads_bodies_in_small_pieces(void **state)
{
    bool closed;
    (void)state;
    net_open(&server, NULL);
    server.room_max = 7;
    int fd = net_connect(&server);
    assert_int_equal(ask(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 20\r\n\r\n"
                             "0123456789ABCDEFGHIJ", body, &closed), 200);
    assert_string_equal(body, "0123456789ABCDEFGHIJ");
    net_say(&server, fd, "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabc");
    assert_int_equal(lq_http_body_received(server.waiting), 3);
    net_say(&server, fd, "def");
    net_turns(&server);
    assert_true(lq_http_body_is_whole(server.waiting));
    net_answer(server.waiting, 200, "ok", 2);
    assert_int_equal(net_answer_of(&server, fd, body, sizeof body, &closed), 200);
    close(fd);
    net_close(&server);
}

static void a_drain_ends_idle_connections_and_finishes_others(void **state)
{
    size_t len;
    bool closed;
    (void)state;
    net_open(&server, NULL);
    int idle = net_connect(&server), busy = net_connect(&server), fresh = net_connect(&server);
    assert_int_equal(ask(idle, "GET / HTTP/1.1\r\n" HOST "\r\n", body, &closed), 200);
    net_say(&server, busy, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    lq_listener_close(server.listener);
    lq_net_drain(server.net);
    int came = server.requests; // requests already sent are still answered
    net_say(&server, fresh, "GET / HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(server.requests, came + 1);
    net_hear(&server, fresh, 10000, 1000, &len, &closed);
    assert_true(closed);
    net_hear(&server, idle, 1, 1000, &len, &closed);
    assert_true(closed);
    assert_int_equal(server.last_end, LQ_END_DONE);
    assert_int_equal(lq_net_connections(server.net), 1);
    net_answer(server.waiting, 200, "last", 4);
    assert_int_equal(net_answer_of(&server, busy, body, sizeof body, &closed), 200);
    assert_true(closed);
    assert_int_equal(lq_net_connections(server.net), 0);
    close(fresh);
    close(idle);
    close(busy);
    net_close(&server);
}

// It waits for a free descriptor without busy polling, and then accepts the waiting clients.
static void accepting_pauses_without_descriptors(void **state)
{
    struct rlimit before, none;
    bool closed;
    (void)state;
    net_open(&server, NULL);
    int fd = net_connect(&server);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){(rlim_t)fd + 1, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    net_turns(&server);
    uint64_t from_us = lq_clock_us();
    int turns = 0;
    for (; lq_clock_us() < from_us + 150000; turns++)
        assert_ok(lq_net_turn(server.net, 50));
    assert_int_equal(server.accepted, 0);
    assert_true(turns <= 10);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(ask(fd, "GET / HTTP/1.1\r\n" HOST "\r\n", body, &closed), 200);
    close(fd);
    net_close(&server);
}

static void says_why_it_cannot_listen(void **state)
{
    struct lq_listener *other;
    struct lq_error error;
    (void)state;
    net_open(&server, NULL);
    struct lq_listener_options options = {.host = "127.0.0.1", .handler = &net_handler,
                                          .port = lq_listener_port(server.listener)};
    assert_int_equal(lq_listener_open(server.net, &other, &options, &error), LQ_ERR_IO);
    assert_non_null(strstr(error.text, "Address already in use; choose another with --port"));
    options.host = "nowhere";
    assert_int_equal(lq_listener_open(server.net, &other, &options, &error), LQ_ERR_ARGUMENT);
    assert_string_equal(error.text, "cannot listen on 'nowhere': not an IP address");
    net_close(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_goes_on), cmocka_unit_test(reads_requests_however_cut),
        cmocka_unit_test(keeps_head_requests_bodyless),
        cmocka_unit_test(answers_pipelined_requests_in_order),
        cmocka_unit_test(sends_continue_only_if_expected),
        cmocka_unit_test(half_closed_clients_get_their_response),
        cmocka_unit_test(a_client_lost_while_waiting_is_reported),
        cmocka_unit_test(big_responses_wait_for_slow_readers),
        cmocka_unit_test(an_early_response_reaches_a_sending_client),
        cmocka_unit_test(deadlines_end_what_is_slow),
        cmocka_unit_test(reads_bodies_in_small_pieces),
        cmocka_unit_test(a_drain_ends_idle_connections_and_finishes_others),
        cmocka_unit_test(accepting_pauses_without_descriptors),
        cmocka_unit_test(says_why_it_cannot_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
