// Every kind of option in one table, and the error messages for wrong values.
#include "cli/options.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "cli/cli.h"
#include "unit/unit.h"

struct shared {
    float share;
};

struct input {
    struct shared shared;
    const char *text, *in, *out;
    char **rest;
    double seconds;
    int count, called, rest_count;
    enum { RED, GREEN } colour;
    bool on, off, checked;
};

static void call(struct argp_state *state, void *input, char *arg)
{
    (void)state;
    ((struct input *)input)->called += arg ? (int)strlen(arg) : 100;
}

static void check_shared(struct argp_state *state, void *input)
{
    if (((struct shared *)input)->share > 0.9f)
        argp_error(state, "too large a share");
}

static void check(struct argp_state *state, void *input)
{
    struct input *all = input;
    if (all->count == 13)
        argp_error(state, "not thirteen");
    all->checked = true;
}

static void take_rest(struct argp_state *state, void *input)
{
    struct input *all = input;
    all->rest = state->argv + state->next;
    all->rest_count = state->argc - state->next;
}

static const char *const colours[] = {"red", "green", NULL};
static const struct lq_cli_option shared_options[] = {
    {"share", "0..1", "A share", 2, LQ_CLI_TAKE_NUMBER(struct shared, share, 0, 1)}, {0}};
static const struct lq_cli_spec shared = {.options = shared_options, .check = check_shared};
static const struct lq_cli_part parts[] = {{&shared, offsetof(struct input, shared)}, {0}};
static const struct lq_cli_option options[] = {
    {NULL, NULL, "All of them:", 1},
    {"on", NULL, "On", 1, LQ_CLI_TAKE_ON(struct input, on)},
    {"off", NULL, "Off", 1, LQ_CLI_TAKE_OFF(struct input, off)},
    {"text", "TEXT", "A text", 1, LQ_CLI_TAKE_TEXT(struct input, text), .letter = 't'},
    {"count", "N", "A whole number", 1, LQ_CLI_TAKE_INTEGER(struct input, count, -5, 50)},
    {"number", NULL, NULL, 1, .flags = OPTION_ALIAS | OPTION_HIDDEN},
    {"seconds", "N", "A number", 1, LQ_CLI_TAKE_NUMBER(struct input, seconds, 0.5, 2)},
    {"colour", "red|green", "A word", 1, LQ_CLI_TAKE_WORD(struct input, colour, colours)},
    {"call", "ANY", "A call", 1, LQ_CLI_TAKE_CALL(call), .flags = OPTION_ARG_OPTIONAL},
    {0}};
static const struct lq_cli_spec spec = {
    .options = options, .parts = parts, .check = check, .doc = "Tries options.\vLast words."};
static const struct lq_cli_spec in_out = {
    .options = options,
    .words = {2, {offsetof(struct input, in), offsetof(struct input, out)}, "one in, one out"}};
static const struct lq_cli_spec rest = {.options = options, .rest = take_rest};

enum { WORDS_MAX = 16 };

static int split(char *line, char *argv[WORDS_MAX])
{
    int argc = 0;
    argv[argc++] = (char *)"lacquer try";
    for (char *word; (word = strsep(&line, " ")) && argc < WORDS_MAX - 1;)
        if (*word)
            argv[argc++] = word;
    argv[argc] = NULL;
    return argc;
}

static struct input read_line(const struct lq_cli_spec *how, char *line)
{
    struct input input = {.off = true, .text = "unset"};
    char *argv[WORDS_MAX];
    int argc = split(line, argv);
    lq_cli_parse(how, argc, argv, &input);
    return input;
}

static void each_kind_is_stored(void **state)
{
    (void)state;
    char none[] = "", all[] = "--on --off -t word --count=-5 --seconds 1.5 --colour green "
                              "--share 0.25 --call=four --call",
         alias[] = "--number 7 --text again";
    struct input input = read_line(&spec, none);
    assert_true(!input.on && input.off && input.checked && input.colour == RED);
    assert_string_equal(input.text, "unset");
    input = read_line(&spec, all);
    assert_true(input.on && !input.off && input.checked);
    assert_string_equal(input.text, "word");
    assert_int_equal(input.count, -5);
    assert_true(input.seconds == 1.5 && input.shared.share == 0.25f);
    assert_int_equal(input.colour, GREEN);
    assert_int_equal(input.called, 104);
    input = read_line(&spec, alias);
    assert_int_equal(input.count, 7);
    assert_string_equal(input.text, "again");
}

static void words_beside_options_are_taken(void **state)
{
    (void)state;
    char two[] = "a.tflite --on b.onnx", many[] = "--on -- --x y z";
    struct input input = read_line(&in_out, two);
    assert_string_equal(input.in, "a.tflite");
    assert_string_equal(input.out, "b.onnx");
    assert_true(input.on);
    input = read_line(&rest, many);
    assert_int_equal(input.rest_count, 3);
    assert_string_equal(input.rest[0], "--x");
}

// Parses the line in a child process; returns its exit status, and its output in `text`.
static int run_parser(const struct lq_cli_spec *how, const char *line, int stream, char *text,
                size_t size)
{
    char copy[200];
    int status, fd = memfd_create("run_parser", MFD_CLOEXEC);
    assert_true(fd >= 0);
    snprintf(copy, sizeof copy, "%s", line);
    pid_t child = fork();
    if (child == 0) {
        dup2(fd, stream);
        read_line(how, copy);
        _exit(99); // it was accepted
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    ssize_t len = pread(fd, text, size - 1, 0);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_wrong_line_ends_with_its_error(void **state)
{
    (void)state;
    static const struct {
        const struct lq_cli_spec *how;
        const char *line, *wanted;
    } cases[] = {
        {&spec, "--count 51", "--count wants a whole number from -5 to 50, not '51'"},
        {&spec, "--count 1.5", "--count wants a whole number from -5 to 50, not '1.5'"},
        {&spec, "--number x", "--count wants a whole number from -5 to 50, not 'x'"},
        {&spec, "--seconds 3", "--seconds wants a number from 0.5 to 2, not '3'"},
        {&spec, "--share 2", "--share wants a number from 0 to 1, not '2'"},
        {&spec, "--share 0.95", "too large a share"},
        {&spec, "--colour blue", "--colour does not know 'blue'"},
        {&spec, "--count 13", "not thirteen"},
        {&spec, "word", "'word' is not an option"},
        {&spec, "--none", "unrecognized option '--none'"},
        {&spec, "--text", "option '--text' requires an argument"},
        {&in_out, "a b c", "one in, one out"},
    };
    char text[2000];
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        int status = run_parser(cases[i].how, cases[i].line, STDERR_FILENO, text, sizeof text);
        if (status != LQ_EXIT_USAGE || !strstr(text, cases[i].wanted))
            fail_msg("'%s' ended with %d: %s", cases[i].line, status, text);
    }
}

static void help_lists_the_table(void **state)
{
    (void)state;
    static const char *const lines[] = {"Tries options.", "All of them:", "-t, --text=TEXT",
                                        "--call[=ANY]", "--share=0..1", "A whole number",
                                        "Last words."};
    char text[4000];
    assert_int_equal(run_parser(&spec, "--help", STDOUT_FILENO, text, sizeof text), LQ_EXIT_OK);
    for (size_t i = 0; i < LQ_COUNT(lines); i++)
        assert_non_null(strstr(text, lines[i]));
    assert_null(strstr(text, "--number")); // hidden
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_stored),
        cmocka_unit_test(words_beside_options_are_taken),
        cmocka_unit_test(a_wrong_line_ends_with_its_error),
        cmocka_unit_test(help_lists_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
