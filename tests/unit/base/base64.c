#include "base/base64.h"

#include <string.h>

#include "unit/unit.h"

static int decode(const char *text, struct lq_buf *out)
{
    lq_buf_clear(out);
    return lq_base64_decode(text, strlen(text), out, NULL);
}

// RFC 4648 section 10.
static void knows_the_test_vectors(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"", ""},           {"f", "Zg=="},     {"fo", "Zm8="},
                                           {"foo", "Zm9v"},    {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    struct lq_buf buf;
    lq_buf_init(&buf, 1000);
    for (size_t i = 0; i < LQ_COUNT(pairs); i++) {
        lq_buf_clear(&buf);
        assert_ok(lq_base64_encode((const uint8_t *)pairs[i][0], strlen(pairs[i][0]), &buf));
        assert_int_equal(buf.len, strlen(pairs[i][1]));
        assert_memory_equal(buf.data ? buf.data : (uint8_t *)"", pairs[i][1], buf.len);
        assert_ok(decode(pairs[i][1], &buf));
        assert_int_equal(buf.len, strlen(pairs[i][0]));
        assert_memory_equal(buf.data, pairs[i][0], buf.len);
    }
    lq_buf_release(&buf);
}

static void restores_random_bytes(void **state)
{
    (void)state;
    struct lq_buf text, bytes;
    uint8_t data[300];
    uint32_t seed = 7;
    lq_buf_init(&text, 1000);
    lq_buf_init(&bytes, 1000);
    for (size_t len = 0; len < sizeof data; len++) {
        for (size_t i = 0; i < len; i++)
            data[i] = (uint8_t)unit_random(&seed);
        lq_buf_clear(&text);
        lq_buf_clear(&bytes);
        assert_ok(lq_base64_encode(data, len, &text));
        assert_int_equal(text.len, lq_base64_size(len));
        assert_ok(lq_base64_decode((char *)text.data, text.len, &bytes, NULL));
        assert_int_equal(bytes.len, len);
        if (len)
            assert_memory_equal(bytes.data, data, len);
    }
    lq_buf_release(&text);
    lq_buf_release(&bytes);
}

static void refuses_everything_else(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z",     "=",        "====", "Z===",  "Zg=a", "Zg===",
                                      "Zm9==", "Zm9v=",    "Z=g=", "Zm9vZ", "Zm,v", "Zg==Zg==",
                                      "Zm%",   "%Zm9v%zz", "\xff\xff\xff\xff"};
    struct lq_buf out;
    lq_buf_init(&out, 1000);
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        assert_int_equal(decode(bad[i], &out), LQ_ERR_SYNTAX);
        assert_int_equal(out.len, 0);
    }
    // Every byte that is neither a blank nor in one of the alphabets, at every position.
    int refused = 0;
    for (int c = 1; c < 256; c++)
        for (int at = 0; at < 4; at++) {
            char text[9] = "AAAAAAAA";
            text[at] = (char)c;
            refused += decode(text, &out) == LQ_ERR_SYNTAX;
        }
    assert_int_equal(refused, (255 - 66 - 6) * 4);
    lq_buf_release(&out);
}

static void reads_what_the_world_writes(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"Zg", "f"}, {"Zg=", "f"}, {"Zm8", "fo"}, {"Zm9vYg", "foob"}, {"Zm9v ", "foo"},
        {" \r\nZm9v\r\n", "foo"}, {"Zm\n9v", "foo"}, {"Zm\r\n9v\r\nYg=\r\n=", "foob"},
        {"Pj4-Pz8_", ">>>???"}, {"Pj4+Pz8/", ">>>???"},
        {"Pj4 Pz8/", ">>>???"}, {"Pj4 \nPz8/", ">>>???"}, {"Pj4+ Pz8/", ">>>???"},
        {"Pj4- Pz8_", ">>>???"}, {"Zm9v\n  YmFy\n  Zm9v", "foobarfoo"}, {"Pj4%2BPz8%2f", ">>>???"},
        {"Zg%3D%3d", "f"}, {"Zm9v%0D%0AYmFy", "foobar"}, {" \r\n ", ""}};
    struct lq_buf out;
    lq_buf_init(&out, 1000);
    for (size_t i = 0; i < LQ_COUNT(pairs); i++) {
        assert_ok(decode(pairs[i][0], &out));
        assert_int_equal(out.len, strlen(pairs[i][1]));
        assert_memory_equal(out.len ? (char *)out.data : "", pairs[i][1], out.len);
    }
    lq_buf_release(&out);
}

