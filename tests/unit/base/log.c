#include "base/log.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/trace.h"
#include "unit/unit.h"

// What one call writes to stderr.
#define said(text, call)                                                                          \
    do {                                                                                          \
        int ends[2], before = dup(STDERR_FILENO);                                                 \
        assert_ok(pipe(ends));                                                                    \
        dup2(ends[1], STDERR_FILENO);                                                             \
        close(ends[1]);                                                                           \
        call;                                                                                     \
        dup2(before, STDERR_FILENO);                                                              \
        close(before);                                                                            \
        ssize_t len = read(ends[0], (text), sizeof(text) - 1);                                    \
        close(ends[0]);                                                                           \
        (text)[len > 0 ? len : 0] = 0;                                                            \
    } while (0)

static void text_is_time_level_and_message(void **state)
{
    (void)state;
    char text[4096];
    said(text, lq_log_warn("low on %s", "pink"));
    assert_int_equal(strlen(text), strlen("2026-11-24T04:00:00.000Z warn  low on pink\n"));
    assert_string_equal(text + 24, " warn  low on pink\n");
    assert_int_equal(text[10], 'T');
    said(text, lq_log_debug("not told"));
    assert_string_equal(text, "");
    said(text, lq_log_warn("named '%s'", "a\n2026 error \x1b[2J\x7f\xc2\x9b" "1mr\xc3\xb6t"));
    assert_string_equal(text + 24, " warn  named 'a?2026 error ?[2J???1mr\xc3\xb6t'\n");
}

static void json_is_an_object_a_line(void **state)
{
    (void)state;
    char text[4096];
    struct lq_trace trace;
    assert_true(lq_trace_parse(&trace, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    lq_log_set_format(LQ_LOG_JSON);
    lq_trace_enter(&trace);
    said(text, lq_log_error("cannot read '%s'", "a\"b\\c\nd\x1b\xc3"));
    lq_trace_enter(NULL);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    json_t *line = json_loads(text, 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(line, "message")),
                        "cannot read 'a\"b\\c\nd\x1b?'");
    assert_string_equal(json_string_value(json_object_get(line, "trace_id")),
                        "4bf92f3577b34da6a3ce929d0e0e4736");
    json_decref(line);
    lq_log_set_format(LQ_LOG_TEXT);
}

static void the_longest_message_fits(void **state)
{
    (void)state;
    char text[4096], longer[1000];
    memset(longer, 1, sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    for (int format = LQ_LOG_TEXT; format <= LQ_LOG_JSON; format++) {
        lq_log_set_format((enum lq_log_format)format);
        said(text, lq_log_info("%s", longer));
        assert_int_equal(text[strlen(text) - 1], '\n');
    }
    json_t *line = json_loads(text, 0, NULL);
    assert_int_equal(json_string_length(json_object_get(line, "message")), 400);
    assert_null(json_object_get(line, "trace_id"));
    json_decref(line);
    lq_log_set_format(LQ_LOG_TEXT);
}

static char taken[512];
static enum lq_log_level taken_level;

static void take(void *context, enum lq_log_level level, const char *message)
{
    taken_level = level;
    snprintf(taken, sizeof taken, "%s %s", (const char *)context, message);
}

static void a_sink_gets_lines_in_place_of_stderr(void **state)
{
    (void)state;
    char text[4096], user[] = "host:";
    lq_log_set_sink(take, user);
    said(text, lq_log_warn("a %d", 1));
    assert_string_equal(text, "");
    assert_string_equal(taken, "host: a 1");
    assert_int_equal(taken_level, LQ_LOG_WARN);
    lq_log_set_sink(NULL, NULL);
    said(text, lq_log_warn("a %d", 2));
    assert_non_null(strstr(text, "a 2"));
    assert_string_equal(taken, "host: a 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_time_level_and_message),
        cmocka_unit_test(json_is_an_object_a_line),
        cmocka_unit_test(the_longest_message_fits),
        cmocka_unit_test(a_sink_gets_lines_in_place_of_stderr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
