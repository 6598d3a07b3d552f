// Tables of accepted heads, and of rejected ones with the section of the RFC that forbids them.
#include <stdio.h>
#include <string.h>

#include "net/http_head.h"
#include "base/attr.h"
#include "unit/unit.h"

#define HOST "Host: a\r\n"
#define GET_(headers) "GET / HTTP/1.1\r\n" HOST headers "\r\n"
#define POST_(headers) "POST / HTTP/1.1\r\n" HOST headers "\r\n"

static int read_head(struct lq_http_request_head *head, const char *text, size_t len, size_t *used)
{
    struct lq_http_scan scan = {0};
    const char *why = NULL;
    int code = 0;
    *used = 0;
    switch (lq_http_scan(&scan, (const uint8_t *)text, len, 16384, &code, &why)) {
    case LQ_HTTP_BAD:
        assert_non_null(why);
        return code;
    case LQ_HTTP_MORE:
        return -1;
    default:
        *used = scan.at;
        return lq_http_head_read(head, (const uint8_t *)text, scan.at, &why);
    }
}

static const struct { const char *text; int code; const char *rule; } refused[] = {
    {"GET / HTTP/1.1\nHost: a\n\n", 400, "9112 2.2: lines end in CRLF"},
    {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400, "9112 2.2"},
    {"GET / HTTP/1.1\rHost: a\r\n\r\n", 400, "9112 2.2: bare CR"},
    {GET_("X: a\rb\r\n"), 400, "9112 2.2: bare CR in a value"},
    {GET_("X: a\r\n b\r\n"), 400, "9112 5.2: obs-fold"},
    {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "9112 2.2: blank before the first header"},
    {GET_("X : a\r\n"), 400, "9112 5.1: blank before the colon"},
    {GET_("X\r\n"), 400, "9112 5: no colon"},
    {GET_(": a\r\n"), 400, "9110 5.1: empty name"},
    {GET_("X(y): a\r\n"), 400, "9110 5.6.2: name is a token"},
    {GET_("X\x80: a\r\n"), 400, "9110 5.6.2"},
    {GET_("X: a\x01\r\n"), 400, "9110 5.5: control characters"},
    {GET_("X: a\x7f\r\n"), 400, "9110 5.5"},
    {POST_("Content-Length: 1\r\nContent-Length: 2\r\n"), 400, "9112 6.3: two lengths"},
    {POST_("Content-Length: 1\r\nContent-Length: 1\r\n"), 400, "9112 6.3: may be refused"},
    {POST_("Content-Length: 1, 1\r\n"), 400, "9112 6.3: may be refused"},
    {POST_("Content-Length: +1\r\n"), 400, "9110 8.6: digits"},
    {POST_("Content-Length: -1\r\n"), 400, "9110 8.6"},
    {POST_("Content-Length: 0x1\r\n"), 400, "9110 8.6"},
    {POST_("Content-Length: 1 1\r\n"), 400, "9110 8.6"},
    {POST_("Content-Length:\r\n"), 400, "9110 8.6"},
    {POST_("Content-Length: 99999999999999999999\r\n"), 400, "9110 8.6: overflow"},
    {POST_("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400, "9112 6.1: both"},
    {POST_("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), 400, "9112 6.1: both"},
    {POST_("Transfer-Encoding: gzip, chunked\r\n"), 400, "9112 6.1"},
    {POST_("Transfer-Encoding: chunked, chunked\r\n"), 400, "9112 6.1"},
    {POST_("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400, "9112 6.1"},
    {POST_("Transfer-Encoding: identity\r\n"), 400, "9112 6.1"},
    {POST_("Transfer-Encoding: xchunked\r\n"), 400, "9112 6.1"},
    {POST_("Transfer-Encoding: \"chunked\"\r\n"), 400, "9112 6.1"},
    {POST_("Transfer-Encoding:\r\n"), 400, "9112 6.1"},
    {POST_("Transfer-Encoding: \x0b""chunked\r\n"), 400, "9110 5.5"},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "9112 6.1: of HTTP/1.0"},
    {"GET / HTTP/1.1\r\n\r\n", 400, "9112 3.2: no Host"},
    {GET_(HOST), 400, "9112 3.2: two Hosts"},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "9112 3.2: ill-formed Host"},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "9112 3.2"},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "9112 3.2: no user"},
    {"GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", 400, "9112 3.2"},
    {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, "9112 3.2"},
    {"GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400, "9112 3.2"},
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400, "9112 3: one space"},
    {"GET /  HTTP/1.1\r\n" HOST "\r\n", 400, "9112 3: one space"},
    {"GET /a b HTTP/1.1\r\n" HOST "\r\n", 400, "9112 3.2: no blank in a target"},
    {"GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400, "9112 3: one space"},
    {" GET / HTTP/1.1\r\n" HOST "\r\n", 400, "9112 3: method is a token"},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", 400, "9112 3"},
    {"GET /\r\n" HOST "\r\n", 400, "9112 3: HTTP/0.9"},
    {"GET\r\n\r\n", 400, "9112 3"},
    {"G@T / HTTP/1.1\r\n" HOST "\r\n", 400, "9110 9.1: method is a token"},
    {"GET a HTTP/1.1\r\n" HOST "\r\n", 400, "9112 3.2: no form of a target"},
    {"GET * HTTP/1.1\r\n" HOST "\r\n", 400, "9112 3.2.4: for OPTIONS alone"},
    {"GET /#x HTTP/1.1\r\n" HOST "\r\n", 400, "9112 3.2: no fragment"},
    {"GET /\\x HTTP/1.1\r\n" HOST "\r\n", 400, "3986 2: not a URI's"},
    {"GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400, "3986 2"},
    {"GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n", 400, "9112 3.2.2"},
    {"GET http:///x HTTP/1.1\r\n" HOST "\r\n", 400, "9110 4.2.1: empty host"},
    {"GET http://u@a/x HTTP/1.1\r\n" HOST "\r\n", 400, "9110 4.2.4: no user"},
    {"GET / http/1.1\r\n" HOST "\r\n", 400, "9112 2.3: capital letters"},
    {"GET / HTTP/1.10\r\n" HOST "\r\n", 400, "9112 2.3"},
    {"GET / HTTP/01.1\r\n" HOST "\r\n", 400, "9112 2.3"},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", 505, "9110 15.6.6"},
    {"GET / HTTP/0.9\r\n" HOST "\r\n", 505, "9110 15.6.6"},
    {"GET / HTTP/1.2\r\n" HOST "\r\n", 505, "9110 15.6.6"},
    {"PRI * HTTP/2.0\r\n\r\n", 505, "9113 3.4"},
    {"CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", 405, "9110 9.3.6"},
    {"CONNECT /x HTTP/1.1\r\n" HOST "\r\n", 405, "9110 9.3.6"},
    {GET_("Expect: 200-ok\r\n"), 417, "9110 10.1.1"},
    {GET_("Expect: 100-continue, x\r\n"), 417, "9110 10.1.1"},
    {"\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400, "9112 2.2: one empty line or two"},
    {"\nGET / HTTP/1.1\r\n" HOST "\r\n", 400, "9112 2.2"},
    {"\x16\x03\x01\x02\x01", 400, "a TLS hello"},
};

static void refuses_what_is_ambiguous(void **state)
{
    struct lq_http_request_head head;
    size_t used;
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(refused); i++) {
        int code = read_head(&head, refused[i].text, strlen(refused[i].text), &used);
        if (code != refused[i].code)
            fail_msg("%d, not %d (RFC %s): %s", code, refused[i].code, refused[i].rule,
                     refused[i].text);
    }
}

static void refuses_nul(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n";
    struct lq_http_request_head head;
    size_t used;
    (void)state;
    assert_int_equal(read_head(&head, text, sizeof text - 1, &used), 400);
}

static const struct {
    const char *text, *method, *target, *host;
    int minor;
    int64_t length;
    bool chunked, expects, keeps, ws;
} taken[] = {
    {GET_(""), "GET", "/", "a", 1, -1, false, false, true, false},
    {"\r\n" GET_(""), "GET", "/", "a", 1, -1, false, false, true, false},
    {GET_("Connection: x, Close\r\n"), "GET", "/", "a", 1, -1, false, false, false, false},
    {"GET /a?b=c HTTP/1.0\r\n\r\n", "GET", "/a?b=c", "", 0, -1, false, false, false, false},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET", "/", "", 0, -1, false, false, true,
     false},
    {"GET / HTTP/1.1\r\nhost:\t[::1]:80 \t\r\n\r\n", "GET", "/", "[::1]:80", 1, -1, false, false,
     true, false},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET", "/", "", 1, -1, false, false, true, false},
    {"GET http://b:80/x?y HTTP/1.1\r\n" HOST "\r\n", "GET", "/x?y", "b:80", 1, -1, false, false,
     true, false},
    {"GET HTTP://b HTTP/1.1\r\n" HOST "\r\n", "GET", "", "b", 1, -1, false, false, true, false},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS", "*", "a", 1, -1, false, false, true, false},
    {"M-SEARCH / HTTP/1.1\r\n" HOST "\r\n", "M-SEARCH", "/", "a", 1, -1, false, false, true, false},
    {POST_("Content-Length: 007\r\n"), "POST", "/", "a", 1, 7, false, false, true, false},
    {POST_("Transfer-Encoding: Chunked\r\n"), "POST", "/", "a", 1, -1, true, false, true, false},
    {POST_("Expect: 100-Continue\r\nContent-Length: 1\r\n"), "POST", "/", "a", 1, 1, false, true,
     true, false},
    {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "POST", "/", "", 0, 1,
     false, false, false, false},
    {GET_("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"), "GET", "/", "a", 1, -1,
     false, false, true, true},
    {GET_("Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"), "GET", "/", "a", 1, -1,
     false, false, true, false},
    {GET_("Upgrade: websocket\r\n"), "GET", "/", "a", 1, -1, false, false, true, false},
    {GET_("X: \xc3\xa4\t\xff\r\n"), "GET", "/", "a", 1, -1, false, false, true, false},
};

static void assert_span(const char *text, struct lq_http_part span, const char *want)
{
    assert_int_equal(span.len, strlen(want));
    assert_memory_equal(text + span.at, want, span.len);
}

static void reads_what_is_clear(void **state)
{
    struct lq_http_request_head head;
    size_t used;
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(taken); i++) {
        const char *text = taken[i].text;
        if (read_head(&head, text, strlen(text), &used) != 0)
            fail_msg("refused: %s", text);
        assert_int_equal(used, strlen(text));
        assert_span(text, head.method, taken[i].method);
        assert_span(text, head.target, taken[i].target);
        assert_span(text, head.host, taken[i].host);
        assert_int_equal(head.minor, taken[i].minor);
        assert_int_equal(head.content_length, taken[i].length);
        assert_int_equal(head.chunked, taken[i].chunked);
        assert_int_equal(head.expects_continue, taken[i].expects);
        assert_int_equal(head.keeps_alive, taken[i].keeps);
        assert_int_equal(head.upgrades_ws, taken[i].ws);
    }
}

// The end is found at the same place, however the bytes are cut.
static void finds_the_end_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(taken); i++) {
        struct lq_http_scan scan = {0};
        const char *why;
        int code;
        size_t len = strlen(taken[i].text);
        for (size_t at = 1; at < len; at++)
            assert_int_equal(lq_http_scan(&scan, (const uint8_t *)taken[i].text, at, 16384, &code,
                                          &why), LQ_HTTP_MORE);
        assert_int_equal(lq_http_scan(&scan, (const uint8_t *)taken[i].text, len, 16384, &code,
                                      &why), LQ_HTTP_WHOLE);
        assert_int_equal(scan.at, len);
    }
}

