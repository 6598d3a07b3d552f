#include "net/address.h"

#include <string.h>

#include "unit/unit.h"

static void reads_and_prints(void **state)
{
    static const struct { const char *text, *printed; int family; } all[] = {
        {"192.0.2.1", "192.0.2.1", 4}, {"::1", "::1", 6}, {"2001:DB8::1", "2001:db8::1", 6},
        {"::ffff:192.0.2.1", "192.0.2.1", 4}, {"example.org", "unknown", 0},
        {"1.2.3", "unknown", 0},
        {"[::1]", "unknown", 0}, {"", "unknown", 0},
    };
    struct lq_net_address address;
    char text[LQ_NET_ADDRESS_SIZE];
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(all); i++) {
        assert_int_equal(lq_net_address_parse(&address, all[i].text), all[i].family != 0);
        assert_int_equal(address.family, all[i].family);
        lq_net_address_print(&address, text);
        assert_string_equal(text, all[i].printed);
    }
}

static void knows_what_is_in_a_block(void **state)
{
    static const struct { const char *block, *in, *out; } all[] = {
        {"10.0.0.0/8", "10.255.0.1", "11.0.0.0"}, {"192.0.2.7", "192.0.2.7", "192.0.2.6"},
        {"0.0.0.0/0", "255.255.255.255", "::1"}, {"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
        {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"}, {"::/0", "::1", "1.2.3.4"},
        {"::1/128", "::1", "::2"},
    };
    struct lq_net_block block;
    struct lq_net_address address;
    struct lq_error error;
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(all); i++) {
        assert_ok(lq_net_block_parse(&block, all[i].block, &error));
        assert_true(lq_net_address_parse(&address, all[i].in));
        assert_true(lq_net_block_has(&block, &address));
        assert_true(lq_net_address_parse(&address, all[i].out));
        assert_false(lq_net_block_has(&block, &address));
    }
}

static void refuses_other_blocks(void **state)
{
    static const char *const bad[] = {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                                      "10.0.0.1/8", "10.0.0.0/8x", "::1/129", "x/1", "10.0.0.0/ 8"};
    struct lq_net_block block;
    struct lq_error error;
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(bad); i++)
        assert_int_equal(lq_net_block_parse(&block, bad[i], &error), LQ_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_prints), cmocka_unit_test(knows_what_is_in_a_block),
        cmocka_unit_test(refuses_other_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
