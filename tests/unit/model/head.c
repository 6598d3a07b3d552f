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
        {TENSOR("image", 65, 3, 64, 64), "takes too many pictures"},
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
    struct lq_tensors words = one_input((struct lq_tensor)TENSOR("image", 1, 3, 64, 64));
    words.inputs[0].type = LQ_TENSOR_I64;
    assert_int_equal(lq_input_decide(&input, &words, &nothing, &err), LQ_ERR_MODEL);
    struct lq_tensors two = one_input((struct lq_tensor)TENSOR("image", 1, 3, 64, 64));
    two.input_count = 2;
    assert_int_equal(lq_input_decide(&input, &two, &nothing, &err), LQ_ERR_MODEL);
}

static void inputs_of_other_types_and_batches(void **state)
{
    (void)state;
    static const enum lq_tensor_type types[] = {LQ_TENSOR_F16, LQ_TENSOR_U8, LQ_TENSOR_I8};
    struct lq_input input;
    for (size_t i = 0; i < LQ_COUNT(types); i++) {
        struct lq_tensors tensors = one_input((struct lq_tensor)TENSOR("image", 4, 3, 64, 64));
        tensors.inputs[0].type = types[i];
        assert_ok(lq_input_decide(&input, &tensors, &nothing, &err));
        assert_int_equal(input.batch, 4);
    }
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

static const struct lq_input square = {true, 640, 640, 1};

static int decide(struct lq_layout *layout, enum lq_head *head, const struct lq_sidecar *sidecar,
                  int count, struct lq_tensor a, struct lq_tensor b)
{
    const struct lq_tensors tensors = {.output_count = count, .outputs = {a, b}};
    return lq_head_decide(head, layout, &tensors, &square, sidecar, &err);
}

static void maps_are_recognised_by_shape(void **state)
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

static void yolo_is_recognised_by_shape(void **state)
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
    // A number of anchors that fits no grid must be confirmed by the sidecar.
    const struct lq_tensor few = TENSOR("d", 1, 37, 300);
    struct lq_sidecar sidecar = nothing;
    assert_int_equal(decide(&layout, &head, &nothing, 2, few, proto), LQ_ERR_MODEL);
    sidecar.head = LQ_HEAD_YOLO_SEG;
    assert_ok(decide(&layout, &head, &sidecar, 2, few, proto));
    assert_int_equal(layout.anchors, 300);
    sidecar.head = LQ_HEAD_MASK; // and a head that it excludes is not chosen
    assert_int_equal(decide(&layout, &head, &sidecar, 2, det, proto), LQ_ERR_MODEL);
}

static void end_to_end_rows_are_recognised_by_shape(void **state)
{
    (void)state;
    struct lq_layout layout;
    enum lq_head head;
    const struct lq_tensor protos[] = {TENSOR("p", 1, 32, 160, 160), TENSOR("p", 1, 160, 160, 32)};
    const struct lq_tensor rows[] = {TENSOR("d", 1, 300, 38), TENSOR("d", 1, 100, 38),
                                     TENSOR("d", 1, 20, 38), TENSOR("d", 1, 1000, 38)};
    struct lq_sidecar named = nothing; // and whatever its sidecar calls it
    named.head = LQ_HEAD_YOLO_SEG;
    named.class_mask = 8;
    for (size_t i = 0; i < LQ_COUNT(rows); i++)
        for (size_t p = 0; p < LQ_COUNT(protos); p++) {
            assert_ok(decide(&layout, &head, i % 2 ? &named : &nothing, 2, rows[i], protos[p]));
            assert_int_equal(head, LQ_HEAD_YOLO_SEG);
            assert_int_equal(layout.rows, LQ_ROWS_FINAL);
            assert_int_equal(layout.anchors, rows[i].dims[1]);
            assert_int_equal(layout.protos, 32);
            assert_true(layout.det_transposed);
        }
    // Outputs with two classes per cell are not rows of that kind.
    assert_ok(decide(&layout, &head, &nothing, 2, (struct lq_tensor)TENSOR("d", 1, 8400, 38),
                     protos[0]));
    assert_int_equal(layout.rows, LQ_ROWS_CELLS);
    assert_int_equal(layout.classes, 2);
    const struct lq_tensor few = TENSOR("d", 1, 300, 38), sixteen = TENSOR("p", 1, 16, 160, 160);
    assert_int_equal(decide(&layout, &head, &nothing, 2, few, sixteen), LQ_ERR_MODEL);
}

static int decide_three(struct lq_layout *layout, enum lq_head *head, struct lq_tensor a,
                        struct lq_tensor b, struct lq_tensor c)
{
    const struct lq_tensors tensors = {.output_count = 3, .outputs = {a, b, c}};
    return lq_head_decide(head, layout, &tensors, &square, &nothing, &err);
}

static void rf_detr_is_recognised_by_shape_and_name(void **state)
{
    (void)state;
    struct lq_layout layout;
    enum lq_head head;
    const struct lq_tensor dets = TENSOR("dets", 1, 200, 4), labels = TENSOR("labels", 1, 200, 2);
    const struct lq_tensor four = TENSOR("labels", 1, 200, 4);
    const struct lq_tensor masks = TENSOR("masks", 1, 200, 160, 160);
    assert_ok(decide_three(&layout, &head, dets, labels, masks));
    assert_int_equal(head, LQ_HEAD_DETR_SEG);
    assert_int_equal(layout.rows, LQ_ROWS_QUERIES);
    assert_int_equal(layout.classes, 2);
    assert_int_equal(layout.anchors, 200);
    assert_ok(decide_three(&layout, &head, masks, labels, dets));
    assert_int_equal(layout.det_index, 2);
    assert_int_equal(layout.labels_index, 1);
    assert_int_equal(layout.proto_index, 0);
    // Three classes and one for "none": only the names distinguish the outputs.
    assert_ok(decide_three(&layout, &head, four, masks, dets));
    assert_int_equal(layout.det_index, 2);
    assert_ok(decide_three(&layout, &head, dets, four, masks));
    assert_int_equal(layout.det_index, 0);
    const struct lq_tensor fewer = TENSOR("masks", 1, 100, 160, 160);
    const struct lq_tensor wide = TENSOR("masks", 1, 200, 160, 80);
    assert_int_equal(decide_three(&layout, &head, dets, labels, fewer), LQ_ERR_MODEL);
    assert_int_equal(decide_three(&layout, &head, dets, labels, wide), LQ_ERR_MODEL);
}

