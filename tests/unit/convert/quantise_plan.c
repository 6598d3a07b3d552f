#include "convert/quantise_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "convert/onnx_tidy.h"
#include "unit/unit.h"

// The network of tests/convert/quantise_models.py: SiLU, a sum, a pool, a resized part, a join.
static void open_body(struct lq_onnx *onnx, struct lq_plan *plan)
{
    struct lq_error err;
    struct lq_buf bytes;
    lq_buf_init(&bytes, 1 << 20);
    assert_ok(lq_file_read("tests/fuzz/corpus/quantise/body.onnx", &bytes, &err));
    assert_ok(lq_onnx_read(onnx, bytes.data, bytes.len, "body", &err));
    assert_ok(lq_onnx_tidy(onnx, "body", &err));
    assert_ok(lq_plan_init(plan, onnx, "body", &err));
    lq_buf_release(&bytes);
}

static const struct lq_layer *find(const struct lq_plan *plan, const char *name)
{
    for (int i = 0; i < plan->layer_count; i++)
        if (strcmp(plan->layers[i].name, name) == 0)
            return &plan->layers[i];
    fail_msg("no layer %s", name);
    return NULL;
}

static void test_sources_are_where_numbers_are_made(void **state)
{
    (void)state;
    struct lq_onnx onnx;
    struct lq_plan plan;
    open_body(&onnx, &plan);
    assert_int_equal(plan.layer_count, 4);
    const struct lq_layer *deep = find(&plan, "deep"), *last = find(&plan, "last");
    // Through the pool to the sum; through the join to that and, through the resizing, to a SiLU.
    assert_int_equal(deep->source_count, 1);
    assert_string_equal(plan.sources[deep->sources[0]].name, "sum");
    assert_int_equal(last->source_count, 2);
    assert_string_equal(plan.sources[last->sources[0]].name, "deep.silu");
    assert_int_equal(last->sources[1], deep->sources[0]);
    lq_plan_release(&plan);
    lq_onnx_free(&onnx);
}

static void test_keep(void **state)
{
    (void)state;
    struct lq_onnx onnx;
    struct lq_plan plan;
    open_body(&onnx, &plan);
    assert_int_equal(lq_plan_keep(&plan, &onnx, "node/de*"), 1);
    assert_int_equal(lq_plan_keep(&plan, &onnx, "stem"), 1);
    assert_int_equal(lq_plan_keep(&plan, &onnx, "ste"), 0);
    assert_false(find(&plan, "deep")->quantised);
    assert_false(find(&plan, "stem")->quantised);
    assert_true(find(&plan, "last")->quantised);
    lq_plan_release(&plan);
    lq_onnx_free(&onnx);
}

static void test_constants_are_folded(void **state)
{
    (void)state;
    struct lq_onnx onnx;
    struct lq_plan plan;
    open_body(&onnx, &plan);
    for (size_t i = 0; i < onnx.graph->n_node; i++)
        assert_string_not_equal(onnx.graph->node[i]->op_type, "Constant");
    assert_non_null(lq_onnx_constant(&onnx, "scales"));
    lq_plan_release(&plan);
    lq_onnx_free(&onnx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources_are_where_numbers_are_made),
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_constants_are_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
