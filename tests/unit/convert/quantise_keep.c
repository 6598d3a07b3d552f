#include "convert/quantise_keep.h"

#include <math.h>

#include "unit/unit.h"

enum { LAYERS = 4 };

// Two convolutions of a thousand multiplications for each output, a depthwise one of nine, and a
// small head: 46, 46, 2.5 and 4.6 % of the work.
static void set_layers(struct lq_layer *layers)
{
    const struct lq_layer large = {.macs = 1e9, .taken = 1e6, .made = 1e6, .quantised = true,
                                   .own = NAN, .alone = NAN};
    for (int i = 0; i < LAYERS; i++)
        layers[i] = large;
    layers[2].macs = 9e6;
    layers[3].macs = 1e8;
    layers[3].taken = layers[3].made = 1e5;
}

static void test_work_counts_what_is_moved(void **state)
{
    (void)state;
    struct lq_layer layers[LAYERS];
    set_layers(layers);
    // A hundredth of the multiplications, but as much data to move.
    assert_true(lq_layer_work(&layers[2]) > .05 * lq_layer_work(&layers[0]));
    assert_true(lq_layer_work(&layers[3]) < .11 * lq_layer_work(&layers[0]));
}

static void test_the_worst_for_their_work_come_first(void **state)
{
    (void)state;
    struct lq_layer layers[LAYERS];
    const struct lq_plan plan = {.layers = layers, .layer_count = LAYERS};
    int order[LAYERS];
    set_layers(layers);
    layers[0].alone = .01;  // the most noise, for most of the time
    layers[1].alone = .002;
    layers[3].alone = .003; // less noise for a tenth of the time
    assert_int_equal(lq_plan_rank(&plan, LQ_NOISE_ALONE, 0, 1, order), 3);
    assert_int_equal(order[0], 3);
    assert_int_equal(order[1], 0);
    assert_int_equal(order[2], 1);
    // A layer's own noise gives another ranking, and a little of it does not keep the layer.
    layers[2].own = .5;
    layers[0].own = .001;
    assert_int_equal(lq_plan_rank(&plan, LQ_NOISE_OWN, .01, 1, order), 1);
    assert_int_equal(order[0], 2);
}

static void test_no_more_than_may_be_in_float(void **state)
{
    (void)state;
    struct lq_layer layers[LAYERS];
    const struct lq_plan plan = {.layers = layers, .layer_count = LAYERS};
    int order[LAYERS];
    set_layers(layers);
    for (int i = 0; i < LAYERS; i++)
        layers[i].alone = .01;
    // Both large layers are skipped; a smaller one still fits.
    assert_int_equal(lq_plan_rank(&plan, LQ_NOISE_ALONE, 0, .1, order), 2);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[1], 3);
    assert_int_equal(lq_plan_rank(&plan, LQ_NOISE_ALONE, 0, 0, order), 0);
    // Layers already in float use up the allowance, unless the user named them.
    layers[2].quantised = false;
    assert_int_equal(lq_plan_rank(&plan, LQ_NOISE_ALONE, 0, .08, order), 1);
    assert_int_equal(lq_plan_rank(&plan, LQ_NOISE_ALONE, 0, .06, order), 0);
    layers[2].named = true;
    assert_float_equal(lq_plan_float_share(&plan), 0, 0);
    assert_int_equal(lq_plan_rank(&plan, LQ_NOISE_ALONE, 0, .06, order), 1);
    assert_int_equal(order[0], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_work_counts_what_is_moved),
        cmocka_unit_test(test_the_worst_for_their_work_come_first),
        cmocka_unit_test(test_no_more_than_may_be_in_float),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
