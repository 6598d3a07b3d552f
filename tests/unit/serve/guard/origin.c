#include "serve/guard/origin.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

static struct lq_error err;

static const char *clean(const char *text)
{
    static char copy[256];
    snprintf(copy, sizeof copy, "%s", text);
    assert_ok(lq_origin_clean(copy, &err));
    return copy;
}

static void a_person_s_spelling_becomes_a_browser_s(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"https://shop.example", "https://shop.example"},
        {"https://shop.example/", "https://shop.example"},
        {"HTTPS://Shop.Example:443/", "https://shop.example"},
        {"http://shop.example:80", "http://shop.example"},
        {"http://shop.example:443", "http://shop.example:443"},
        {"https://shop.example:8443/", "https://shop.example:8443"},
        {"http://[::1]:8080/", "http://[::1]:8080"},
        {"http://[2001:DB8::1]", "http://[2001:db8::1]"},
        {"capacitor://localhost", "capacitor://localhost"},
        {"*", "*"},
    };
    for (size_t i = 0; i < LQ_COUNT(pairs); i++)
        assert_string_equal(clean(pairs[i][0]), pairs[i][1]);
}

static void what_no_browser_sends_is_refused_with_what_to_write(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"https://shop.example/nails", "https://shop.example"},
        {"https://shop.example//", "https://shop.example"},
        {"https://shop.example?a=b", "https://shop.example"},
        {"https://*.shop.example", "pattern"},
        {"*.shop.example", "pattern"},
        {"shop.example", "no scheme"},
        {"//shop.example", "no scheme"},
        {"null", "no scheme"},
        {"", "no scheme"},
        {"https://a.example,https://b.example", "list"},
        {"https://a.example https://b.example", "list"},
        {"https://me@shop.example", "user"},
        {"https://m\xc3\xbcller.example", "xn--"},
        {"https://", "no origin"},
        {"https:///", "no origin"},
        {"https://shop.example:", "no origin"},
        {"https://shop.example:0", "no origin"},
        {"https://shop.example:65536", "no origin"},
        {"https://shop.example:443x", "no origin"},
        {"https://[::1", "no origin"},
        {"https://a\nb", "no origin"},
    };
    for (size_t i = 0; i < LQ_COUNT(pairs); i++) {
        char copy[256];
        snprintf(copy, sizeof copy, "%s", pairs[i][0]);
        assert_int_equal(lq_origin_clean(copy, &err), LQ_ERR_ARGUMENT);
        assert_non_null(strstr(err.text, pairs[i][1]));
    }
}

static bool is_at(const char *origin_text, const char *host_text)
{
    struct lq_origin origin, host;
    return lq_origin_parse(&origin, origin_text) && lq_origin_parse_host(&host, host_text) &&
           lq_origin_is_at(&origin, &host);
}

static void a_page_is_at_its_host_and_port(void **state)
{
    (void)state;
    assert_true(is_at("http://a.example:8080", "a.example:8080"));
    assert_true(is_at("HTTP://A.example:8080", "a.EXAMPLE:8080"));
    assert_true(is_at("http://a.example", "a.example"));
    assert_true(is_at("https://a.example", "a.example"));
    assert_true(is_at("https://a.example", "a.example:443"));
    assert_true(is_at("https://a.example:443", "a.example"));
    assert_true(is_at("http://a.example", "a.example:80"));
    assert_true(is_at("http://[::1]:81", "[::1]:81"));
    static const char *const others[][2] = {
        {"http://a.example:8080", "a.example"},     {"http://a.example", "a.example:8080"},
        {"https://a.example", "a.example:80"},      {"http://a.example:8081", "a.example:8080"},
        {"http://a.example.", "a.example"},         {"http://b.a.example", "a.example"},
        {"http://a.example.b.example", "a.example"}, {"ftp://a.example", "a.example"},
        {"http://a.example:08080", "a.example:8080"}, {"http://a.example/", "a.example"},
        {"http://x@a.example", "a.example"},        {"null", "a.example"},
        {"http://a.example", ""},                   {"http://a.example", "a.example:"},
        {"http://a.example", "a.example, b.example"},
    };
    for (size_t i = 0; i < LQ_COUNT(others); i++)
        assert_false(is_at(others[i][0], others[i][1]));
}

static void origins_are_equal_when_scheme_host_and_port_are(void **state)
{
    (void)state;
    struct lq_origin a, b;
    assert_true(lq_origin_parse(&a, "https://Shop.example:443"));
    assert_true(lq_origin_parse(&b, "HTTPS://shop.example"));
    assert_true(lq_origin_equal(&a, &b));
    static const char *const others[] = {"http://shop.example", "https://shop.example:8443",
                                         "https://shop.example.evil", "http://shop.example:443"};
    for (size_t i = 0; i < LQ_COUNT(others); i++) {
        assert_true(lq_origin_parse(&b, others[i]));
        assert_false(lq_origin_equal(&a, &b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_person_s_spelling_becomes_a_browser_s),
        cmocka_unit_test(what_no_browser_sends_is_refused_with_what_to_write),
        cmocka_unit_test(a_page_is_at_its_host_and_port),
        cmocka_unit_test(origins_are_equal_when_scheme_host_and_port_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
