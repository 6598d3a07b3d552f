// Counts allocations: after warm-up the pipeline's own code makes none, and what the libraries
// under it allocate per frame is given back per frame.
#include <dirent.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "frame/frame.h"
#include "unit/unit.h"

// malloc and its family are replaced in this program. A call whose return address lies in the
// program itself (where liblacquer's code is linked) is ours; one from a shared library is theirs.
extern char __executable_start, etext;
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);

static atomic_long ours, theirs;

static void count(const void *caller)
{
    bool own = (const char *)caller >= &__executable_start && (const char *)caller < &etext;
    atomic_fetch_add(own ? &ours : &theirs, 1);
}

#ifndef LQ_SANITIZE
// Visible, so that the libraries use them too; never inlined, so that the caller can be told.
#define REPLACED __attribute__((visibility("default"), noinline))

REPLACED void *malloc(size_t size)
{
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

REPLACED void *calloc(size_t number, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_calloc(number, size);
}

REPLACED void *realloc(void *old, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_realloc(old, size);
}

REPLACED void *aligned_alloc(size_t alignment, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}
#endif

static struct lq_buf input, output;
static struct lq_model *model;
static struct lq_pipe *pipe_;

static int open_all(void **state)
{
    (void)state;
    struct lq_error err;
    struct lq_model_options options = {.threads = 1};
    lq_buf_init(&input, 1 << 20);
    lq_buf_init(&output, 1 << 22);
    if (lq_file_read("tests/golden/hands/light.jpg", &input, &err) != LQ_OK ||
        lq_model_open(&model, "models/nail.onnx", &options, &err) != LQ_OK ||
        lq_pipe_new(&pipe_, model, &err) != LQ_OK) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lq_pipe_free(pipe_);
    lq_model_close(model);
    lq_buf_release(&input);
    lq_buf_release(&output);
    return 0;
}

static void run_frame(void)
{
    struct lq_error err;
    struct lq_job job;
    lq_job_init(&job);
    lq_buf_clear(&output);
    job.input = input.data;
    job.input_len = input.len;
    job.output = &output;
    assert_ok(lq_pipe_run(pipe_, &job, &err));
    assert_true(output.len > 1000);
    assert_true(job.nails->count > 0);
}

static void the_counter_counts(void **state)
{
    (void)state;
    long before = atomic_load(&ours);
    void *volatile memory = malloc(10);
    free(memory);
    assert_int_equal(atomic_load(&ours) - before, 1);
}

static void a_warm_frame_allocates_nothing_of_ours(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        run_frame();
    long before = atomic_load(&ours), before_theirs = atomic_load(&theirs);
    for (int i = 0; i < 50; i++)
        run_frame();
    print_message("allocations a frame: 0 expected of ours, %.1f inside libraries\n",
                  (double)(atomic_load(&theirs) - before_theirs) / 50);
    assert_int_equal(atomic_load(&ours) - before, 0);
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
#ifdef LQ_SANITIZE
    return 77; // the sanitizer owns malloc
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counter_counts),
        cmocka_unit_test(a_warm_frame_allocates_nothing_of_ours),
        cmocka_unit_test(memory_in_use_stays_flat),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
