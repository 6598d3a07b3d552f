#include "net/http_body.h"

#include <string.h>

#include "base/attr.h"
#include "unit/unit.h"

// Reads a chunked body in pieces of `step` bytes. Returns its payload's length, -1: malformed, -2:
// incomplete; *used: bytes consumed.
static int read_body(const char *text, size_t len, size_t step, char *payload, size_t *used)
{
    struct lq_http_body body;
    int out = 0;
    size_t at = 0;
    lq_http_body_start(&body, -1);
    for (size_t end = step < len ? step : len;; end = end + step < len ? end + step : len) {
        while (at < end && !body.whole) {
            ptrdiff_t took = lq_http_body_frame(&body, (const uint8_t *)text + at, end - at);
            if (took < 0)
                return -1;
            at += (size_t)took;
            size_t part = (size_t)lq_http_body_payload(&body);
            part = part < end - at ? part : end - at;
            memcpy(payload + out, text + at, part);
            lq_http_body_consume(&body, part);
            out += (int)part;
            at += part;
        }
        if (end == len || body.whole)
            break;
    }
    *used = at;
    return body.whole ? out : -2;
}

static void reads_chunks_however_cut(void **state)
{
    static const struct { const char *text, *payload; size_t rest; } good[] = {
        {"0\r\n\r\n", "", 0},
        {"3\r\nabc\r\n0\r\n\r\n", "abc", 0},
        {"1\r\na\r\n0002\r\nbc\r\n0\r\n\r\nGET /", "abc", 5},
        {"A;x=y;z=\"q\"\r\n0123456789\r\n000\r\nTrailer: x\r\nY: z\r\n\r\n", "0123456789", 0},
        {"3 ;x\r\n", NULL, 0}, // no blanks
        {"3;x\r\na\r\n\r\n0\r\n\r\n", "a\r\n", 0},
    };
    char payload[256];
    size_t used;
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(good); i++) {
        size_t len = strlen(good[i].text);
        for (size_t step = 1; step <= len; step++) {
            int got = read_body(good[i].text, len, step, payload, &used);
            assert_int_equal(got, good[i].payload ? (int)strlen(good[i].payload) : -1);
            if (got > 0)
                assert_memory_equal(payload, good[i].payload, (size_t)got);
            if (got >= 0)
                assert_int_equal(len - used, good[i].rest);
        }
    }
}

static void refuses_other_framing(void **state)
{
    static const char *const bad[] = { // RFC 9112 section 7.1
        "\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "1\na\r\n",
        "1\r\nab\r\n", "1\r\na\n", "1\r\na0\r\n\r\n", "3\r\nabc\r\r", "1;\x01\r\n", "1;a\nb\r\n",
        "11111111111111111\r\n", "ffffffffffffffff\r\n", "10000000000000000\r\n",
        "0\r\n\r\r", "0\r\nx\ny\r\n", "0\r\n\x01\r\n",
    };
    char payload[256];
    size_t used;
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        if (read_body(bad[i], strlen(bad[i]), 1, payload, &used) != -1)
            fail_msg("taken: %s", bad[i]);
}

static void bounds_what_is_no_payload(void **state)
{
    static char text[200000], payload[200000];
    size_t used;
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "1;", 2);
    assert_int_equal(read_body(text, sizeof text, 4096, payload, &used), -1);
    memcpy(text, "0\r\n", 3);
    assert_int_equal(read_body(text, sizeof text, 4096, payload, &used), -1);
    for (size_t i = 0; i + 7 <= sizeof text; i += 7) // much framing around little payload
        memcpy(text + i, "1;\r\na\r\n", 7);
    assert_int_equal(read_body(text, 196000, 4096, payload, &used), -2); // this is still allowed
}

static void a_length_is_counted(void **state)
{
    struct lq_http_body body;
    (void)state;
    lq_http_body_start(&body, 0);
    assert_true(body.whole);
    lq_http_body_start(&body, 5);
    assert_int_equal(lq_http_body_frame(&body, (const uint8_t *)"abcdef", 6), 0);
    assert_int_equal(lq_http_body_payload(&body), 5);
    lq_http_body_consume(&body, 3);
    assert_false(body.whole);
    lq_http_body_consume(&body, 2);
    assert_true(body.whole);
    assert_int_equal(body.received, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_chunks_however_cut), cmocka_unit_test(refuses_other_framing),
        cmocka_unit_test(bounds_what_is_no_payload), cmocka_unit_test(a_length_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
