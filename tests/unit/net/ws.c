// WebSocket over real sockets: an echo server with correct and with misbehaving clients.
#include "unit/net/server.h"
#include "net/ws_frame.h"

struct echo {
    struct lq_buf message, reply;
    enum lq_ws_kind kind;
    bool due;          // a reply is waiting to be sent
};

static struct net_server server;
static struct echo *last;
static struct lq_ws *last_ws;
static int closed_code, closed_count, sent_count, writable_count;
static enum lq_net_end closed_end;
static size_t room_max, message_max;
static bool keeps_quiet;

static uint8_t *room(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t *size)
{
    struct echo *echo = lq_ws_state(ws);
    if (piece->first)
        lq_buf_clear(&echo->message);
    if (message_max && echo->message.len + piece->coming > message_max) {
        lq_ws_close(ws, 1009, "too large");
        return NULL;
    }
    *size = room_max && room_max < piece->coming ? room_max : piece->coming;
    if (lq_buf_reserve(&echo->message, echo->message.len + *size) != LQ_OK)
        return NULL;
    return echo->message.data + echo->message.len;
}

static void came(struct lq_ws *ws, const struct lq_ws_piece *piece, size_t len, bool is_last)
{
    struct echo *echo = lq_ws_state(ws);
    if (piece->first && len == 0)
        lq_buf_clear(&echo->message);
    echo->message.len += len;
    echo->kind = piece->kind;
    if (!is_last || keeps_quiet)
        return;
    lq_buf_clear(&echo->reply);
    assert_ok(lq_buf_resize(&echo->reply, LQ_WS_HEAD));
    assert_ok(lq_buf_append(&echo->reply, echo->message.data, echo->message.len));
    echo->due = true;
    lq_ws_pause(ws);
    lq_ws_wake(ws);
}

static void writable(struct lq_ws *ws)
{
    struct echo *echo = lq_ws_state(ws);
    writable_count++;
    if (!echo->due)
        return;
    echo->due = false;
    assert_ok(lq_ws_send(ws, echo->kind, echo->reply.data + LQ_WS_HEAD,
                         echo->reply.len - LQ_WS_HEAD, LQ_WS_HEAD));
}

static void sent(struct lq_ws *ws)
{
    sent_count++;
    lq_ws_resume(ws);
}

static void closed(struct lq_ws *ws, int code, enum lq_net_end end)
{
    struct echo *echo = lq_ws_state(ws);
    closed_code = code;
    closed_end = end;
    closed_count++;
    lq_buf_release(&echo->message);
    lq_buf_release(&echo->reply);
    free(echo);
    last = NULL;
    last_ws = NULL;
}

static const struct lq_ws_handler ws_handler = {room, came, writable, sent, closed};

static void on_request(struct lq_http_request *http)
{
    int code;
    const char *headers;
    if (!lq_http_wants_ws(http)) {
        net_on_request(http);
        return;
    }
    const char *fault = lq_http_ws_fault(http, &code, &headers);
    if (fault) {
        struct net_state *state = calloc(1, sizeof *state);
        state->server = &server;
        server.requests++;
        lq_http_set_state(http, state);
        lq_http_respond(http, &(struct lq_http_response){.code = code, .headers = headers,
                                                      .body = fault, .len = strlen(fault)});
        return;
    }
    last = calloc(1, sizeof *last);
    lq_buf_init(&last->message, BODY_MAX);
    lq_buf_init(&last->reply, BODY_MAX + LQ_WS_HEAD);
    last_ws = lq_http_upgrade(http, lq_http_ws_offers(http, "echo") ? "echo" : NULL, NULL,
                              &ws_handler, last);
    assert_non_null(last_ws);
}

static const struct lq_http_handler handler = {
    .request = on_request, .room = net_room, .received = net_received, .body_done = net_body_done,
    .gone = net_gone, .refuse = net_refuse,
};

static void open_with(struct lq_net_limits limits)
{
    net_open(&server, &(struct lq_listener_options){.handler = &handler, .limits = limits});
    closed_code = closed_count = sent_count = writable_count = 0;
    room_max = message_max = 0;
    keeps_quiet = false;
}

#define UPGRADE "Connection: Upgrade\r\nUpgrade: websocket\r\nHost: a\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"

