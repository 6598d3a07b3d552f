#include "serve/guard/client.h"

#include <string.h>

#include "unit/unit.h"

// 10.0.0.0/8 and 2001:db8:f::/48 are trusted.
static struct lq_client_info read_client(const struct lq_client_facts *facts, const char *peer)
{
    static const char *const texts[] = {"10.0.0.0/8", "2001:db8:f::/48"};
    struct lq_net_block trusted[LQ_COUNT(texts)];
    struct lq_client_info client;
    struct lq_client_facts all = *facts;
    for (size_t i = 0; i < LQ_COUNT(texts); i++)
        assert_int_equal(lq_net_block_parse(&trusted[i], texts[i], NULL), LQ_OK);
    assert_true(lq_net_address_parse(&all.peer, peer));
    lq_client_read(&client, trusted, (int)LQ_COUNT(texts), &all);
    return client;
}

static const struct {
    const char *peer, *forwarded_for, *forwarded, *client;
} ways[] = {
    // headers of an untrusted peer are ignored
    {"192.0.2.1", "198.51.100.9", NULL, "192.0.2.1"},
    {"192.0.2.1", NULL, "for=198.51.100.9", "192.0.2.1"},
    {"192.0.2.1", NULL, NULL, "192.0.2.1"},
    {"10.0.0.1", NULL, NULL, "10.0.0.1"},
    {"10.0.0.1", "198.51.100.9", NULL, "198.51.100.9"},
    {"2001:db8:f::1", "198.51.100.9", NULL, "198.51.100.9"},
    {"::ffff:10.0.0.1", "198.51.100.9", NULL, "198.51.100.9"},
    // read from the right, as long as hops are trusted; the client itself wrote the rest
    {"10.0.0.1", "127.0.0.1, 198.51.100.9", NULL, "198.51.100.9"},
    {"10.0.0.1", "127.0.0.1, 198.51.100.9, 10.0.0.2", NULL, "198.51.100.9"},
    {"10.0.0.1", "10.0.0.3,10.0.0.2", NULL, "10.0.0.3"},
    {"10.0.0.1", " 198.51.100.9 \t", NULL, "198.51.100.9"},
    {"10.0.0.1", "198.51.100.9:443", NULL, "198.51.100.9"},
    {"10.0.0.1", "2001:db8::7", NULL, "2001:db8::7"},
    {"10.0.0.1", "[2001:db8::7]:443", NULL, "2001:db8::7"},
    {"10.0.0.1", "[2001:db8::7]", NULL, "2001:db8::7"},
    // an unreadable element ends the search at the hop before it
    {"10.0.0.1", "unknown", NULL, "10.0.0.1"},
    {"10.0.0.1", "198.51.100.9, unknown, 10.0.0.2", NULL, "10.0.0.2"},
    {"10.0.0.1", "198.51.100.9, [2001:db8::7", NULL, "10.0.0.1"},
    {"10.0.0.1", "", NULL, "10.0.0.1"},
    {"10.0.0.1", ",,,", NULL, "10.0.0.1"},
    {"10.0.0.1", "198.51.100.999", NULL, "10.0.0.1"},
    // RFC 7239
    {"10.0.0.1", NULL, "for=198.51.100.9", "198.51.100.9"},
    {"10.0.0.1", NULL, "For=\"198.51.100.9:4711\";proto=https", "198.51.100.9"},
    {"10.0.0.1", NULL, "for=\"[2001:db8::7]:4711\"", "2001:db8::7"},
    {"10.0.0.1", NULL, "for=127.0.0.1, proto=http;for=198.51.100.9;by=x, for=10.0.0.2",
     "198.51.100.9"},
    {"10.0.0.1", NULL, "for=_hidden", "10.0.0.1"},
    {"10.0.0.1", NULL, "proto=https", "10.0.0.1"},
    // a client's unclosed quote cannot hide the proxy's own element
    {"10.0.0.1", NULL, "for=\"127.0.0.1, for=198.51.100.9", "10.0.0.1"},
    // the two headers differ: it is unknown which of them the proxy wrote
    {"10.0.0.1", "198.51.100.9", "for=127.0.0.1", "10.0.0.1"},
    {"10.0.0.1", "198.51.100.9", "for=198.51.100.9", "198.51.100.9"},
};

static void clients_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(ways); i++) {
        const struct lq_client_facts facts = {.forwarded_for = ways[i].forwarded_for,
                                              .forwarded = ways[i].forwarded};
        struct lq_client_info client = read_client(&facts, ways[i].peer);
        char text[LQ_NET_ADDRESS_SIZE];
        lq_net_address_print(&client.address, text);
        if (strcmp(text, ways[i].client) != 0)
            print_error("way %zu\n", i);
        assert_string_equal(text, ways[i].client);
    }
}

static void a_long_list_keeps_its_right_end(void **state)
{
    (void)state;
    char list[1024] = "";
    for (int i = 0; i < 60; i++)
        strcat(list, "127.0.0.1, ");
    strcat(list, "198.51.100.9");
    const struct lq_client_facts facts = {.forwarded_for = list};
    struct lq_client_info client = read_client(&facts, "10.0.0.1");
    char text[LQ_NET_ADDRESS_SIZE];
    lq_net_address_print(&client.address, text);
    assert_string_equal(text, "198.51.100.9");
}

static const struct {
    const char *peer;
    struct lq_client_facts facts;
    const char *host;
    bool secure;
} names[] = {
    {"192.0.2.1", {.host = "a.example:8080"}, "a.example:8080", false},
    {"192.0.2.1", {.host = "a.example", .tls = true}, "a.example", true},
    {"192.0.2.1",
     {.host = "a.example", .forwarded_host = "evil.example", .forwarded_proto = "https"},
     "a.example", false},
    {"10.0.0.1",
     {.host = "node1:8080", .forwarded_host = "shop.example", .forwarded_proto = "https"},
     "shop.example", true},
    {"10.0.0.1", {.host = "node1", .forwarded_proto = "wss"}, "node1", true},
    {"10.0.0.1", {.host = "node1", .tls = true, .forwarded_proto = "http"}, "node1", false},
    // each hop added one value: the value of the hop that named the client counts
    {"10.0.0.1",
     {.host = "node1", .forwarded_for = "198.51.100.9, 10.0.0.2",
      .forwarded_host = "shop.example, inner", .forwarded_proto = "https, http"},
     "shop.example", true},
    {"10.0.0.1",
     {.host = "node1", .forwarded_for = "198.51.100.9",
      .forwarded_host = "evil.example, shop.example", .forwarded_proto = "http, https"},
     "shop.example", true},
    {"10.0.0.1", {.host = "node1", .forwarded_host = "shop.example\"><script>"}, "node1", false},
    {"10.0.0.1", {.host = "node1", .forwarded = "for=198.51.100.9;host=shop.example;proto=https"},
     "shop.example", true},
    {"10.0.0.1",
     {.host = "node1", .forwarded = "for=127.0.0.1;host=evil.example, "
                                    "for=198.51.100.9;host=\"shop.example:8443\";proto=https"},
     "shop.example:8443", true},
};

static void names_and_schemes_are_the_clients(void **state)
{
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(names); i++) {
        struct lq_client_info client = read_client(&names[i].facts, names[i].peer);
        if (strcmp(client.host, names[i].host) != 0 || client.secure != names[i].secure)
            print_error("name %zu\n", i);
        assert_string_equal(client.host, names[i].host);
        assert_int_equal(client.secure, names[i].secure);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_are_found),
        cmocka_unit_test(a_long_list_keeps_its_right_end),
        cmocka_unit_test(names_and_schemes_are_the_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
