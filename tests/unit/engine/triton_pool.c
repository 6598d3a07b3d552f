#include "engine/triton_pool.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "unit/unit.h"

static struct lq_error err;

// Answers every request with 200 while `ready`, otherwise with 400; while `dumb` it accepts
// connections and sends nothing.
struct server {
    int listener;
    pthread_t thread;
    atomic_bool ready, dumb, stop;
    atomic_int asked;
    int held[64]; // connections of one that is dumb
    char url[64];
};

static void answer(struct server *server, int connection)
{
    static const char *const replies[] = {"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    char request[2048];
    if (recv(connection, request, sizeof request, 0) <= 0)
        return;
    server->asked++;
    const char *reply = replies[server->ready];
    (void)!send(connection, reply, strlen(reply), MSG_NOSIGNAL);
}

// One request per connection: the client then opens another.
static void *serve(void *context)
{
    struct server *server = context;
    while (!server->stop) {
        struct pollfd wait = {.fd = server->listener, .events = POLLIN};
        if (poll(&wait, 1, 10) <= 0)
            continue;
        int connection = accept(server->listener, NULL, NULL);
        if (server->dumb && (size_t)server->asked < LQ_COUNT(server->held)) {
            server->held[server->asked++] = connection;
            continue;
        }
        answer(server, connection);
        close(connection);
    }
    for (int i = 0; server->dumb && i < server->asked; i++)
        close(server->held[i]);
    return NULL;
}

static void start(struct server *server, bool ready, bool dumb)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *server = (struct server){.listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    server->ready = ready;
    server->dumb = dumb;
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
    server->stop = true;
    pthread_join(server->thread, NULL);
    close(server->listener);
}

static struct lq_triton_pool *open_pool(struct server *servers, int count)
{
    struct lq_remote_options options = {.url_count = count, .model = "nail"};
    struct lq_triton_pool *pool = NULL;
    for (int i = 0; i < count; i++)
        options.urls[i] = servers[i].url;
    assert_ok(lq_triton_pool_open(&pool, &options, &err));
    return pool;
}

// Waits until this many servers are up; if that never happens, the test's time limit ends it.
static void wait_for(struct lq_triton_pool *pool, int count)
{
    while (lq_triton_pool_count(pool) != count)
        usleep(2000);
}

static void put_out(struct lq_triton_pool *pool, struct lq_triton_server *server)
{
    lq_fail(&err, LQ_ERR_UNAVAILABLE, "the test says so");
    lq_triton_pool_give(pool, server, LQ_ERR_UNAVAILABLE, &err);
}

static void test_least_busy(void **state)
{
    (void)state;
    struct server servers[3];
    for (int i = 0; i < 3; i++)
        start(&servers[i], true, false);
    struct lq_triton_pool *pool = open_pool(servers, 3);
    assert_int_equal(lq_triton_pool_count(pool), 3);
    struct lq_triton_server *taken[6];
    int of[3] = {0};
    for (int i = 0; i < 6; i++) {
        taken[i] = lq_triton_pool_take(pool, NULL);
        of[lq_triton_pool_index(pool, taken[i])]++;
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(of[i], 2);
    // The server that finishes first gets the next request, unless it is the excluded one.
    lq_triton_pool_give(pool, taken[4], LQ_OK, &err);
    struct lq_triton_server *next = lq_triton_pool_take(pool, NULL);
    assert_ptr_equal(next, taken[4]);
    lq_triton_pool_give(pool, next, LQ_OK, &err);
    next = lq_triton_pool_take(pool, taken[4]);
    assert_ptr_not_equal(next, taken[4]);
    lq_triton_pool_give(pool, next, LQ_OK, &err);
    for (int i = 0; i < 6; i++)
        if (i != 4)
            lq_triton_pool_give(pool, taken[i], LQ_OK, &err);
    lq_triton_pool_close(pool);
    for (int i = 0; i < 3; i++)
        stop(&servers[i]);
}

// Among equally busy servers the fastest is chosen, and one whose speed is not known yet.
static void test_quickest(void **state)
{
    (void)state;
    struct server servers[2];
    for (int i = 0; i < 2; i++)
        start(&servers[i], true, false);
    struct lq_triton_pool *pool = open_pool(servers, 2);
    struct lq_triton_server *slow = lq_triton_pool_take(pool, NULL);
    lq_triton_pool_latency(pool, slow, 400000);
    struct lq_triton_server *quick = lq_triton_pool_take(pool, NULL);
    assert_ptr_not_equal(quick, slow);
    lq_triton_pool_give(pool, slow, LQ_OK, &err);
    lq_triton_pool_latency(pool, quick, 10000);
    lq_triton_pool_give(pool, quick, LQ_OK, &err);
    assert_ptr_equal(lq_triton_pool_take(pool, NULL), quick);
    assert_ptr_equal(lq_triton_pool_take(pool, NULL), slow); // the other is busy
    for (int i = 0; i < 40; i++)
        lq_triton_pool_latency(pool, slow, 1000);
    lq_triton_pool_give(pool, slow, LQ_OK, &err);
    lq_triton_pool_give(pool, quick, LQ_OK, &err);
    assert_ptr_equal(lq_triton_pool_take(pool, NULL), slow); // slow no more
    lq_triton_pool_give(pool, slow, LQ_OK, &err);
    lq_triton_pool_close(pool);
    for (int i = 0; i < 2; i++)
        stop(&servers[i]);
}

static void test_out_and_back(void **state)
{
    (void)state;
    struct server server;
    start(&server, true, false);
    struct lq_triton_pool *pool = open_pool(&server, 1);
    unsigned before, after;
    struct lq_triton_server *first = lq_triton_pool_take(pool, NULL);
    struct lq_triton_server *second = lq_triton_pool_take(pool, NULL);
    (void)lq_triton_pool_memory(pool, first, &before);
    server.ready = false;
    put_out(pool, first);
    put_out(pool, second); // the same failure
    assert_int_equal(first->failures, 1);
    assert_null(lq_triton_pool_take(pool, NULL));
    assert_int_equal(lq_triton_pool_explain(pool, &err), LQ_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "http://127.0.0.1:"));
    server.ready = true;
    wait_for(pool, 1);
    (void)lq_triton_pool_memory(pool, first, &after);
    assert_int_not_equal(before, after); // it may have been restarted
    // It reports ready but fails: it is not used for a while, and longer each time.
    uint64_t began = lq_clock_us();
    put_out(pool, lq_triton_pool_take(pool, NULL));
    assert_true(first->hold_until_us >= began + 250000);
    wait_for(pool, 1);
    assert_true(lq_clock_us() >= began + 250000);
    began = lq_clock_us();
    put_out(pool, lq_triton_pool_take(pool, NULL));
    assert_true(first->hold_until_us >= began + 500000);
    wait_for(pool, 1);
    // A successful response resets that.
    lq_triton_pool_give(pool, lq_triton_pool_take(pool, NULL), LQ_OK, &err);
    assert_int_equal(first->failures, 0);
    lq_triton_pool_close(pool);
    stop(&server);
}

static void test_a_silent_server_does_not_delay_another(void **state)
{
    (void)state;
    struct server servers[3];
    start(&servers[0], true, true);
    start(&servers[1], true, true);
    start(&servers[2], false, false);
    struct lq_triton_pool *pool = open_pool(servers, 3);
    assert_int_equal(lq_triton_pool_count(pool), 0);
    // A silent server is given up after a second; the third is used many times meanwhile.
    int silent = servers[0].asked, asked = servers[2].asked;
    while (servers[0].asked < silent + 2)
        usleep(1000);
    assert_true(servers[2].asked >= asked + 3);
    servers[2].ready = true;
    wait_for(pool, 1);
    lq_triton_pool_close(pool);
    for (int i = 0; i < 3; i++)
        stop(&servers[i]);
}

static void test_frames_that_nobody_could_wait_for(void **state)
{
    (void)state;
    struct server server;
    start(&server, true, false);
    struct lq_triton_pool *pool = open_pool(&server, 1);
    for (int i = 0; i < 7; i++)
        lq_triton_pool_cut_short(pool, lq_triton_pool_take(pool, NULL));
    lq_triton_pool_give(pool, lq_triton_pool_take(pool, NULL), LQ_OK, &err);
    for (int i = 0; i < 7; i++)
        lq_triton_pool_cut_short(pool, lq_triton_pool_take(pool, NULL));
    assert_int_equal(lq_triton_pool_count(pool), 1);
    server.ready = false;
    lq_triton_pool_cut_short(pool, lq_triton_pool_take(pool, NULL));
    assert_int_equal(lq_triton_pool_count(pool), 0);
    lq_triton_pool_close(pool);
    stop(&server);
}

static void *use(void *context)
{
    struct lq_triton_pool *pool = context;
    for (int i = 0; i < 300; i++) {
        struct lq_triton_server *server = lq_triton_pool_take(pool, NULL);
        if (!server) {
            usleep(1000);
        } else if (i % 50 == 49) {
            struct lq_error why;
            lq_fail(&why, LQ_ERR_TIMEOUT, "now and then");
            lq_triton_pool_give(pool, server, LQ_ERR_TIMEOUT, &why);
        } else {
            lq_triton_pool_give(pool, server, LQ_OK, NULL);
        }
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    (void)state;
    struct server servers[2];
    pthread_t users[4];
    start(&servers[0], true, false);
    start(&servers[1], true, false);
    struct lq_triton_pool *pool = open_pool(servers, 2), *same = open_pool(servers, 2);
    assert_ptr_equal(pool, same); // one for all engines of a model
    lq_triton_pool_close(same);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&users[i], NULL, use, pool), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(users[i], NULL);
    wait_for(pool, 2);
    for (int i = 0; i < 2; i++)
        assert_int_equal(lq_triton_pool_server(pool, i)->in_flight, 0);
    struct lq_buf text;
    lq_buf_init(&text, 4096);
    assert_ok(lq_triton_pools_print(&text));
    assert_ok(lq_buf_append(&text, "", 1));
    assert_non_null(strstr((char *)text.data, "lacquer_triton_up{url=\""));
    lq_buf_release(&text);
    lq_triton_pool_close(pool);
    stop(&servers[0]);
    stop(&servers[1]);
}

static void test_wrong_addresses(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "127.0.0.1:80000", "ftp://x", "http://", "http:///",
                                      "http://a:b@c", "http://h/?q", "http://h/#x", "http://h x",
                                      "http://h\r\nX: y"};
    struct lq_triton_pool *pool;
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        const struct lq_remote_options options = {
            .url_count = 1, .urls = {bad[i]}, .model = "nail"};
        assert_int_equal(lq_triton_pool_open(&pool, &options, &err), LQ_ERR_ARGUMENT);
    }
    struct lq_remote_options options = {.url_count = 1, .urls = {"http://127.0.0.1:1"},
                                        .model = "../x"};
    assert_int_equal(lq_triton_pool_open(&pool, &options, &err), LQ_ERR_ARGUMENT);
    options.model = "nail";
    options.version = "1/x";
    assert_int_equal(lq_triton_pool_open(&pool, &options, &err), LQ_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_least_busy),
        cmocka_unit_test(test_quickest),
        cmocka_unit_test(test_out_and_back),
        cmocka_unit_test(test_a_silent_server_does_not_delay_another),
        cmocka_unit_test(test_frames_that_nobody_could_wait_for),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_wrong_addresses),
    };
    lq_log_set_level(LQ_LOG_ERROR);
    return cmocka_run_group_tests_name("triton_pool", tests, NULL, NULL);
}
