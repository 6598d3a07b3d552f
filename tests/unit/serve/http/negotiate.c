#include "serve/http/negotiate.h"

#include "base/attr.h"
#include "unit/unit.h"

enum { ALL = 1 << LQ_CODING_IDENTITY | 1 << LQ_CODING_GZIP | 1 << LQ_CODING_BROTLI,
       PLAIN = 1 << LQ_CODING_IDENTITY,
       NONE = -1 };

static void the_coding_liked_best_is_chosen(void **state)
{
    (void)state;
    static const struct { const char *accept; unsigned available; int chosen; } table[] = {
        {NULL, ALL, LQ_CODING_IDENTITY},
        {"", ALL, LQ_CODING_IDENTITY},
        {"gzip, deflate, br, zstd", ALL, LQ_CODING_BROTLI},
        {"gzip, deflate, br, zstd", PLAIN, LQ_CODING_IDENTITY},
        {"gzip", ALL, LQ_CODING_GZIP},
        {"X-GZip", ALL, LQ_CODING_GZIP},
        {"br;q=0, gzip", ALL, LQ_CODING_GZIP},
        {"br;q=0", ALL, LQ_CODING_IDENTITY},
        {"br ; q=0.000 ,gzip;q=0", ALL, LQ_CODING_IDENTITY},
        {"br;q=0.5, gzip;q=0.501", ALL, LQ_CODING_GZIP},
        {"br;q=0.5, gzip;q=0.5", ALL, LQ_CODING_BROTLI},
        {"BR;Q=1.000", ALL, LQ_CODING_BROTLI},
        {"*", ALL, LQ_CODING_BROTLI},
        {"*;q=0", ALL, NONE},
        {"*;q=0, gzip", ALL, LQ_CODING_GZIP},
        {"*;q=0, identity", ALL, LQ_CODING_IDENTITY},
        {"gzip;q=0, *", ALL, LQ_CODING_BROTLI},
        {"identity;q=0", ALL, NONE},
        {"identity;q=0, br", ALL, LQ_CODING_BROTLI},
        {"identity;q=0, br", PLAIN, NONE},
        {"identity;q=0, *;q=0.1", ALL, LQ_CODING_BROTLI},
        {"identity, br;q=0.5", ALL, LQ_CODING_IDENTITY},
        {"identity;q=0.5, gzip;q=0.4", ALL, LQ_CODING_IDENTITY},
        {", ,gzip,", ALL, LQ_CODING_GZIP},
        {"gzipped, brotli", ALL, LQ_CODING_IDENTITY},
        // A malformed weight: the coding is not used.
        {"br;q=2, gzip;q=0.1", ALL, LQ_CODING_GZIP},
        {"br;q=1.5, gzip;q=0.1", ALL, LQ_CODING_GZIP},
        {"br;q=x, gzip;q=0.1", ALL, LQ_CODING_GZIP},
        {"br;q=0.1234, gzip;q=0.1", ALL, LQ_CODING_GZIP},
        {"br;level=9, gzip", ALL, LQ_CODING_GZIP},
        {"br;q=, gzip", ALL, LQ_CODING_GZIP},
        {"br;, gzip", ALL, LQ_CODING_GZIP},
        {"br gzip", ALL, LQ_CODING_IDENTITY},
    };
    for (size_t i = 0; i < LQ_COUNT(table); i++)
        if (lq_coding_choose(table[i].accept, table[i].available) != table[i].chosen)
            fail_msg("%s: %d", table[i].accept ? table[i].accept : "(none)",
                     lq_coding_choose(table[i].accept, table[i].available));
}

static void a_tag_is_found_in_its_list(void **state)
{
    (void)state;
    static const struct { const char *list; bool listed; } table[] = {
        {"\"abc\"", true},
        {"*", true},
        {" * ", true},
        {"W/\"abc\"", true}, // weak comparison, 13.1.2
        {"\"x\", \"abc\"", true},
        {"\"a,b\",W/\"abc\" , \"y\"", true},
        {"\"x\",,\"abc\"", true},
        {"\"abc-br\"", false},
        {"\"ab\"", false},
        {"abc", false},
        {"\"abc", false},
        {"w/\"abc\"", false},
        {"\"x\", *", false},
        {"**", false},
        {"", false},
    };
    for (size_t i = 0; i < LQ_COUNT(table); i++)
        if (lq_etag_is_listed(table[i].list, "\"abc\"") != table[i].listed)
            fail_msg("%s", table[i].list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_coding_liked_best_is_chosen),
        cmocka_unit_test(a_tag_is_found_in_its_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
