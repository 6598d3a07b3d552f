// The client's parsing of replies, on bytes in memory: fragmented messages need no socket.
#include "bench/client_ways.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

static const struct lq_client_target lacquer = {.way = LQ_CLIENT_WS, .path = "/ws",
                                                 .in_order = true};
static const struct lq_client_target socketio = {.way = LQ_CLIENT_SOCKETIO, .path = "/socket.io/"};
static const struct lq_client_target http = {.way = LQ_CLIENT_HTTP, .path = "/x"};
static const uint8_t jpeg[] = {0xff, 0xd8, 1, 2, 3, 0xff, 0xd9};

static struct lq_client client;
static struct lq_client_set set;
static int replies;

static void on_reply(void *context, const struct lq_client_reply *reply)
{
    (void)context;
    assert_true(reply->latency_ms >= 0);
    replies++;
}

static void begin(const struct lq_client_target *target, int in_flight)
{
    client = (struct lq_client){.target = target, .fd = -1, .on_reply = on_reply, .mask = 7,
                                .set = &set, .upgraded = true};
    lq_buf_init(&client.in, 1 << 20);
    lq_buf_init(&client.out, 1 << 20);
    lq_buf_init(&client.message, 1 << 20);
    for (int i = 0; i < in_flight; i++)
        client.flight[client.in_flight++].id = (uint32_t)i + 1;
    replies = 0;
}

static int end(void **state)
{
    (void)state;
    client.fd = -1;
    lq_client_close(&client);
    return 0;
}

static void put(const void *bytes, size_t len)
{
    assert_ok(lq_buf_append(&client.in, bytes, len));
}

static void put_frame(int first, const void *bytes, size_t len)
{
    const uint8_t head[] = {(uint8_t)first, (uint8_t)len};
    assert_true(len < 126);
    put(head, 2);
    put(bytes, len);
}

static void put_text(const char *text)
{
    put_frame(0x81, text, strlen(text));
}

static size_t message(uint8_t *bytes, uint32_t id)
{
    memset(bytes, 0, 64);
    bytes[0] = 2;
    bytes[2] = 64;
    bytes[4] = (uint8_t)id;
    memcpy(bytes + 64, jpeg, sizeof jpeg);
    return 64 + sizeof jpeg;
}

static void a_reply_settles_the_frames_before_it(void **state)
{
    (void)state;
    uint8_t bytes[100];
    begin(&lacquer, 2);
    put_text("{\"type\":\"hello\"}");
    put_frame(0x82, bytes, message(bytes, 2));
    assert_ok(lq_client_read_ws(&client, NULL));
    assert_int_equal(replies, 1);
    assert_int_equal(client.in_flight, 0);
    assert_int_equal(client.replaced, 1);
}

static void a_message_may_come_in_pieces(void **state)
{
    (void)state;
    uint8_t bytes[100];
    begin(&lacquer, 1);
    size_t len = message(bytes, 1);
    put_frame(0x02, bytes, 10);
    put_frame(0x89, "hi", 2); // a ping between the fragments gets a pong
    put_frame(0x00, bytes + 10, 20);
    assert_ok(lq_client_read_ws(&client, NULL));
    assert_int_equal(replies, 0);
    assert_int_equal(client.out.len, 2 + 4 + 2);
    assert_int_equal(client.out.data[0], 0x8a);
    put_frame(0x80, bytes + 30, len - 30);
    assert_ok(lq_client_read_ws(&client, NULL));
    assert_int_equal(replies, 1);
}

