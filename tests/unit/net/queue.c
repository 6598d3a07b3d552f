#include "net/queue.h"

#include <string.h>

#include "base/error.h"
#include "unit/unit.h"

static void gather(const struct lq_queue *queue, char *text)
{
    struct iovec pieces[8];
    int count = lq_queue_pieces(queue, pieces, 8);
    for (int i = 0; i < count; text += pieces[i++].iov_len)
        memcpy(text, pieces[i].iov_base, pieces[i].iov_len);
    *text = 0;
}

static void keeps_order_and_counts_copies(void **state)
{
    struct lq_queue queue;
    size_t total = 100;
    char text[64], lent[] = "lent";
    (void)state;
    lq_queue_init(&queue, &total);
    assert_ok(lq_queue_copy(&queue, "head:", 5));
    assert_ok(lq_queue_borrow(&queue, lent, 4));
    assert_ok(lq_queue_copy(&queue, "!", 1));
    assert_ok(lq_queue_copy(&queue, "", 0));
    gather(&queue, text);
    assert_string_equal(text, "head:lent!");
    assert_int_equal(queue.waits, 10);
    assert_int_equal(total, 106);
    lq_queue_consume(&queue, 6);
    assert_int_equal(total, 101);
    assert_ok(lq_queue_detach(&queue));
    memset(lent, 'x', 4);
    gather(&queue, text);
    assert_string_equal(text, "ent!");
    assert_int_equal(total, 104);
    lq_queue_consume(&queue, 4);
    assert_int_equal(total, 100);
    assert_ok(lq_queue_borrow(&queue, "z", 1)); // after it was empty
    assert_ok(lq_queue_detach(&queue));
    assert_ok(lq_queue_copy(&queue, "y", 1));
    gather(&queue, text);
    assert_string_equal(text, "zy");
    lq_queue_release(&queue);
    assert_int_equal(total, 100);
    assert_int_equal(queue.waits, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_order_and_counts_copies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
