#include "bench/wire.h"

#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        int port;
    } good[] = {
        {"http://127.0.0.1:8080", "127.0.0.1", 8080}, {"http://localhost", "localhost", 80},
        {"HTTP://a.example:1/", "a.example", 1},      {"http://[::1]:9000/", "::1", 9000},
        {"http://10.0.0.7/", "10.0.0.7", 80},         {"http://x:65535", "x", 65535},
    };
    static const char *const bad[] = {
        "", "localhost:8080", "https://localhost", "ws://localhost", "http://", "http://:80",
        "http://x:0", "http://x:65536", "http://x:", "http://x:8a", "http://x: 8", "http://x:+8",
        "http://x/path", "http://x:80/path", "http://[::1", "http://[]:80", "http://[::1]x",
    };
    for (size_t i = 0; i < LQ_COUNT(good); i++) {
        struct lq_url url;
        assert_ok(lq_url_parse(&url, good[i].text, NULL));
        assert_string_equal(url.host, good[i].host);
        assert_int_equal(url.port, good[i].port);
    }
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        struct lq_url url;
        struct lq_error err;
        assert_int_equal(lq_url_parse(&url, bad[i], &err), LQ_ERR_ARGUMENT);
    }
    char longer[600] = "http://";
    memset(longer + 7, 'x', sizeof longer - 8);
    assert_int_equal(lq_url_parse(&(struct lq_url){0}, longer, NULL), LQ_ERR_ARGUMENT);
}

static void base64(void **state)
{
    (void)state;
    // RFC 4648 section 10.
    static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
                                           {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    struct lq_buf out;
    lq_buf_init(&out, 100);
    for (size_t i = 0; i < LQ_COUNT(pairs); i++) {
        lq_buf_clear(&out);
        assert_ok(lq_buf_append(&out, "x", 1));
        assert_ok(lq_base64_append(&out, (const uint8_t *)pairs[i][0], strlen(pairs[i][0])));
        assert_int_equal(out.len, 1 + strlen(pairs[i][1]));
        assert_memory_equal(out.data + 1, pairs[i][1], strlen(pairs[i][1]));
    }
    static const uint8_t high[] = {0xfb, 0xff, 0xfe};
    lq_buf_clear(&out);
    assert_ok(lq_base64_append(&out, high, 3));
    assert_memory_equal(out.data, "+//+", 4);
    assert_int_equal(lq_base64_append(&out, high, 90), LQ_ERR_TOO_LARGE);
    lq_buf_release(&out);
}

static int parse_head(const char *text, struct lq_http_head *head)
{
    return lq_http_head_parse((const uint8_t *)text, strlen(text), head);
}

static void reply_heads(void **state)
{
    (void)state;
    struct lq_http_head head;
    const char *whole = "HTTP/1.1 200 OK\r\ncontent-length:  12 \r\nServer: x\r\n\r\n{\"a\":1}";
    assert_int_equal(parse_head(whole, &head), strlen(whole) - 7);
    assert_int_equal(head.status, 200);
    assert_int_equal(head.body_len, 12);
    assert_false(head.close);
    assert_true(parse_head("HTTP/1.0 503 Busy\r\n\r\n", &head) > 0);
    assert_int_equal(head.status, 503);
    assert_int_equal(head.body_len, -1);
    assert_true(head.close);
    assert_true(parse_head("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n",
                           &head) > 0);
    assert_true(head.close);
    assert_true(parse_head("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: "
                           "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: lacquer.v1"
                           "\r\n\r\n", &head) > 0);
    assert_true(head.accepted);
    assert_true(head.subprotocol);
}

static void heads_cut_short_or_wrong(void **state)
{
    (void)state;
    struct lq_http_head head;
    const char *whole = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
    for (size_t len = 0; len < strlen(whole); len++) {
        char *exact = malloc(len + 1); // so that a sanitizer sees reads beyond it
        memcpy(exact, whole, len);
        assert_int_equal(lq_http_head_parse((const uint8_t *)exact, len, &head), 0);
        free(exact);
    }
    static const char *const bad[] = {
        "SSH-2.0-x is no HTTP\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "\r\n\r\n",
    };
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_true(parse_head(bad[i], &head) < 0);
    static uint8_t endless[20000];
    memset(endless, 'x', sizeof endless);
    assert_true(lq_http_head_parse(endless, sizeof endless, &head) < 0);
}

// Takes the client's mask off, so that the server's parser of this file can read the frame.
static void unmask(struct lq_buf *frame)
{
    uint8_t *bytes = frame->data;
    assert_true(bytes[1] & 0x80);
    size_t header = (bytes[1] & 127) == 127 ? 10 : (bytes[1] & 127) == 126 ? 4 : 2;
    uint8_t mask[4];
    memcpy(mask, bytes + header, 4);
    memmove(bytes + header, bytes + header + 4, frame->len - header - 4);
    frame->len -= 4;
    bytes[1] &= 127;
    for (size_t i = 0; i + header < frame->len; i++)
        bytes[header + i] ^= mask[i % 4];
}

static void frames_of_every_length_form(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 100001};
    static uint8_t payload[100001];
    uint32_t seed = 3;
    struct lq_buf out;
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)unit_random(&seed);
    lq_buf_init(&out, 200000);
    for (size_t i = 0; i < LQ_COUNT(lengths); i++) {
        struct lq_ws_frame frame;
        size_t len = lengths[i], head = len / 3;
        lq_buf_clear(&out);
        assert_ok(lq_ws_append(&out, LQ_WS_BINARY, 0x12345678u, payload, head, payload + head,
                               len - head));
        unmask(&out);
        assert_int_equal(lq_ws_parse(out.data, out.len, sizeof payload, &frame), 1);
        assert_true(frame.fin);
        assert_int_equal(frame.opcode, LQ_WS_BINARY);
        assert_int_equal(frame.payload_len, len);
        assert_int_equal(frame.size, out.len);
        assert_memory_equal(frame.payload, payload, len);
        assert_int_equal(lq_ws_parse(out.data, out.len - 1, sizeof payload, &frame), 0);
        if (len > 0)
            assert_int_equal(lq_ws_parse(out.data, out.len, len - 1, &frame), LQ_ERR_TOO_LARGE);
    }
    lq_buf_release(&out);
}