// Bytes of every length, wrapped at every width, padded or not.
static void reads_every_wrapping(void **state)
{
    (void)state;
    struct lq_buf text, wrapped, out;
    uint8_t data[200];
    uint32_t seed = 9;
    lq_buf_init(&text, 1000);
    lq_buf_init(&wrapped, 10000);
    lq_buf_init(&out, 1000);
    for (size_t len = 1; len < sizeof data; len++) {
        for (size_t i = 0; i < len; i++)
            data[i] = (uint8_t)unit_random(&seed);
        lq_buf_clear(&text);
        assert_ok(lq_base64_encode(data, len, &text));
        size_t chars = text.len;
        while (len % 2 && text.data[chars - 1] == '=')
            chars--;
        lq_buf_clear(&wrapped);
        for (size_t i = 0; i < chars; i++) {
            if (i > 0 && i % (1 + len % 80) == 0)
                assert_ok(lq_buf_append(&wrapped, len % 3 ? "\r\n" : "\n", len % 3 ? 2 : 1));
            assert_ok(lq_buf_append(&wrapped, text.data + i, 1));
        }
        lq_buf_clear(&out);
        assert_ok(lq_base64_decode((char *)wrapped.data, wrapped.len, &out, NULL));
        assert_int_equal(out.len, len);
        assert_memory_equal(out.data, data, len);
    }
    lq_buf_release(&text);
    lq_buf_release(&wrapped);
    lq_buf_release(&out);
}

static void says_where_it_is_wrong(void **state)
{
    (void)state;
    struct lq_buf out;
    struct lq_error err;
    lq_buf_init(&out, 1000);
    assert_int_equal(lq_base64_decode("Zm9v\nYm!y", 9, &out, &err), LQ_ERR_SYNTAX);
    assert_non_null(strstr(err.text, "character 8"));
    assert_int_equal(lq_base64_decode("Zm9vY", 5, &out, &err), LQ_ERR_SYNTAX);
    assert_non_null(strstr(err.text, "cut short"));
    lq_buf_release(&out);
}

static void keeps_what_was_there_and_the_limit(void **state)
{
    (void)state;
    struct lq_buf out;
    lq_buf_init(&out, 8);
    assert_ok(lq_buf_append(&out, "ab", 2));
    assert_ok(lq_base64_decode("Zm9v", 4, &out, NULL));
    assert_memory_equal(out.data, "abfoo", 5);
    assert_int_equal(lq_base64_decode("Zm9vZm9v", 8, &out, NULL), LQ_ERR_TOO_LARGE);
    assert_int_equal(lq_base64_decode("Zm9%", 4, &out, NULL), LQ_ERR_SYNTAX);
    assert_int_equal(out.len, 5);
    lq_buf_release(&out);
}

static int parse(const char *text, struct lq_data_url *url)
{
    return lq_data_url_parse(text, strlen(text), url, NULL);
}

static void takes_data_urls_apart(void **state)
{
    (void)state;
    struct lq_data_url url;
    assert_ok(parse("data:image/jpeg;base64,Zm9v", &url));
    assert_true(url.is_url);
    assert_int_equal(url.base64_len, 4);
    assert_memory_equal(url.base64, "Zm9v", 4);
    assert_ok(parse("data:;base64,", &url));
    assert_int_equal(url.base64_len, 0);
    assert_ok(parse("Zm9v", &url));
    assert_false(url.is_url);
    assert_int_equal(url.base64_len, 4);
    static const char *const urls[] = {
        "DATA:image/jpeg;base64,Zm9v", "data:image/jpg;BASE64,Zm9v", "data:;base64,Zm9v",
        "data:application/octet-stream;base64,Zm9v", "data:image/jpeg; base64 ,Zm9v",
        "data:image/jpeg;charset=utf-8;base64,Zm9v", " \ndata:image/png;base64,Zm9v",
        "data:image/jpeg;name=hand.jpg;base64,Zm9v"};
    for (size_t i = 0; i < LQ_COUNT(urls); i++) {
        assert_ok(parse(urls[i], &url));
        assert_true(url.is_url && url.base64_len == 4 && memcmp(url.base64, "Zm9v", 4) == 0);
    }
    // A data URL whose "data:" is missing.
    assert_ok(parse("image/jpeg;base64,Zm9v", &url));
    assert_true(!url.is_url && url.base64_len == 4);
    static const char *const bad[] = {
        "data:image/jpeg;xbase64,Zm9v", "data:base64,Zm9v", "data:image/jpeg;base64;x,Zm9v",
        "blob:http://localhost/1", "https://shop.example/hand.jpg", "file:///hand.jpg", "a,b"};
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_int_equal(parse(bad[i], &url), LQ_ERR_SYNTAX);
    assert_int_equal(parse("data:", &url), LQ_ERR_SYNTAX);
    assert_int_equal(parse("data:image/jpeg,abc", &url), LQ_ERR_SYNTAX);
    assert_int_equal(parse("data:image/jpeg;base64", &url), LQ_ERR_SYNTAX);
    assert_int_equal(parse("data:,base64", &url), LQ_ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_test_vectors),
        cmocka_unit_test(restores_random_bytes),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(reads_what_the_world_writes),
        cmocka_unit_test(reads_every_wrapping),
        cmocka_unit_test(says_where_it_is_wrong),
        cmocka_unit_test(keeps_what_was_there_and_the_limit),
        cmocka_unit_test(takes_data_urls_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