static void what_is_no_good_reply_is_said(void **state)
{
    (void)state;
    uint8_t bytes[100];
    struct lq_error err;
    static const uint8_t closing[] = {1013 >> 8, 1013 & 255};

    begin(&lacquer, 1);
    put_frame(0x82, bytes, message(bytes, 9)); // a frame that was never sent
    assert_int_equal(lq_client_read_ws(&client, &err), LQ_ERR_SYNTAX);
    end(state);
    begin(&lacquer, 1);
    put_frame(0x82, bytes, message(bytes, 1) - 1); // half a JPEG
    assert_int_equal(lq_client_read_ws(&client, &err), LQ_ERR_FORMAT);
    end(state);
    begin(&lacquer, 1);
    put_text("{\"type\":\"error\",\"error\":\"too dark\"}");
    assert_int_equal(lq_client_read_ws(&client, &err), LQ_ERR_IO);
    assert_non_null(strstr(err.text, "too dark"));
    end(state);
    begin(&lacquer, 1);
    put_frame(0x88, closing, 2);
    assert_int_equal(lq_client_read_ws(&client, &err), LQ_ERR_IO);
    assert_non_null(strstr(err.text, "1013"));
    end(state);
    begin(&lacquer, 1);
    put_frame(0x80, bytes, 3); // a fragment that continues nothing
    assert_int_equal(lq_client_read_ws(&client, &err), LQ_ERR_SYNTAX);
}

static void socketio_shakes_hands_and_takes_results_out_of_order(void **state)
{
    (void)state;
    begin(&socketio, 2);
    put_text("0{\"sid\":\"x\"}");
    put_text("2");
    put_text("40{\"sid\":\"y\"}");
    put_text("42[\"connected\",{\"status\":\"ok\"}]");
    assert_ok(lq_client_read_ws(&client, NULL));
    assert_true(client.ready);
    assert_int_equal(client.out.len, 2 + 4 + 2 + 2 + 4 + 1); // "40" and "3", masked
    put_text("451-[\"result\",{\"nails\":[{\"id\":7}],\"id\":2,\"image\":{\"num\":0}}]");
    put_frame(0x82, jpeg, sizeof jpeg);
    assert_ok(lq_client_read_ws(&client, NULL));
    assert_int_equal(replies, 1);
    assert_int_equal(client.in_flight, 1);
    assert_int_equal(client.flight[0].id, 1);
    assert_int_equal(client.replaced, 0);
    put_text("451-[\"result\",{\"image\":{\"num\":0}}]"); // no id: the oldest
    put_frame(0x82, jpeg, sizeof jpeg);
    assert_ok(lq_client_read_ws(&client, NULL));
    assert_int_equal(client.in_flight, 0);

    struct lq_error err;
    put_text("42[\"error\",{\"error\":\"no picture\"}]");
    assert_int_equal(lq_client_read_ws(&client, &err), LQ_ERR_IO);
    assert_non_null(strstr(err.text, "no picture"));
}

static int read_http(int http_status, const char *body, struct lq_error *err)
{
    put(body, strlen(body));
    return lq_client_read_http(&client, http_status, err);
}

static void http_replies_hold_a_jpeg(void **state)
{
    (void)state;
    struct lq_error err;
    begin(&http, 1);
    assert_ok(read_http(200, "{\"image\":\"data:image/jpeg;base64,/9j/AAAA\"}", NULL));
    assert_int_equal(replies, 1);
    assert_int_equal(client.in_flight, 0);
    end(state);
    begin(&http, 1);
    assert_int_equal(read_http(422, "{\"error\":\"damaged picture\"}", &err), LQ_ERR_IO);
    assert_non_null(strstr(err.text, "422"));
    end(state);
    begin(&http, 1);
    assert_int_equal(read_http(200, "{\"image\":\"\"}", &err), LQ_ERR_FORMAT);
    end(state);
    begin(&http, 1);
    assert_int_equal(read_http(200, "", &err), LQ_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_reply_settles_the_frames_before_it, end),
        cmocka_unit_test_teardown(a_message_may_come_in_pieces, end),
        cmocka_unit_test_teardown(what_is_no_good_reply_is_said, end),
        cmocka_unit_test_teardown(socketio_shakes_hands_and_takes_results_out_of_order, end),
        cmocka_unit_test_teardown(http_replies_hold_a_jpeg, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
