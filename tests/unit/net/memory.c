// Out of memory: the same exchange is repeated, each time with another allocation failing. Whatever
// fails, each request that was reported also ends, each admitted client leaves, and no memory is
// leaked (AddressSanitizer checks). Linked with --wrap for the allocators.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "net/http.h"
#include "net/ws.h"
#include "net/ws_frame.h"
#include "unit/unit.h"

LQ_PUBLIC void *__real_malloc(size_t size);
LQ_PUBLIC void *__real_calloc(size_t count, size_t size);
LQ_PUBLIC void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static long allocations, fail_at; // 0: none

static bool fails(void)
{
    return ++allocations == fail_at;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

enum { BIG = 6 * 1024 * 1024 };

static uint8_t big[BIG], body[65536], message[LQ_WS_HEAD + 65536];
static size_t body_len, message_len;
static int reported, gone, opened, closed, admitted, ended;

static void answer(struct lq_http_request *http, const void *bytes, size_t len)
{
    lq_http_respond(http, &(struct lq_http_response){.code = 200, .body = bytes, .len = len});
}

static uint8_t *ws_room(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t *size)
{
    (void)ws;
    message_len = piece->first ? 0 : message_len;
    *size = piece->coming;
    return piece->coming + message_len <= 65536 ? message + LQ_WS_HEAD + message_len : NULL;
}

static void ws_came(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t len, bool last)
{
    message_len += len;
    if (last && !lq_ws_is_sending(ws))
        (void)!lq_ws_send(ws, piece->kind, message + LQ_WS_HEAD, message_len, 0);
    if (last)
        (void)!lq_ws_send_copy(ws, LQ_WS_TEXT, "and a word", 10);
    lq_ws_detach(ws);
}

static void ws_closed(struct lq_ws *ws, int code, enum lq_net_end end)
{
    (void)ws;
    (void)code;
    (void)end;
    closed++;
}

static const struct lq_ws_handler ws_handler = {.room = ws_room, .received = ws_came,
                                                .closed = ws_closed};

static void on_request(struct lq_http_request *http)
{
    if (lq_http_wants_ws(http) && lq_http_upgrade(http, NULL, NULL, &ws_handler, NULL)) {
        opened++;
        return;
    }
    reported++;
    body_len = 0;
    if (strcmp(lq_http_path(http), "/big") == 0)
        answer(http, big, BIG);
    else if (!lq_http_has_body(http))
        answer(http, "hello", 5);
}

static uint8_t *on_room(struct lq_http_request *http, size_t coming, size_t *size)
{
    (void)http;
    *size = coming < sizeof body - body_len ? coming : sizeof body - body_len;
    return *size ? body + body_len : NULL;
}

static void on_received(struct lq_http_request *http, size_t len)
{
    (void)http;
    body_len += len;
}

static void on_body_done(struct lq_http_request *http)
{
    answer(http, body, body_len);
}

static void on_gone(struct lq_http_request *http, bool whole, enum lq_net_end end)
{
    (void)http;
    (void)whole;
    (void)end;
    gone++;
}

static const struct lq_http_handler handler = {.request = on_request, .room = on_room,
                                               .received = on_received, .body_done = on_body_done,
                                               .gone = on_gone};

static bool accept_all(void *context, const struct lq_net_address *client)
{
    (void)context;
    (void)client;
    admitted++;
    return true;
}

static void on_ended(void *context, const struct lq_net_address *client, enum lq_net_end end)
{
    (void)context;
    (void)client;
    (void)end;
    ended++;
}

static void turns(struct lq_net *net)
{
    for (int i = 0; i < 4; i++)
        assert_ok(lq_net_turn(net, i == 0 ? 1 : 0));
}

// Sends `text` in two pieces, reads for a moment, and disconnects.
static void talk(struct lq_net *net, int port, const void *text, size_t len)
{
    static uint8_t sink[65536];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    turns(net);
    for (size_t half = 0; half < 2; half++) {
        size_t from = half * (len / 2), to = half ? len : len / 2;
        (void)!send(fd, (const uint8_t *)text + from, to - from, MSG_NOSIGNAL | MSG_DONTWAIT);
        turns(net);
    }
    for (int i = 0; i < 20; i++) {
        (void)!recv(fd, sink, sizeof sink, MSG_DONTWAIT);
        turns(net);
    }
    close(fd);
    turns(net);
}

#define HOST "Host: a\r\n"
#define WS                                                                                        \
    "GET /ws HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n"                   \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static void converse(struct lq_net *net, int port)
{
    static const char requests[] =
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabcde"
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        "GET / HTTP/1.1\r\n" HOST "\r\nGET /big HTTP/1.1\r\n" HOST "\r\n";
    static const char bad[] = "GET / HTTP/1.1\r\n\r\n";
    static uint8_t frames[sizeof WS + 64] = WS;
    size_t len = sizeof WS - 1;
    for (int i = 0; i < 3; i++) { // "hi" with a mask of 0; a ping; a close
        static const uint8_t firsts[] = {0x82, 0x89, 0x88};
        len += lq_ws_frame_write(frames + len, firsts[i], i == 2 ? 0 : 2, NULL);
        frames[len - 1] |= 0x80;
        frames[len - 2] = firsts[i];
        memset(frames + len, 0, 4);
        memcpy(frames + len + 4, "hi", 2);
        len += i == 2 ? 4 : 6;
    }
    talk(net, port, requests, sizeof requests - 1);
    talk(net, port, bad, sizeof bad - 1);
    talk(net, port, frames, len);
}

// Returns whether no allocation failed.
static bool run(long which)
{
    struct lq_net *net;
    struct lq_listener *listener;
    struct lq_error error;
    struct lq_listener_options options = {.host = "127.0.0.1", .handler = &handler,
                                          .accept = accept_all, .ended = on_ended};
    reported = gone = opened = closed = admitted = ended = 0;
    allocations = 0;
    fail_at = which;
    if (lq_net_new(&net, &error) == LQ_OK &&
        lq_listener_open(net, &listener, &options, &error) == LQ_OK)
        converse(net, lq_listener_port(listener));
    bool all = allocations < fail_at;
    fail_at = 0;
    if (net)
        assert_int_equal(lq_net_buffered(net), 0);
    lq_net_free(net);
    assert_int_equal(reported, gone);
    assert_int_equal(opened, closed);
    assert_int_equal(admitted, ended);
    return all;
}

static void every_allocation_may_fail(void **state)
{
    long which = 1;
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    while (!run(which))
        which++;
    assert_true(which > 15);
    assert_true(reported >= 4 && opened == 1); // in the last round nothing failed
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
