#include "base/trace.h"

#include <string.h>

#include "unit/unit.h"

// The example of the specification, section 3.2.
#define EXAMPLE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void a_good_one_is_accepted(void **state)
{
    (void)state;
    struct lq_trace trace;
    char id[LQ_TRACE_ID_SIZE];
    assert_true(lq_trace_parse(&trace, EXAMPLE));
    lq_trace_enter(&trace);
    assert_string_equal(lq_trace_parent(), EXAMPLE);
    lq_trace_id(id);
    assert_string_equal(id, "4bf92f3577b34da6a3ce929d0e0e4736");
    lq_trace_enter(NULL);
    assert_string_equal(lq_trace_parent(), "");
    lq_trace_id(id);
    assert_string_equal(id, "");
}

static void the_known_part_of_a_later_version_is_kept(void **state)
{
    (void)state;
    struct lq_trace trace;
    assert_true(lq_trace_parse(&trace, "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"));
    assert_string_equal(trace.parent, EXAMPLE);
}

static void others_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "00", "00-", "hello",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473\"-00f067aa0ba902b7-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lq_trace trace = {"x"};
        assert_false(lq_trace_parse(&trace, bad[i]));
        assert_string_equal(trace.parent, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one_is_accepted),
        cmocka_unit_test(the_known_part_of_a_later_version_is_kept),
        cmocka_unit_test(others_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
