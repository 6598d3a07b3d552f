#include "engine/triton_url.h"

#include <string.h>

#include "unit/unit.h"

static void test_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"http://gpu:8000", "http://gpu:8000"},
        {"http://gpu:8000/", "http://gpu:8000"},
        {"HTTP://gpu:8000//", "http://gpu:8000"},
        {"localhost:8000", "http://localhost:8000"},
        {"localhost:8000/", "http://localhost:8000"},
        {"localhost", "http://localhost:8000"},
        {"10.0.0.7:9000", "http://10.0.0.7:9000"},
        {"http://gpu", "http://gpu"}, // a scheme's own port
        {"https://models.example.com", "https://models.example.com"},
        {"https://models.example.com/team/a/", "https://models.example.com/team/a"},
        {"models_1.example.com:443/team", "http://models_1.example.com:443/team"},
        {"gpu:8000/v2", "http://gpu:8000"}, // requests bring their own
        {"gpu:8000/team/v2/", "http://gpu:8000/team"},
        {"[::1]:8000", "http://[::1]:8000"},
        {"[2001:db8::7]", "http://[2001:db8::7]:8000"},
        {"http://[::1]:8000/", "http://[::1]:8000"},
        {"https://[::ffff:10.0.0.7]:1/x", "https://[::ffff:10.0.0.7]:1/x"},
    };
    struct lq_error err;
    char url[256];
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        assert_ok(lq_triton_url_read(url, sizeof url, cases[i].text, &err));
        assert_string_equal(url, cases[i].wanted);
    }
    assert_int_equal(lq_triton_url_read(url, 12, "http://gpu:8000", &err), LQ_ERR_ARGUMENT);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "http://HOST:PORT"},          {"http://", "http://HOST:PORT"},
        {":8000", "http://HOST:PORT"},     {"gpu:", "http://HOST:PORT"},
        {"gpu:0", "http://HOST:PORT"},     {"gpu:65536", "http://HOST:PORT"},
        {"gpu:8000.5", "http://HOST:PORT"}, {"gpu:80 00", "http://HOST:PORT"},
        {"gpu:0x50", "http://HOST:PORT"},  {"gpu host:1", "http://HOST:PORT"},
        {"-gpu:1", "http://HOST:PORT"},    {"gpu:1/a b", "http://HOST:PORT"},
        {"gpu:1/?a", "http://HOST:PORT"},  {"gpu:1/a#b", "http://HOST:PORT"},
        {"gpu:1/\"", "http://HOST:PORT"},  {"[::1", "http://HOST:PORT"},
        {"[1:2]:80", "http://HOST:PORT"},  {"[::1]x", "http://HOST:PORT"},
        {"::1", "in brackets"},            {"2001:db8::7:8000", "in brackets"},
        {"http://u:p@gpu:1", "without a name"},
        {"grpc://gpu:8001", "HTTP port"},  {"ftp://gpu", "HTTP port"},
        {"://gpu", "HTTP port"},
    };
    struct lq_error err;
    char url[256];
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        assert_int_equal(lq_triton_url_read(url, sizeof url, cases[i].text, &err),
                         LQ_ERR_ARGUMENT);
        if (!strstr(err.text, cases[i].words))
            fail_msg("'%s': %s", cases[i].text, err.text);
    }
}

static void test_local(void **state)
{
    (void)state;
    static const char *const here[] = {"http://localhost:8000", "http://LOCALHOST",
                                      "http://127.0.0.1",
                                       "https://127.9.9.9:1/x", "http://[::1]:8000"};
    static const char *const there[] = {"http://localhost.example.com", "http://127.example.com:1",
                                        "http://10.0.0.1", "http://[::2]", "http://gpu"};
    for (size_t i = 0; i < LQ_COUNT(here); i++)
        assert_true(lq_triton_url_is_local(here[i]));
    for (size_t i = 0; i < LQ_COUNT(there); i++)
        assert_false(lq_triton_url_is_local(there[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_taken), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_local)};
    return cmocka_run_group_tests_name("triton_url", tests, NULL, NULL);
}
