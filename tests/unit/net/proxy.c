#include "net/proxy.h"

#include <string.h>

#include "base/attr.h"
#include "unit/unit.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define TEXT(text) text, sizeof text - 1

static const struct {
    const char *bytes;
    size_t len;
    enum lq_proxy_state state;
    const char *client; // "": that of the socket
    int port;
} all[] = {
    {TEXT("PROXY TCP4 192.0.2.1 192.0.2.9 56324 443\r\n"), LQ_PROXY_WHOLE, "192.0.2.1", 56324},
    {TEXT("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"), LQ_PROXY_WHOLE, "2001:db8::1", 0},
    {TEXT("PROXY UNKNOWN\r\n"), LQ_PROXY_WHOLE, "", 0},
    {TEXT("PROXY UNKNOWN whatever it says\r\n"), LQ_PROXY_WHOLE, "", 0},
    {TEXT(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\x09\xdc\4\1\xbb"), LQ_PROXY_WHOLE, "192.0.2.1",
     56324},
    {TEXT(V2 "\x21\x11\0\x10\xc0\0\2\1\xc0\0\2\x09\xdc\4\1\xbb\4\0\1x"), LQ_PROXY_WHOLE,
     "192.0.2.1", 56324},
    {TEXT(V2 "\x21\x21\0\x24"
          "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x50"
          "\1\xbb"), LQ_PROXY_WHOLE, "2001:db8::1", 80},
    {TEXT(V2 "\x20\0\0\0"), LQ_PROXY_WHOLE, "", 0},
    {TEXT(V2 "\x20\x11\0\x0c\xc0\0\2\1\xc0\0\2\x09\xdc\4\1\xbb"), LQ_PROXY_WHOLE, "", 0}, // LOCAL
    {TEXT(V2 "\x21\0\0\0"), LQ_PROXY_WHOLE, "", 0},
    {TEXT(V2 "\x21\x31\0\1x"), LQ_PROXY_WHOLE, "", 0}, // a unix socket
    {TEXT("GET / HTTP/1.1\r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("proxy TCP4"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY TCP4 192.0.2.1 192.0.2.9 56324 443\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY TCP4  192.0.2.1 192.0.2.9 56324 443\r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY TCP4 192.0.2.1 192.0.2.9 56324 443 \r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY TCP4 192.0.2.1 192.0.2.9 56324\r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY TCP4 192.0.2.1 192.0.2.9 056324 443\r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY TCP4 192.0.2.1 192.0.2.9 65536 443\r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY TCP4 192.0.2.1 192.0.2.9 -1 443\r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY TCP4 ::1 ::1 1 2\r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY TCP6 192.0.2.1 192.0.2.9 1 2\r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY TCP4 192.0.2.256 192.0.2.9 1 2\r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY UDP4 192.0.2.1 192.0.2.9 1 2\r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT("PROXY \r\n"), LQ_PROXY_NONE, "", 0},
    {TEXT(V2 "\x11\x11\0\0"), LQ_PROXY_NONE, "", 0}, // version 1 in the form of version 2
    {TEXT(V2 "\x22\x11\0\0"), LQ_PROXY_NONE, "", 0}, // unknown command
    {TEXT(V2 "\x21\x11\0\x0b"), LQ_PROXY_NONE, "", 0}, // no room for its addresses
    {TEXT(V2 "\x21\x21\0\x0c"), LQ_PROXY_NONE, "", 0},
    {TEXT(V2 "\x21\x11\xff\xff"), LQ_PROXY_NONE, "", 0}, // larger than allowed
    {TEXT("\r\n\r\n\0\r\nQUIX"), LQ_PROXY_NONE, "", 0},
};

static void reads_headers_however_cut(void **state)
{
    char text[LQ_NET_ADDRESS_SIZE];
    size_t size;
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(all); i++) {
        struct lq_net_address client = {.family = 0};
        enum lq_proxy_state found = LQ_PROXY_MORE;
        for (size_t len = 0; len <= all[i].len && found == LQ_PROXY_MORE; len++)
            found = lq_proxy_read((const uint8_t *)all[i].bytes, len, &size, &client);
        if (found != all[i].state)
            fail_msg("header %zu: %d, not %d", i, found, all[i].state);
        lq_net_address_print(&client, text);
        assert_string_equal(text, *all[i].client ? all[i].client : "unknown");
        assert_int_equal(client.port, all[i].port);
        if (found == LQ_PROXY_WHOLE)
            assert_int_equal(size, all[i].len);
    }
}

static void bounds_its_length(void **state)
{
    struct lq_net_address client = {.family = 0};
    char text[200];
    size_t size;
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "PROXY UNKNOWN ", 14);
    assert_int_equal(lq_proxy_read((uint8_t *)text, 106, &size, &client), LQ_PROXY_MORE);
    assert_int_equal(lq_proxy_read((uint8_t *)text, 107, &size, &client), LQ_PROXY_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_headers_however_cut),
                                       cmocka_unit_test(bounds_its_length)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
