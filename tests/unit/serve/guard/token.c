#include "serve/guard/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "unit/temporary.h"

static struct lq_error err;

static int read_text(struct lq_tokens *tokens, const char *text)
{
    assert_ok(lq_file_write(path, text, strlen(text), &err));
    return lq_tokens_read(tokens, path, &err);
}

static bool allows(const struct lq_tokens *tokens, const char *text)
{
    uint8_t digest[LQ_TOKEN_DIGEST_BYTES];
    bool allowed = lq_tokens_allow(tokens, text, strlen(text), digest);
    assert_int_equal(lq_tokens_know(tokens, digest), allowed);
    return allowed;
}

static void one_a_line(void **state)
{
    (void)state;
    struct lq_tokens tokens = {0};
    assert_ok(read_text(&tokens, "# for the shop\n\nabcdefghijklmnop\r\n0123456789-._~+/=   \n"));
    assert_int_equal(tokens.count, 2);
    assert_true(allows(&tokens, "abcdefghijklmnop"));
    assert_true(allows(&tokens, "0123456789-._~+/="));
    assert_false(allows(&tokens, "abcdefghijklmno"));
    assert_false(allows(&tokens, "abcdefghijklmnop "));
    assert_false(allows(&tokens, "# for the shop"));
    assert_false(allows(&tokens, ""));
}

// crosses: TOKENS_MAX, TOKEN_CHARS_MAX
static void a_bad_file_changes_nothing_and_is_not_quoted(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "\n# only this\n", "secretshort\n",
                                      "abcdefghijklmnop\nsecret with blanks in it\n",
                                      "secretsecretsecret\tsecret\n"};
    struct lq_tokens tokens = {0};
    assert_ok(read_text(&tokens, "abcdefghijklmnop\n"));
    for (size_t i = 0; i < LQ_COUNT(bad); i++) {
        assert_int_equal(read_text(&tokens, bad[i]), LQ_ERR_ARGUMENT);
        assert_null(strstr(err.text, "secret"));
        assert_true(tokens.count == 1 && allows(&tokens, "abcdefghijklmnop"));
    }
    char lines[LQ_TOKENS_MAX + 1][24] = {{0}}, all[sizeof lines + 1] = "";
    for (int i = 0; i <= LQ_TOKENS_MAX; i++) {
        snprintf(lines[i], sizeof lines[i], "token-number-%06d\n", i);
        strcat(all, lines[i]);
    }
    assert_int_equal(read_text(&tokens, all), LQ_ERR_ARGUMENT);
    char longest[LQ_TOKEN_CHARS_MAX + 2] = "";
    memset(longest, 'x', LQ_TOKEN_CHARS_MAX);
    assert_ok(read_text(&tokens, longest));
    longest[LQ_TOKEN_CHARS_MAX] = 'x';
    assert_int_equal(read_text(&tokens, longest), LQ_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_a_line),
        cmocka_unit_test(a_bad_file_changes_nothing_and_is_not_quoted),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