static int dial(void)
{
    size_t len;
    bool over;
    int fd = net_connect(&server);
    net_say(&server, fd, "GET /ws HTTP/1.1\r\n" UPGRADE KEY V13
                         "Sec-WebSocket-Protocol: other, echo\r\n\r\n");
    const char *text = net_hear(&server, fd, 170, 200, &len, &over);
    assert_memory_equal(text, "HTTP/1.1 101 Switching Protocols\r\n", 34);
    assert_non_null(strstr(text, "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_non_null(strstr(text, "sec-websocket-protocol: echo\r\n"));
    return fd;
}

// Writes a masked frame, as a client does. Returns its length.
static size_t frame_of(uint8_t *out, uint8_t first, const void *bytes, size_t len)
{
    static const uint8_t mask[4] = {0xa1, 0xb2, 0xc3, 0xd4};
    size_t head = lq_ws_frame_write(out, first, len, NULL);
    out[0] = first;
    out[1] |= 0x80;
    memcpy(out + head, mask, 4);
    if (len > 0)
        lq_ws_unmask(out + head + 4, bytes, len, mask, 0);
    return head + 4 + len;
}

static uint8_t wire[BODY_MAX + 64], much[BODY_MAX];

static void put_frame(int fd, uint8_t first, const void *bytes, size_t len)
{
    net_send(&server, fd, wire, frame_of(wire, first, bytes, len));
}

// Reads the server's next frame: returns its first byte, and its payload in `much`; -1: closed.
static int next_frame(int fd, size_t *len)
{
    size_t got, want, more;
    bool over;
    const uint8_t *head = (uint8_t *)net_hear(&server, fd, 0, 1, &got, &over);
    uint8_t start[10];
    for (want = 2, got = 0; got < want;) {
        ssize_t one = recv(fd, start + got, want - got, MSG_DONTWAIT);
        if (one == 0 || (one < 0 && errno != EAGAIN))
            return -1;
        got += one > 0 ? (size_t)one : 0;
        if (got == 2)
            want = 2u + (start[1] == 126 ? 2u : start[1] == 127 ? 8u : 0u);
        net_turns(&server);
    }
    (void)head;
    *len = start[1];
    if (start[1] > 125)
        for (*len = 0, more = 2; more < want; more++)
            *len = *len << 8 | start[more];
    for (got = 0; got < *len;) {
        ssize_t some = recv(fd, much + got, *len - got, MSG_DONTWAIT);
        if (some == 0)
            return -1;
        got += some > 0 ? (size_t)some : 0;
        net_turns(&server);
    }
    return start[0];
}

static void assert_close_frame(int fd, int code)
{
    size_t len;
    assert_int_equal(next_frame(fd, &len), 0x88);
    assert_int_equal(len >= 2 ? much[0] << 8 | much[1] : 0, code);
}

static void assert_over(int fd)
{
    size_t len;
    bool over;
    net_hear(&server, fd, 1, 500, &len, &over);
    assert_true(over);
    assert_int_equal(len, 0);
    close(fd);
    net_turns(&server);
}

static void echoes_messages_of_every_size(void **state)
{
    static const size_t sizes[] = {0, 1, 125, 126, 4096, 30000, 65535, 65536, 1000000};
    size_t len;
    (void)state;
    open_with((struct lq_net_limits){0});
    int fd = dial();
    for (size_t small = 0; small <= 1000; small += 1000) {
        room_max = small;
        for (size_t i = 0; i < LQ_COUNT(sizes); i++) {
            for (size_t k = 0; k < sizes[i]; k++)
                much[k] = (uint8_t)(k * 13 + i);
            put_frame(fd, 0x82, much, sizes[i]);
            memset(much, 0, sizes[i]);
            assert_int_equal(next_frame(fd, &len), 0x82);
            assert_int_equal(len, sizes[i]);
            for (size_t k = 0; k < len; k++)
                assert_true(much[k] == (uint8_t)(k * 13 + i));
        }
    }
    assert_int_equal(sent_count, 2 * LQ_COUNT(sizes));
    put_frame(fd, 0x88, "\x03\xe8" "bye", 5);
    assert_close_frame(fd, 1000);
    assert_over(fd);
    assert_int_equal(closed_code, 1000);
    assert_int_equal(closed_end, LQ_END_DONE);
    net_close(&server);
}

static void takes_frames_byte_by_byte_and_in_pieces(void **state)
{
    size_t len;
    (void)state;
    open_with((struct lq_net_limits){0});
    int fd = dial();
    size_t size = frame_of(wire, 0x01, "Gr\xc3", 3); // a character in two frames
    size += frame_of(wire + size, 0x89, "ping", 4);  // with a ping between them
    size += frame_of(wire + size, 0x00, "", 0);
    size += frame_of(wire + size, 0x80, "\xbc\xc3\x9f" "e", 4);
    for (size_t i = 0; i < size; i++)
        net_send(&server, fd, wire + i, 1);
    assert_int_equal(next_frame(fd, &len), 0x8a);
    assert_memory_equal(much, "ping", 4);
    assert_int_equal(next_frame(fd, &len), 0x81);
    assert_int_equal(len, 7);
    assert_memory_equal(much, "Gr\xc3\xbc\xc3\x9f" "e", 7);
    net_send(&server, fd, wire, size); // all at once
    assert_int_equal(next_frame(fd, &len), 0x8a);
    assert_int_equal(next_frame(fd, &len), 0x81);
    put_frame(fd, 0x88, "", 0);
    assert_int_equal(next_frame(fd, &len), 0x88);
    assert_int_equal(len, 0);
    assert_over(fd);
    assert_int_equal(closed_code, 1005);
    net_close(&server);
}

static void closes_on_what_breaks_the_protocol(void **state)
{
    static const struct { const char *bytes; size_t len; int code; } bad[] = {
        {"\x82\x01x", 3, 1002},                            // not masked
        {"\xc2\x80\0\0\0\0", 6, 1002},                     // reserved bit
        {"\x83\x80\0\0\0\0", 6, 1002},                     // unknown opcode
        {"\x80\x80\0\0\0\0", 6, 1002},                     // continues nothing
        {"\x88\x81\0\0\0\0x", 7, 1002},                    // half a close code
        {"\x88\x82\0\0\0\0\x03\xed", 8, 1002},             // 1005
        {"\x88\x83\0\0\0\0\x03\xe8\xff", 9, 1007},         // reason is not UTF-8
        {"\x81\x81\0\0\0\0\xff", 7, 1007},                 // text is not UTF-8
        {"\x81\x81\0\0\0\0\xc3", 7, 1007},                 // a character is cut off
        {"\x01\x81\0\0\0\0x\x81\x80\0\0\0\0", 13, 1002},   // another inside
    };
    (void)state;
    open_with((struct lq_net_limits){0});
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        int fd = dial();
        net_send(&server, fd, bad[i].bytes, bad[i].len);
        assert_close_frame(fd, bad[i].code);
        put_frame(fd, 0x88, "\x03\xe8", 2);
        assert_over(fd);
        assert_int_equal(closed_count, i + 1);
        assert_int_equal(closed_end, LQ_END_BROKEN);
    }
    net_close(&server);
}

static void answers_bad_handshakes(void **state)
{
    static const struct { const char *text; int code; } asked[] = {
        {"GET /ws HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n", 426},
        {"GET /ws HTTP/1.1\r\n" UPGRADE KEY "\r\n", 426},
        {"GET /ws HTTP/1.1\r\n" UPGRADE V13 "\r\n", 400},
        {"GET /ws HTTP/1.1\r\n" UPGRADE V13 "Sec-WebSocket-Key: x\r\n\r\n", 400},
        {"GET /ws HTTP/1.1\r\n" UPGRADE V13 KEY KEY "\r\n", 400},
        {"GET /ws HTTP/1.1\r\n" UPGRADE V13 KEY "Content-Length: 1\r\n\r\nx", 400},
        {"POST /ws HTTP/1.1\r\n" UPGRADE V13 KEY "\r\n", 200}, // no WebSocket is requested
        {"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nHost: a\r\n" V13 KEY "\r\n", 200},
    };
    char body[256];
    (void)state;
    open_with((struct lq_net_limits){0});
    for (size_t i = 0; i < LQ_COUNT(asked); i++) {
        int fd = net_connect(&server);
        net_say(&server, fd, asked[i].text);
        assert_int_equal(net_answer_of(&server, fd, body, sizeof body, NULL), asked[i].code);
        close(fd);
    }
    net_close(&server);
}

static void refuses_long_messages_so_that_the_code_is_read(void **state)
{
    (void)state;
    open_with((struct lq_net_limits){0});
    message_max = 1000;
    int fd = dial();
    put_frame(fd, 0x82, much, 3000000); // all of it is sent
    assert_close_frame(fd, 1009);
    assert_int_equal(closed_count, 0); // the rest is awaited
    put_frame(fd, 0x88, "\x03\xf1", 2);
    assert_over(fd);
    assert_int_equal(closed_code, 1009);
    net_close(&server);
}

static void slow_readers_keep_what_is_borrowed(void **state)
{
    size_t len;
    (void)state;
    open_with((struct lq_net_limits){0});
    int fd = dial();
    net_turns(&server);
    memset(server.big, 0x5a, BIG_BYTES);
    uint8_t *reply = malloc(BODY_MAX);
    memset(reply, 0x5a, BODY_MAX);
    assert_ok(lq_ws_send(last_ws, LQ_WS_BINARY, reply, BODY_MAX - 64, 0));
    assert_int_equal(lq_ws_send(last_ws, LQ_WS_BINARY, reply, 1, 0), LQ_ERR_BUSY);
    net_turns(&server);
    assert_true(lq_ws_is_sending(last_ws));
    lq_ws_wake(last_ws);
    net_turns(&server);
    assert_int_equal(writable_count, 0); // bytes are still queued
    lq_ws_detach(last_ws);
    memset(reply, 0, BODY_MAX);
    free(reply);
    assert_int_equal(next_frame(fd, &len), 0x82);
    for (size_t i = 0; i < len; i++)
        assert_true(much[i] == 0x5a);
    net_turns(&server);
    assert_int_equal(sent_count, 0); // not called for a detached one
    assert_int_equal(writable_count, 1);
    lq_ws_kill(last_ws);
    assert_over(fd);
    assert_int_equal(closed_end, LQ_END_STOPPED);
    assert_int_equal(closed_code, 1006);
    net_close(&server);
}

static void pings_are_answered_within_bounds(void **state)
{
    size_t len;
    int pongs = 0;
    (void)state;
    open_with((struct lq_net_limits){.queue_bytes = 4096});
    int fd = dial();
    net_turns(&server);
    assert_ok(lq_ws_send(last_ws, LQ_WS_BINARY, server.big, 6000000, 0)); // nobody reads it
    for (int i = 0; i < 1000; i++)
        put_frame(fd, 0x89, "pingpingping", 12);
    assert_true(lq_net_buffered(server.net) < 8192);
    static uint8_t sink[65536];
    for (size_t left = 6000010; left > 0;) {
        ssize_t got = recv(fd, sink, left < sizeof sink ? left : sizeof sink, MSG_DONTWAIT);
        left -= got > 0 ? (size_t)got : 0;
        net_turns(&server);
    }
    put_frame(fd, 0x82, "x", 1);
    while (next_frame(fd, &len) == 0x8a)
        pongs++;
    assert_true(pongs > 10 && pongs < 1000);
    close(fd);
    net_close(&server);
}

static void silent_clients_are_pinged_then_closed(void **state)
{
    size_t len;
    (void)state;
    open_with((struct lq_net_limits){.ping_ms = 30, .pong_ms = 200});
    int fd = dial();
    assert_int_equal(next_frame(fd, &len), 0x89);
    assert_int_equal(next_frame(fd, &len), 0x89);
    for (int i = 0; i < 20; i++) { // a client that answers pings stays
        assert_int_equal(next_frame(fd, &len), 0x89);
        put_frame(fd, 0x8a, "", 0);
    }
    assert_int_equal(closed_count, 0);
    while (next_frame(fd, &len) == 0x89)
        ;
    assert_int_equal(closed_count, 1);
    assert_int_equal(closed_end, LQ_END_SLOW);
    close(fd);
    net_close(&server);
}

static void both_sides_close_once(void **state)
{
    size_t len;
    char reason[200];
    (void)state;
    open_with((struct lq_net_limits){.close_ms = 50, .linger_ms = 50});
    int fd = dial();
    net_turns(&server);
    memset(reason, 'x', sizeof reason);
    memcpy(reason + 121, "\xe2\x82\xac", 4); // a character over the end
    lq_ws_close(last_ws, 1001, reason);
    lq_ws_close(last_ws, 1011, NULL);
    assert_int_equal(lq_ws_send_copy(last_ws, LQ_WS_TEXT, "x", 1), LQ_ERR_BUSY);
    net_turns(&server);
    assert_int_equal(next_frame(fd, &len), 0x88);
    assert_int_equal(much[0] << 8 | much[1], 1001);
    assert_int_equal(len, 2 + 121);
    put_frame(fd, 0x82, "ignored", 7);
    put_frame(fd, 0x88, "\x03\xe9", 2);
    assert_over(fd);
    assert_int_equal(closed_code, 1001);
    fd = dial(); // one that does not answer is closed after a while
    net_turns(&server);
    lq_ws_close(last_ws, 1001, NULL);
    assert_close_frame(fd, 1001);
    assert_over(fd);
    assert_int_equal(closed_count, 2);
    assert_int_equal(closed_code, 1006);
    net_close(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_messages_of_every_size),
        cmocka_unit_test(takes_frames_byte_by_byte_and_in_pieces),
        cmocka_unit_test(closes_on_what_breaks_the_protocol),
        cmocka_unit_test(answers_bad_handshakes),
        cmocka_unit_test(refuses_long_messages_so_that_the_code_is_read),
        cmocka_unit_test(slow_readers_keep_what_is_borrowed),
        cmocka_unit_test(pings_are_answered_within_bounds),
        cmocka_unit_test(silent_clients_are_pinged_then_closed),
        cmocka_unit_test(both_sides_close_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
