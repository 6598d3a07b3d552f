#include "base/utf8.h"

#include <string.h>

#include "base/attr.h"
#include "unit/unit.h"

static const struct {
    const char *bytes;
    bool is_text;
} texts[] = {
    {"", true},
    {"plain words, longer than eight bytes", true},
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\x85", true},
    {"\xc3", false},                 // ends within a character
    {"\xa9", false},                 // begins within one
    {"\xc0\x80", false},             // overlong
    {"\xe0\x9f\xbf", false},
    {"\xed\xa0\x80", false},         // a surrogate
    {"\xf4\x90\x80\x80", false},     // above 0x10ffff
    {"caf\xe9, of Windows-1252", false},
};

static void distinguishes_text_from_other_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < LQ_COUNT(texts); i++)
        if (lq_utf8_is_text((const uint8_t *)texts[i].bytes, strlen(texts[i].bytes)) !=
            texts[i].is_text)
            fail_msg("text %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distinguishes_text_from_other_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
