#include "serve/sio/engineio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "unit/unit.h"

static int parse_sio(struct lq_sio_packet *packet, const char *text)
{
    return lq_sio_parse(packet, text, strlen(text), NULL);
}

static void steps_over_a_payload(void **state)
{
    (void)state;
    static const char payload[] = "40\x1e" "42[\"a\"]\x1e" "bAAAA\x1e" "3";
    static const char *const packets[] = {"40", "42[\"a\"]", "bAAAA", "3"};
    const char *at = payload, *end = payload + sizeof payload - 1, *text;
    size_t len, count = 0;
    while (lq_eio_next(&at, end, &text, &len)) {
        assert_int_equal(len, strlen(packets[count]));
        assert_memory_equal(text, packets[count], len);
        count++;
    }
    assert_int_equal(count, LQ_COUNT(packets));
    at = end;
    assert_false(lq_eio_next(&at, end, &text, &len));
}

static void knows_engine_packets(void **state)
{
    (void)state;
    struct lq_eio_packet packet;
    for (char c = '0'; c <= '6'; c++) {
        char text[] = {c, 'x', 0};
        assert_ok(lq_eio_parse(&packet, text, 2, NULL));
        assert_int_equal(packet.type, c - '0');
        assert_int_equal(packet.len, 1);
    }
    assert_ok(lq_eio_parse(&packet, "bAAAA", 5, NULL));
    assert_int_equal(packet.type, LQ_EIO_BINARY);
    assert_int_equal(lq_eio_parse(&packet, "", 0, NULL), LQ_ERR_SYNTAX);
    assert_int_equal(lq_eio_parse(&packet, "7", 1, NULL), LQ_ERR_SYNTAX);
    assert_int_equal(lq_eio_parse(&packet, "x", 1, NULL), LQ_ERR_SYNTAX);
}

static void knows_socket_packets(void **state)
{
    (void)state;
    struct lq_sio_packet packet;
    assert_ok(parse_sio(&packet, "0"));
    assert_int_equal(packet.type, LQ_SIO_CONNECT);
    assert_int_equal(packet.ack, -1);
    assert_int_equal(packet.json_len, 0);
    assert_ok(parse_sio(&packet, "0/admin,{\"token\":1}"));
    assert_int_equal(packet.space_len, 6);
    assert_memory_equal(packet.space, "/admin", 6);
    assert_memory_equal(packet.json, "{\"token\":1}", packet.json_len);
    assert_ok(parse_sio(&packet, "0/admin"));
    assert_int_equal(packet.space_len, 6);
    assert_ok(parse_sio(&packet, "2[\"frame\",{}]"));
    assert_true(lq_sio_event_is(&packet, "frame"));
    assert_false(lq_sio_event_is(&packet, "fram"));
    assert_false(lq_sio_event_is(&packet, "frames"));
    assert_ok(parse_sio(&packet, "212[\"frame\"]"));
    assert_int_equal(packet.ack, 12);
    assert_ok(parse_sio(&packet, "51-/a,7[\"frame\",{\"_placeholder\":true,\"num\":0}]"));
    assert_int_equal(packet.type, LQ_SIO_BINARY_EVENT);
    assert_int_equal(packet.attachments, 1);
    assert_int_equal(packet.ack, 7);
    assert_int_equal(packet.space_len, 2);
    assert_true(lq_sio_event_is(&packet, "frame"));
}

static void refuses_broken_packets(void **state)
{
    (void)state;
    struct lq_sio_packet packet;
    static const char *const bad[] = {"",     "7",    "x[]",   "5",   "5[]", "51", "5-[]",
                                      "5999-[]", "59-[]", "29999999999999999999[]"};
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_int_equal(parse_sio(&packet, bad[i]), LQ_ERR_SYNTAX);
    assert_ok(parse_sio(&packet, "2[\"frame"));
    assert_false(lq_sio_event_is(&packet, "frame"));
    assert_ok(parse_sio(&packet, "2"));
    assert_false(lq_sio_event_is(&packet, "frame"));
}

// The packets of an Engine.IO 3 payload as "text|" or "<bytes>"; returns the last status.
static int read3(const char *payload, size_t len, char *out)
{
    const char *at = payload, *text;
    size_t text_len;
    bool binary;
    int status;
    *out = 0;
    while ((status = lq_eio3_next(&at, payload + len, &text, &text_len, &binary)) == 1)
        sprintf(out + strlen(out), binary ? "<%.*s>" : "%.*s|", (int)text_len, text);
    return status;
}

static void steps_over_payloads_of_version_3(void **state)
{
    (void)state;
    char out[256];
    static const struct { const char *payload; size_t len; const char *packets; } good[] = {
        {"", 0, ""},
        {"2:40", 4, "40|"},
        {"1:26:2probe", 11, "2|2probe|"},
        {"4:4\xc3\xa4\xe2\x82\xac!1:3", 12, "4\xc3\xa4\xe2\x82\xac!|3|"},
        {"3:\xf0\x9f\x92\x85x1:3", 10, "\xf0\x9f\x92\x85x|3|"}, // a pair of UTF-16 units
        {"\0\2\xff" "40\1\11\xff\4bcdefghi", 17, "40|<\4bcdefghi>"},
    };
    for (size_t i = 0; i < LQ_COUNT(good); i++) {
        assert_int_equal(read3(good[i].payload, good[i].len, out), 0);
        assert_string_equal(out, good[i].packets);
    }
    static const char *const bad[] = {"x", "40", ":40", "0:", "3:40", "123456789:4",
                                      "2:4\xf0\x9f\x92\x85", "2:4", "\1", "\1\1", "\1\1\xff",
                                      "\1\2\xff" "4", "\1\xff" "4", "\1\1" "4"};
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_int_equal(read3(bad[i], strlen(bad[i]), out), LQ_ERR_SYNTAX);
    assert_int_equal(lq_eio3_units("4\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\x85", 10), 5);
}

// Random bytes must not cause reads outside of them (the sanitizers check).
static void stays_within_random_bytes(void **state)
{
    (void)state;
    static const char letters[] = "0123456-/,[]\"frameb\x1e{}";
    uint32_t seed = 3;
    for (int round = 0; round < 20000; round++) {
        size_t len = unit_random(&seed) % 24;
        char *text = malloc(len + 1);
        for (size_t i = 0; i < len; i++)
            text[i] = letters[unit_random(&seed) % (sizeof letters - 1)];
        text = realloc(text, len ? len : 1);
        const char *at = text, *one;
        size_t one_len;
        while (lq_eio_next(&at, text + len, &one, &one_len)) {
            struct lq_eio_packet outer;
            struct lq_sio_packet packet;
            if (lq_eio_parse(&outer, one, one_len, NULL) != LQ_OK ||
                lq_sio_parse(&packet, outer.text, outer.len, NULL) != LQ_OK)
                continue;
            assert_true(packet.json >= one && packet.json + packet.json_len == one + one_len);
            lq_sio_event_is(&packet, "frame");
        }
        bool binary;
        at = text;
        while (lq_eio3_next(&at, text + len, &one, &one_len, &binary) == 1)
            assert_true(one_len > 0 && one + one_len <= text + len);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_over_a_payload),    cmocka_unit_test(knows_engine_packets),
        cmocka_unit_test(knows_socket_packets),    cmocka_unit_test(refuses_broken_packets),
        cmocka_unit_test(steps_over_payloads_of_version_3),
        cmocka_unit_test(stays_within_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
