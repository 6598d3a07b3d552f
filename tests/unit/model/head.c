#include "model/head.h"

#include <string.h>

#include "unit/unit.h"

static const struct lq_sidecar nothing = {.pad = -1, .nail_channel = -1, .std = {1, 1, 1}};
static struct lq_error err;

#define TENSOR(n, ...)                                                                            \
    {.name = n, .type = LQ_TENSOR_F32, .dims = {__VA_ARGS__},                                     \
     .rank = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)}

static struct lq_tensors one_input(struct lq_tensor input)
{
    return (struct lq_tensors){.input_count = 1, .inputs = {input}};
}

static void inputs_are_understood(void **state)
{
    (void)state;
    static const struct {
        struct lq_tensor tensor;
        struct lq_input wanted;
    } cases[] = {
        {TENSOR("a", 1, 3, 288, 384), {true, 384, 288}},
        {TENSOR("b", 1, 640, 480, 3), {false, 480, 640}},
        {TENSOR("c", -1, 3, -1, -1), {true, 0, 0}},
        {TENSOR("d", -1, -1, -1, 3), {false, 0, 0}},
        {TENSOR("e", 1, 3, 3, 3), {true, 3, 3}},
    };
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        struct lq_tensors tensors = one_input(cases[i].tensor);
        struct lq_input input;
        assert_ok(lq_input_decide(&input, &tensors, &nothing, &err));
        assert_int_equal(input.width, cases[i].wanted.width);
        assert_int_equal(input.height, cases[i].wanted.height);
        assert_int_equal(input.channels_first, cases[i].wanted.channels_first);
    }
}

static void strange_inputs_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct lq_tensor tensor;
        const char *says;
    } cases[] = {
        {TENSOR("image", 1, 784), "its input is image f32 [1,784], not one f32 tensor"},
        {TENSOR("image", 1, 4, 64, 64), "cannot find 3 colour channels in input"},
        {TENSOR("image", 8, 3, 64, 64), "takes several pictures"},
        {TENSOR("image", 1, 3, 99999, 64), "too large"},
        {TENSOR("image", -1, -1, -1, -1), "its sidecar may say \"layout\""},
    };
    struct lq_input input;
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        struct lq_tensors tensors = one_input(cases[i].tensor);
        assert_int_equal(lq_input_decide(&input, &tensors, &nothing, &err), LQ_ERR_MODEL);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s", err.text);
    }
    struct lq_tensors bytes = one_input((struct lq_tensor)TENSOR("image", 1, 3, 64, 64));
    bytes.inputs[0].type = LQ_TENSOR_U8;
    assert_int_equal(lq_input_decide(&input, &bytes, &nothing, &err), LQ_ERR_MODEL);
    struct lq_tensors two = one_input((struct lq_tensor)TENSOR("image", 1, 3, 64, 64));
    two.input_count = 2;
    assert_int_equal(lq_input_decide(&input, &two, &nothing, &err), LQ_ERR_MODEL);
}

static void the_sidecar_settles_the_layout(void **state)
{
    (void)state;
    struct lq_sidecar sidecar = nothing;
    struct lq_input input;
    struct lq_tensors open = one_input((struct lq_tensor)TENSOR("image", -1, -1, -1, -1));
    sidecar.layout = LQ_SIDECAR_LAYOUT_NHWC;
    assert_ok(lq_input_decide(&input, &open, &sidecar, &err));
    assert_false(input.channels_first);
    struct lq_tensors planes = one_input((struct lq_tensor)TENSOR("image", 1, 3, 64, 64));
    assert_int_equal(lq_input_decide(&input, &planes, &sidecar, &err), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "the sidecar says \"nhwc\""));
}

static const struct lq_input square = {true, 640, 640};

static int decide(struct lq_layout *layout, enum lq_head *head, const struct lq_sidecar *sidecar,
                  int count, struct lq_tensor a, struct lq_tensor b)
{
    const struct lq_tensors tensors = {.output_count = count, .outputs = {a, b}};
    return lq_head_decide(head, layout, &tensors, &square, sidecar, &err);
}

