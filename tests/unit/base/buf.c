#include "base/buf.h"

#include <string.h>

#include "unit/unit.h"

static void grows_and_keeps_contents(void **state)
{
    (void)state;
    struct lq_buf buf;
    lq_buf_init(&buf, 1 << 20);
    for (int i = 0; i < 10000; i++)
        assert_ok(lq_buf_append(&buf, &(uint8_t){(uint8_t)i}, 1));
    assert_int_equal(buf.len, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf.data[i], (uint8_t)i);
    assert_int_equal((uintptr_t)buf.data % 64, 0);
    lq_buf_release(&buf);
}

static void refuses_more_than_its_maximum(void **state)
{
    (void)state;
    struct lq_buf buf;
    lq_buf_init(&buf, 10);
    assert_ok(lq_buf_append(&buf, "0123456789", 10));
    assert_int_equal(lq_buf_append(&buf, "x", 1), LQ_ERR_TOO_LARGE);
    assert_int_equal(lq_buf_append(&buf, "x", SIZE_MAX), LQ_ERR_TOO_LARGE);
    assert_int_equal(lq_buf_resize(&buf, 11), LQ_ERR_TOO_LARGE);
    assert_memory_equal(buf.data, "0123456789", 10);
    lq_buf_release(&buf);
}

static void clear_keeps_the_memory(void **state)
{
    (void)state;
    struct lq_buf buf;
    lq_buf_init(&buf, 1 << 20);
    assert_ok(lq_buf_resize(&buf, 100000));
    uint8_t *before = buf.data;
    lq_buf_clear(&buf);
    assert_ok(lq_buf_resize(&buf, 100000));
    assert_ptr_equal(buf.data, before);
    lq_buf_release(&buf);
}

static void prints_at_the_end(void **state)
{
    (void)state;
    struct lq_buf buf;
    lq_buf_init(&buf, 64);
    assert_ok(lq_buf_printf(&buf, "%d-%s", 7, "a"));
    assert_ok(lq_buf_printf(&buf, "!"));
    assert_int_equal(buf.len, 4);
    assert_memory_equal(buf.data, "7-a!", 4);
    assert_int_equal(lq_buf_printf(&buf, "%100d", 1), LQ_ERR_TOO_LARGE);
    assert_int_equal(buf.len, 4);
    lq_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps_contents),
        cmocka_unit_test(refuses_more_than_its_maximum),
        cmocka_unit_test(clear_keeps_the_memory),
        cmocka_unit_test(prints_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