static void half_precision_and_batches_are_read(void **state)
{
    (void)state;
    struct lq_layout layout;
    enum lq_head head;
    struct lq_tensor det = TENSOR("d", 4, 37, 8400), proto = TENSOR("p", 4, 32, 160, 160);
    det.type = proto.type = LQ_TENSOR_F16;
    const struct lq_tensors tensors = {.output_count = 2, .outputs = {det, proto}};
    const struct lq_input four = {true, 640, 640, 4};
    assert_ok(lq_head_decide(&head, &layout, &tensors, &four, &nothing, &err));
    assert_int_equal(layout.anchors, 8400);
    assert_int_equal(lq_head_decide(&head, &layout, &tensors, &square, &nothing, &err),
                     LQ_ERR_MODEL);
}

// The error names the kind of an unusable file, and the option to change in the export.
static void the_error_names_the_export_option(void **state)
{
    (void)state;
    static const struct {
        int count;
        struct lq_tensor outputs[4];
        const char *says;
    } cases[] = {
        {1, {TENSOR("d", 1, 84, 8400)}, "task=segment"},
        {1, {TENSOR("d", 1, 8400, 5)}, "boxes and no masks"},
        {1, {TENSOR("d", 1, 300, 6)}, "end2end=True or nms=True"},
        {1, {TENSOR("d", 1, 300, 38)}, "end2end=False and nms=False"},
        {1, {TENSOR("d", 1, 1000)}, "a classifier"},
        {1, {TENSOR("d", 1, 19, 160, 160)}, "1 or 2 channels"},
        {2, {TENSOR("d", 1, 300, 6), TENSOR("p", 1, 32, 160, 160)}, "end2end=False"},
        {2, {TENSOR("d", 1, 300, 40), TENSOR("p", 1, 32, 160, 160)}, "nms=False"},
        {2, {TENSOR("dets", 1, 300, 4), TENSOR("labels", 1, 300, 91)}, "RF-DETR-Seg"},
        {3, {TENSOR("a", 1, 64, 80, 80), TENSOR("b", 1, 64, 40, 40), TENSOR("c", 1, 64, 20, 20)},
         "raw feature maps"},
        {4, {TENSOR("num", 1, 1), TENSOR("b", 1, 100, 4), TENSOR("s", 1, 100),
             TENSOR("c", 1, 100)}, "nms=False"},
    };
    struct lq_layout layout;
    enum lq_head head;
    for (size_t i = 0; i < LQ_COUNT(cases); i++) {
        struct lq_tensors tensors = {.output_count = cases[i].count};
        memcpy(tensors.outputs, cases[i].outputs, sizeof cases[i].outputs);
        struct lq_sidecar sidecar = nothing;
        for (int named = 0; named < 2; named++) {
            assert_int_equal(lq_head_decide(&head, &layout, &tensors, &square, &sidecar, &err),
                             LQ_ERR_MODEL);
            if (!strstr(err.text, cases[i].says) ||
                (named && !strstr(err.text, "its sidecar says \"detr-seg\"")))
                fail_msg("%s", err.text);
            sidecar.head = LQ_HEAD_DETR_SEG;
        }
    }
    struct lq_tensor whole = TENSOR("d", 1, 37, 8400), proto = TENSOR("p", 1, 32, 160, 160);
    whole.type = LQ_TENSOR_I8;
    assert_int_equal(decide(&layout, &head, &nothing, 2, whole, proto), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "whole numbers"));
}

static void a_sidecar_s_classes_must_be_there(void **state)
{
    (void)state;
    struct lq_layout layout;
    enum lq_head head;
    const struct lq_tensor det = TENSOR("d", 1, 37, 8400), proto = TENSOR("p", 1, 32, 160, 160);
    struct lq_sidecar sidecar = nothing;
    sidecar.class_mask = 2;
    assert_int_equal(decide(&layout, &head, &sidecar, 2, det, proto), LQ_ERR_MODEL);
    assert_non_null(strstr(err.text, "names none of this model's"));
    sidecar.class_mask = 3;
    assert_ok(decide(&layout, &head, &sidecar, 2, det, proto));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_are_understood),
        cmocka_unit_test(strange_inputs_are_refused),
        cmocka_unit_test(inputs_of_other_types_and_batches),
        cmocka_unit_test(the_sidecar_settles_the_layout),
        cmocka_unit_test(maps_are_recognised_by_shape),
        cmocka_unit_test(yolo_is_recognised_by_shape),
        cmocka_unit_test(unknown_heads_are_described),
        cmocka_unit_test(end_to_end_rows_are_recognised_by_shape),
        cmocka_unit_test(rf_detr_is_recognised_by_shape_and_name),
        cmocka_unit_test(half_precision_and_batches_are_read),
        cmocka_unit_test(the_error_names_the_export_option),
        cmocka_unit_test(a_sidecar_s_classes_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