static void maps_are_told_by_shape(void **state)
{
    (void)state;
    static const struct {
        struct lq_tensor tensor;
        bool first;
        int channels, width, height;
    } cases[] = {
        {TENSOR("m", 1, 1, 144, 192), true, 1, 192, 144},
        {TENSOR("m", 1, 144, 192, 1), false, 1, 192, 144},
        {TENSOR("m", 1, 2, 144, 192), true, 2, 192, 144},
        {TENSOR("m", 1, 144, 192, 2), false, 2, 192, 144},
        {TENSOR("m", 1, 144, 192), true, 1, 192, 144},
        {TENSOR("m", 144, 192), true, 1, 192, 144},
    };
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        struct lq_layout layout;
        enum lq_head head;
        assert_ok(decide(&layout, &head, &nothing, 1, cases[i].tensor, cases[i].tensor));
        assert_int_equal(head, LQ_HEAD_MASK);
        assert_int_equal(layout.map_channels_first, cases[i].first);
        assert_int_equal(layout.map_channels, cases[i].channels);
        assert_int_equal(layout.map_width, cases[i].width);
        assert_int_equal(layout.map_height, cases[i].height);
    }
}

static void yolo_is_told_by_shape(void **state)
{
    (void)state;
    struct lq_layout layout;
    enum lq_head head;
    const struct lq_tensor det = TENSOR("d", 1, 37, 8400), turned = TENSOR("d", 1, 8400, 116);
    const struct lq_tensor planes = TENSOR("p", 1, 32, 160, 160);
    const struct lq_tensor pixels = TENSOR("p", 1, 160, 160, 32);
    assert_ok(decide(&layout, &head, &nothing, 2, det, planes));
    assert_int_equal(head, LQ_HEAD_YOLO_SEG);
    assert_true(layout.proto_channels_first && !layout.det_transposed);
    assert_int_equal(layout.classes, 1);
    assert_int_equal(layout.anchors, 8400);
    assert_ok(decide(&layout, &head, &nothing, 2, pixels, turned)); // the other way round too
    assert_true(!layout.proto_channels_first && layout.det_transposed);
    assert_int_equal(layout.classes, 80);
    assert_int_equal(layout.det_index, 1);
    assert_int_equal(layout.protos, 32);
    assert_int_equal(layout.proto_width, 160);
}

static void unknown_heads_are_described(void **state)
{
    (void)state;
    struct lq_layout layout;
    enum lq_head head;
    const struct lq_tensor scores = TENSOR("scores", 1, 1000), det = TENSOR("d", 1, 37, 8400);
    assert_int_equal(decide(&layout, &head, &nothing, 1, scores, scores), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "unknown head: outputs scores f32 [1,1000]; wanted"));
    assert_int_equal(decide(&layout, &head, &nothing, 2, det, scores), LQ_ERR_MODEL);
    const struct lq_tensor narrow = TENSOR("d", 1, 36, 8400); // no room for a class
    const struct lq_tensor proto = TENSOR("p", 1, 32, 160, 160), wide = TENSOR("p", 1, 32, 160, 80);
    assert_int_equal(decide(&layout, &head, &nothing, 2, narrow, proto), LQ_ERR_MODEL);
    assert_int_equal(decide(&layout, &head, &nothing, 2, det, wide), LQ_ERR_MODEL);
    // Anchors that fit no grid need a word from the sidecar.
    const struct lq_tensor few = TENSOR("d", 1, 37, 300);
    struct lq_sidecar sidecar = nothing;
    assert_int_equal(decide(&layout, &head, &nothing, 2, few, proto), LQ_ERR_MODEL);
    sidecar.head = LQ_SIDECAR_HEAD_YOLO_SEG;
    assert_ok(decide(&layout, &head, &sidecar, 2, few, proto));
    assert_int_equal(layout.anchors, 300);
    sidecar.head = LQ_SIDECAR_HEAD_MASK; // and what it rules out is not taken
    assert_int_equal(decide(&layout, &head, &sidecar, 2, det, proto), LQ_ERR_MODEL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_understood),
        cmocka_unit_test(strange_inputs_are_refused),
        cmocka_unit_test(the_sidecar_settles_the_layout),
        cmocka_unit_test(maps_are_told_by_shape),
        cmocka_unit_test(yolo_is_told_by_shape),
        cmocka_unit_test(unknown_heads_are_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