static void bounds_lines_and_headers(void **state)
{
    static char text[20000];
    struct lq_http_request_head head;
    size_t used, len;
    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "GET /", 5);
    assert_int_equal(read_head(&head, text, sizeof text, &used), 414);
    memcpy(text, "GET / HTTP/1.1\r\n", 16);
    assert_int_equal(read_head(&head, text, sizeof text, &used), 431);
    for (int count = 99; count <= 100; count++) {
        len = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST);
        for (int i = 0; i < count; i++)
            len += (size_t)snprintf(text + len, sizeof text - len, "x%d: y\r\n", i);
        len += (size_t)snprintf(text + len, sizeof text - len, "\r\n");
        assert_int_equal(read_head(&head, text, len, &used), count == 99 ? 0 : 431);
    }
}

static void looks_through_lists(void **state)
{
    static const struct { const char *list, *token; bool any, same; } all[] = {
        {"a, b", "b", true, true}, {"a,b", "B", true, false}, {",, ,b ,", "b", true, true},
        {"ab", "a", false, false}, {"a b", "b", false, false}, {"", "a", false, false},
        {"keep-alive,\tUpgrade", "upgrade", true, false}, {"a;b", "a", false, false},
    };
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(all); i++) {
        size_t len = strlen(all[i].list);
        assert_int_equal(lq_http_list_has(all[i].list, len, all[i].token, true), all[i].any);
        assert_int_equal(lq_http_list_has(all[i].list, len, all[i].token, false), all[i].same);
    }
}

static void decodes_paths(void **state)
{
    static const struct { const char *text, *path; bool plus; } good[] = {
        {"/a%20b", "/a b", false}, {"a+b", "a b", true}, {"/%41", "/A", false}, {"", "", false},
        {"%C3%a4", "\xc3\xa4", false}, {"%0a", "\n", false},
    };
    static const char *const bad[] = {"%", "%4", "%zz", "%00", "/%%41"};
    char out[64];
    size_t len;
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(good); i++) {
        assert_true(lq_http_decode(good[i].text, strlen(good[i].text), good[i].plus, out, &len));
        assert_string_equal(out, good[i].path);
    }
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_false(lq_http_decode(bad[i], strlen(bad[i]), false, out, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_ambiguous), cmocka_unit_test(refuses_nul),
        cmocka_unit_test(reads_what_is_clear), cmocka_unit_test(finds_the_end_byte_by_byte),
        cmocka_unit_test(bounds_lines_and_headers), cmocka_unit_test(looks_through_lists),
        cmocka_unit_test(decodes_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
