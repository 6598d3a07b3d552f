#include "bench/url.h"

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
        "http:///x", "http://u@x", "http://x/?y", "http://x?", "http://x#f",
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

static void addresses_written_are_read_again(void **state)
{
    (void)state;
    const struct lq_url urls[] = {{"127.0.0.1", 8080}, {"::1", 80}, {"example.org", 65535}};
    static const char *const texts[] = {"http://127.0.0.1:8080/x?y", "http://[::1]:80/x?y",
                                        "http://example.org:65535/x?y"};
    for (size_t i = 0; i < LQ_COUNT(urls); i++) {
        char text[64];
        struct lq_url again;
        assert_true(lq_url_write(&urls[i], "/x?y", text, sizeof text));
        assert_string_equal(text, texts[i]);
        assert_true(lq_url_write(&urls[i], "/", text, sizeof text));
        assert_ok(lq_url_parse(&again, text, NULL));
        assert_string_equal(again.host, urls[i].host);
        assert_int_equal(again.port, urls[i].port);
    }
    char small[12];
    assert_false(lq_url_write(&urls[0], "/", small, sizeof small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(addresses_written_are_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
