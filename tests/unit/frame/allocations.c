// Counts allocations: after warm-up the pipeline's own code makes none, and libraries free in each
// frame what they allocate for it.
#include <malloc.h>
#include <stdlib.h>

#include "base/limits.h"
#include "frame/frame.h"
#include "unit/allocations.h"
#include "unit/hand.h"

static struct lq_look look;
static struct lq_tracker *tracker; // NULL: single pictures

static void run_frame(void)
{
    static uint64_t now_us;
    struct lq_error err;
    struct lq_job job;
    lq_job_init(&job);
    job.look = look;
    lq_buf_clear(&output);
    job.input = input.data;
    job.input_len = input.len;
    job.output = &output;
    job.tracker = tracker;
    job.time_us = now_us += 33333;
    assert_ok(lq_pipe_run(pipe_, &job, &err));
    assert_true(output.len > 1000);
    assert_true(job.nails->count > 0);
}

static void the_counter_counts(void **state)
{
    (void)state;
    size_t before = allocations_own;
    void *volatile memory = malloc(10);
    free(memory);
    assert_int_equal(allocations_own - before, 1);
}

static void a_warm_frame_allocates_nothing_of_ours(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        run_frame();
    size_t before = allocations_own, before_foreign = allocations_foreign;
    for (int i = 0; i < 50; i++)
        run_frame();
    print_message("allocations a frame: 0 expected of ours, %.1f inside libraries\n",
                  (double)(allocations_foreign - before_foreign) / 50);
    assert_int_equal(allocations_own - before, 0);
}

// Longer nails and every finish need more rows and crops than the plain look.
static void no_look_allocates_when_warm(void **state)
{
    (void)state;
    size_t before = 0;
    look.extension = (struct lq_extension){LQ_SHAPE_ALMOND, 0.6f};
    for (int round = 0; round < 2; round++) {
        before = allocations_own;
        for (int i = 0; i < LQ_FINISH_COUNT; i++) {
            lq_look_set_finish(&look, (enum lq_finish)i);
            run_frame();
        }
    }
    assert_int_equal(allocations_own - before, 0);
    look = lq_look_default();
}

static void a_warm_frame_of_a_video_allocates_nothing_of_ours(void **state)
{
    assert_ok(lq_tracker_new(&tracker));
    a_warm_frame_allocates_nothing_of_ours(state);
    lq_tracker_free(tracker);
    tracker = NULL;
}

static void memory_in_use_stays_flat(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        run_frame();
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 50; i++)
        run_frame();
    size_t after = mallinfo2().uordblks;
    assert_true(after <= before + 4096);
}

int main(void)
{
    if (!allocations_counted)
        return 77; // skipped: the sanitizer owns malloc
    look = lq_look_default();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counter_counts),
        cmocka_unit_test(a_warm_frame_allocates_nothing_of_ours),
        cmocka_unit_test(no_look_allocates_when_warm),
        cmocka_unit_test(a_warm_frame_of_a_video_allocates_nothing_of_ours),
        cmocka_unit_test(memory_in_use_stays_flat),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
