// The sample is this program's own file, which needs the C library. Damaged copies are rejected, or
// read without going past their end.
#include "engine/elf_needed.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "unit/unit.h"

static struct lq_buf self;
static int seen, seen_libc;

static void note(void *context, const char *name)
{
    (void)context;
    seen++;
    seen_libc += strncmp(name, "libc.so", 7) == 0;
}

static bool look(const uint8_t *bytes, size_t len)
{
    seen = seen_libc = 0;
    return lq_elf_needed(bytes, len, note, NULL);
}

static int read_self(void **state)
{
    (void)state;
    struct lq_error err;
    lq_buf_init(&self, 1 << 26);
    return lq_file_read("/proc/self/exe", &self, &err);
}

static int forget_self(void **state)
{
    (void)state;
    lq_buf_release(&self);
    return 0;
}

static void names_are_found(void **state)
{
    (void)state;
    assert_true(look(self.data, self.len));
    assert_int_equal(seen_libc, 1);
    seen = seen_libc = 0;
    assert_true(lq_elf_needed_file("/proc/self/exe", note, NULL));
    assert_int_equal(seen_libc, 1);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    assert_false(look((const uint8_t *)"not a library", 13));
    assert_false(look(NULL, 0));
    assert_false(lq_elf_needed_file("/proc/self/no such file", note, NULL));
    assert_false(lq_elf_needed_file("/", note, NULL));
}

// Uses memory of exactly that size, so that a sanitizer detects a read past its end.
static void damage_is_survived(void **state)
{
    (void)state;
    for (size_t len = 0; len < self.len; len = len * 2 + 7) {
        uint8_t *cut = malloc(len + !len);
        memcpy(cut, self.data, len);
        (void)look(cut, len);
        free(cut);
    }
    size_t head = self.len < 4096 ? self.len : 4096;
    uint8_t *spoilt = malloc(self.len);
    uint32_t random = 5;
    for (int round = 0; round < 2000; round++) {
        memcpy(spoilt, self.data, self.len);
        for (int i = 0; i < 4; i++)
            spoilt[unit_random(&random) % head] = (uint8_t)unit_random(&random);
        (void)look(spoilt, self.len);
    }
    free(spoilt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, read_self, forget_self);
}
