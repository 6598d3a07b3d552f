#include "paint/shop_text.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

static struct lq_catalogue *catalogue;

static void prices_are_read_in_every_spelling(void **state)
{
    (void)state;
    static const struct { const char *text, *price, *currency; } table[] = {
        {"12.90", "12.90", ""}, {"12,90", "12.90", ""}, {"12", "12.00", ""}, {"12,9", "12.90", ""},
        {"\xe2\x82\xac 1.299,00", "1299.00", "EUR"}, {"1,299.00", "1299.00", ""},
        {"1.299", "1299.00", ""}, {"1,299", "1299.00", ""},
        {"1 299,50 \xe2\x82\xac", "1299.50", "EUR"},
        {"1\xe2\x80\xaf" "299,50\xc2\xa0\xe2\x82\xac", "1299.50", "EUR"},
        {"CHF 1'299.05", "1299.05", "CHF"}, {"$9.99", "9.99", "USD"}, {"US$ 5", "5.00", "USD"},
        {"9.99 USD", "9.99", "USD"}, {"\xc2\xa3" "8.50", "8.50", "GBP"}, {"0", "0.00", ""},
        {"12.345.678", "12345678.00", ""}, {"12.9000", "12.90", ""}, {".5", "0.50", ""},
    };
    for (size_t i = 0; i < LQ_COUNT(table); i++) {
        char price[16] = "", currency[4] = "";
        if (!lq_shop_price(table[i].text, price, currency) ||
            strcmp(price, table[i].price) != 0 || strcmp(currency, table[i].currency) != 0)
            fail_msg("%s: %s %s", table[i].text, price, currency);
    }
    static const char *const none[] = {"", "free", "-5.00", "EUR", "\xe2\x82\xac"};
    for (size_t i = 0; i < LQ_COUNT(none); i++) {
        char price[16], currency[4] = "";
        assert_false(lq_shop_price(none[i], price, currency));
    }
}

static void article_numbers_have_a_right_last_digit(void **state)
{
    (void)state;
    static const struct { const char *text; enum lq_gtin is; } table[] = {
        {"4006381333931", LQ_GTIN_GOOD}, {"'4006381333931", LQ_GTIN_GOOD},
        {"400-6381-33393-1", LQ_GTIN_GOOD}, {"036000291452", LQ_GTIN_GOOD},
        {"96385074", LQ_GTIN_GOOD}, {"10614141000415", LQ_GTIN_GOOD},
        {"4006381333932", LQ_GTIN_DIGIT}, {"4006381333913", LQ_GTIN_DIGIT},
        {"123456789", LQ_GTIN_LENGTH}, {"4006381333931000", LQ_GTIN_LENGTH},
        {"LQ-0001", LQ_GTIN_LENGTH}, {"4.00638E+12", LQ_GTIN_ROUNDED}, {"", LQ_GTIN_NONE},
        {"'", LQ_GTIN_NONE},
    };
    for (size_t i = 0; i < LQ_COUNT(table); i++) {
        char gtin[16] = "";
        if (lq_shop_gtin(table[i].text, gtin) != table[i].is)
            fail_msg("%s", table[i].text);
        assert_int_equal(*gtin != 0, table[i].is == LQ_GTIN_GOOD);
    }
}

static void codes_are_found_where_people_put_them(void **state)
{
    (void)state;
    static const struct { const char *text; bool bare; const char *found; } table[] = {
        {"#5a1118", false, "5a1118"}, {"Oxblood (#5A1118)", false, "5a1118"},
        {"red, hex:#f0a", false, "ff00aa"}, {"5a1118", true, "5a1118"},
        {" 5a1118 ", true, "5a1118"},
        {"<p style=\"color:#000000\">A red: #5a1118</p>", false, "5a1118"},
        {"<p style=\"color:#000000\">A red</p>", false, ""}, {"5a1118", false, ""},
        {"#1234 and #abcdef0", false, ""}, {"No. #12", false, ""}, {"decade", true, "decade"},
        {"", true, ""}, {"<a #fff", false, ""},
    };
    for (size_t i = 0; i < LQ_COUNT(table); i++) {
        uint8_t color[3];
        char found[8] = "";
        if (lq_shop_hex(table[i].text, table[i].bare, color))
            snprintf(found, sizeof found, "%02x%02x%02x", color[0], color[1], color[2]);
        if (strcmp(found, table[i].found) != 0)
            fail_msg("%s: %s", table[i].text, found);
    }
}

static void a_colour_is_known_by_its_whole_name(void **state)
{
    (void)state;
    uint8_t color[3];
    assert_true(lq_shop_color_name(catalogue, "Oxblood", color));
    assert_true(lq_shop_color_name(catalogue, " oxblood ", color));
    assert_true(lq_shop_color_name(catalogue, "Navy", color));
    static const char *const none[] = {"", "Oxblood Matte", "bad", "123", "#fff", "Midnight"};
    for (size_t i = 0; i < LQ_COUNT(none); i++)
        assert_false(lq_shop_color_name(catalogue, none[i], color));
}

static void names_are_spelled_for_addresses(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"Cr\xc3\xa8me Br\xc3\xbbl\xc3\xa9" "e N\xc2\xb0 5!", "creme-brulee-n-5"},
        {"--Red & Gold--", "red-gold"}, {"\xc5\x81\xc3\xb3" "d\xc5\xba", "lodz"},
        {"\xd8\xa3\xd8\xad\xd9\x85\xd8\xb1", ""}, {"", ""},
        {"a very long name that goes on and on and never ends at all",
         "a-very-long-name-that-goes-on-and-on-and-never"},
    };
    for (size_t i = 0; i < LQ_COUNT(pairs); i++) {
        char name[LQ_LOOK_NAME_MAX];
        lq_shop_slug(pairs[i][0], name);
        assert_string_equal(name, pairs[i][1]);
    }
}

static void titles_are_without_their_code(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"Oxblood (#5a1118)", "Oxblood"}, {"Oxblood #5a1118", "Oxblood"}, {"#5a1118", ""},
        {"#5a1118 Oxblood", "Oxblood"}, {"Oxblood - #5a1118, matte", "Oxblood , matte"},
        {"No. #12 red", "No. #12 red"}, {"Oxblood", "Oxblood"},
    };
    for (size_t i = 0; i < LQ_COUNT(pairs); i++) {
        char title[LQ_LOOK_NAME_MAX];
        lq_shop_title(title, sizeof title, pairs[i][0]);
        assert_string_equal(title, pairs[i][1]);
    }
}

static void copies_end_with_a_whole_character(void **state)
{
    (void)state;
    char out[6];
    lq_shop_copy(out, sizeof out, "  caf\xc3\xa9s ");
    assert_string_equal(out, "caf\xc3\xa9");
    lq_shop_copy(out, sizeof out, "cafe\xc3\xa9");
    assert_string_equal(out, "cafe");
}

static int open_catalogue(void **state)
{
    (void)state;
    struct lq_error err;
    return lq_catalogue_open(&catalogue, NULL, &err);
}

static int close_catalogue(void **state)
{
    (void)state;
    lq_catalogue_close(catalogue);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices_are_read_in_every_spelling),
        cmocka_unit_test(article_numbers_have_a_right_last_digit),
        cmocka_unit_test(codes_are_found_where_people_put_them),
        cmocka_unit_test(a_colour_is_known_by_its_whole_name),
        cmocka_unit_test(names_are_spelled_for_addresses),
        cmocka_unit_test(titles_are_without_their_code),
        cmocka_unit_test(copies_end_with_a_whole_character),
    };
    return cmocka_run_group_tests(tests, open_catalogue, close_catalogue);
}