static void the_standards_own_masked_hello(void **state)
{
    (void)state;
    // RFC 6455 section 5.7: a single-frame masked text message "Hello".
    static const uint8_t expected[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51,
                                       0x58};
    struct lq_buf out;
    lq_buf_init(&out, 100);
    assert_ok(lq_ws_append(&out, LQ_WS_TEXT, 0x3d21fa37u, "Hel", 3, "lo", 2));
    assert_int_equal(out.len, sizeof expected);
    assert_memory_equal(out.data, expected, sizeof expected);
    lq_buf_release(&out);
}

static void frames_a_server_may_not_send(void **state)
{
    (void)state;
    static const uint8_t bad[][4] = {
        {0x82, 0x81, 0, 0}, // masked
        {0xc2, 0x01, 0, 0}, // a reserved bit
        {0x83, 0x01, 0, 0}, // an unknown kind
        {0x8b, 0x01, 0, 0},
        {0x09, 0x01, 0, 0}, // a ping in pieces
        {0x89, 126, 0, 126}, // a ping too long
    };
    struct lq_ws_frame frame;
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_int_equal(lq_ws_parse(bad[i], 4, 1000, &frame), LQ_ERR_SYNTAX);
    static const uint8_t huge[] = {0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    assert_int_equal(lq_ws_parse(huge, sizeof huge, 1000, &frame), LQ_ERR_TOO_LARGE);
    for (size_t len = 0; len < 10; len++)
        assert_int_equal(lq_ws_parse(huge, len, 1000, &frame), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(base64),
        cmocka_unit_test(reply_heads),
        cmocka_unit_test(heads_cut_short_or_wrong),
        cmocka_unit_test(frames_of_every_length_form),
        cmocka_unit_test(the_standards_own_masked_hello),
        cmocka_unit_test(frames_a_server_may_not_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
