// A benchmark of fake engines, which only wait.
#include "model/precision.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/unit.h"

static struct lq_error err;
static struct lq_engine_model model;
static int wait_us[3]; // by precision
static enum lq_precision breaks; // AUTO: none
static int opened, requested, runs;
static float input[4];
static struct lq_tensors tensors = {.input_count = 1, .output_count = 0};

static int fake_compile(struct lq_engine **engine, struct lq_engine_model *from,
                        const struct lq_engine_options *options, struct lq_error *why)
{
    (void)why;
    assert_ptr_equal(from, &model);
    opened++;
    *engine = (struct lq_engine *)(wait_us + options->precision);
    return LQ_OK;
}

static void fake_close(struct lq_engine *engine)
{
    opened -= engine != NULL;
}

static int fake_request_new(struct lq_request **request, struct lq_engine *engine,
                            struct lq_error *why)
{
    (void)why;
    requested++;
    *request = (struct lq_request *)engine;
    return LQ_OK;
}

static void fake_request_free(struct lq_request *request)
{
    requested -= request != NULL;
}

static const struct lq_tensors *fake_tensors(struct lq_request *request)
{
    (void)request;
    return &tensors;
}

static int fake_run(struct lq_request *request, uint64_t deadline_us, struct lq_error *why)
{
    (void)deadline_us;
    const int *wait = (const int *)request;
    runs++;
    assert_true(input[0] == 0.0f && input[3] == 0.0f);
    if (breaks != LQ_PRECISION_AUTO && wait == wait_us + breaks)
        return lq_fail(why, LQ_ERR_ENGINE, "broken");
    usleep((useconds_t)*wait);
    return LQ_OK;
}

static const struct lq_engine_ops fake = {
    .compile = fake_compile, .close = fake_close, .request_new = fake_request_new,
    .request_free = fake_request_free, .request_tensors = fake_tensors, .run = fake_run};

static int race(int f32_us, int bf16_us, enum lq_precision *faster)
{
    struct lq_engine_options options = {0};
    tensors.inputs[0] = (struct lq_tensor){.type = LQ_TENSOR_F32, .rank = 1, .dims = {4},
                                           .data = input};
    memset(input, 0x55, sizeof input);
    wait_us[LQ_PRECISION_F32] = f32_us;
    wait_us[LQ_PRECISION_BF16] = bf16_us;
    runs = 0;
    struct lq_engine *winner = (struct lq_engine *)input;
    int status = lq_precision_race(&fake, &model, &options, faster, &winner, &err);
    assert_int_equal(requested, 0);
    assert_int_equal(opened, status == LQ_OK); // the winner alone is kept
    if (status == LQ_OK) {
        assert_ptr_equal(winner, &wait_us[*faster]);
        fake_close(winner);
    } else {
        assert_null(winner);
    }
    return status;
}

static void the_faster_wins(void **state)
{
    (void)state;
    enum lq_precision faster;
    breaks = LQ_PRECISION_AUTO;
    assert_ok(race(500, 20000, &faster));
    assert_int_equal(faster, LQ_PRECISION_F32);
    assert_ok(race(20000, 500, &faster));
    assert_int_equal(faster, LQ_PRECISION_BF16);
    assert_int_equal(runs, 12); // one each to set up, five each to count
}

static void a_slow_model_is_not_run_often(void **state)
{
    (void)state;
    enum lq_precision faster;
    breaks = LQ_PRECISION_AUTO;
    assert_ok(race(300000, 350000, &faster));
    assert_int_equal(faster, LQ_PRECISION_F32);
    assert_int_equal(runs, 4);
}

static void what_cannot_run_is_reported(void **state)
{
    (void)state;
    enum lq_precision faster;
    breaks = LQ_PRECISION_F32;
    assert_int_equal(race(0, 0, &faster), LQ_ERR_ENGINE);
    breaks = LQ_PRECISION_BF16;
    assert_int_equal(race(0, 0, &faster), LQ_ERR_ENGINE);
    assert_string_equal(err.text, "broken");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_faster_wins),
        cmocka_unit_test(a_slow_model_is_not_run_often),
        cmocka_unit_test(what_cannot_run_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
