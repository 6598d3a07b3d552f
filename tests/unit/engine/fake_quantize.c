// Which pairs of QuantizeLinear and DequantizeLinear become FakeQuantize, and which stay.
#include "engine/fake_quantize.h"

#include <string.h>

#include "unit/unit.h"

static struct lq_onnx onnx;

static void begin(void)
{
    static const uint8_t empty[] = {0x3a, 0x00}; // a model with a graph of nothing
    struct lq_error err;
    lq_onnx_free(&onnx);
    assert_ok(lq_onnx_read(&onnx, empty, sizeof empty, "small", &err));
}

static void scale(const char *name, float value)
{
    lq_onnx_add_constant(&onnx, name, &(struct lq_onnx_values){
                                          ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, NULL, 0, &value,
                                          sizeof value});
}

static void zero(const char *name, int type, int8_t value)
{
    lq_onnx_add_constant(&onnx, name, &(struct lq_onnx_values){type, NULL, 0, &value, 1});
}

static void node(const char *op, const char *a, const char *b, const char *c, const char *out)
{
    const char *inputs[] = {a, b, c};
    lq_onnx_insert(&onnx, onnx.graph->n_node, lq_onnx_new_node(&onnx, op, inputs, c ? 3 : 2, out));
}

static void pair(const char *value, const char *its_scale, const char *its_zero, const char *out)
{
    char bytes[64] = "bytes of ";
    strcat(bytes, out);
    node("QuantizeLinear", value, its_scale, its_zero, bytes);
    node("DequantizeLinear", bytes, its_scale, its_zero, out);
}

static float edge(const char *name)
{
    const Onnx__TensorProto *tensor = lq_onnx_constant(&onnx, name);
    float value;
    assert_non_null(tensor);
    assert_int_equal(tensor->raw_data.len, sizeof value);
    memcpy(&value, tensor->raw_data.data, sizeof value);
    return value;
}

static void a_pair_of_signed_bytes_is_replaced(void **state)
{
    (void)state;
    begin();
    scale("s", 0.5f);
    zero("z", ONNX__TENSOR_PROTO__DATA_TYPE__INT8, 0);
    pair("x", "s", "z", "a");
    pair("y", "s", "z", "b"); // the same scale: what is joined shares one
    size_t sets = onnx.message->n_opset_import;
    assert_int_equal(lq_fake_quantize(&onnx), 2);
    const Onnx__NodeProto *made = onnx.graph->node[lq_onnx_maker(&onnx, "b")];
    assert_string_equal(made->op_type, "FakeQuantize");
    assert_string_equal(made->domain, "org.openvinotoolkit");
    assert_int_equal(lq_onnx_attr_int(made, "levels", 0), 256);
    assert_string_equal(made->input[0], "y");
    for (int i = 1; i <= 3; i += 2) {
        assert_true(edge(made->input[i]) == -64.0f);
        assert_true(edge(made->input[i + 1]) == 63.5f);
    }
    assert_int_equal(onnx.message->n_opset_import, sets + 1);
    assert_string_equal(onnx.message->opset_import[sets]->domain, "org.openvinotoolkit");
    struct lq_buf bytes;
    struct lq_error err;
    lq_buf_init(&bytes, 1 << 20);
    assert_ok(lq_onnx_write(&onnx, &bytes, &err));
    lq_buf_release(&bytes);
}

static void other_pairs_stay(void **state)
{
    (void)state;
    begin();
    scale("s", 0.5f);
    scale("t", 0.25f);
    scale("broken", -1.0f);
    zero("z", ONNX__TENSOR_PROTO__DATA_TYPE__INT8, 0);
    zero("one", ONNX__TENSOR_PROTO__DATA_TYPE__INT8, 1);
    zero("unsigned", ONNX__TENSOR_PROTO__DATA_TYPE__UINT8, 0);
    lq_onnx_add_constant(&onnx, "many", &(struct lq_onnx_values){
                                            ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &(int64_t){2}, 1,
                                            (float[]){1, 2}, 8});
    pair("x", "s", "one", "zero point");
    pair("x", "s", "unsigned", "unsigned bytes");
    pair("x", "many", "z", "a scale a channel");
    pair("x", "broken", "z", "no scale");
    pair("t", "s", "z", "weights");
    pair("x", "missing", "z", "a scale that is no constant");
    node("QuantizeLinear", "x", "s", "z", "q");
    node("DequantizeLinear", "q", "t", "z", "another scale");
    node("DequantizeLinear", "x", "s", "z", "of no maker");
    node("DequantizeLinear", "", "s", "z", "of nothing");
    size_t before = onnx.graph->n_node;
    assert_int_equal(lq_fake_quantize(&onnx), 0);
    assert_int_equal(onnx.graph->n_node, before);
    assert_int_equal(onnx.message->n_opset_import, 0);
}

static void bytes_that_others_consume_are_still_produced(void **state)
{
    (void)state;
    begin();
    scale("s", 0.5f);
    zero("z", ONNX__TENSOR_PROTO__DATA_TYPE__INT8, 0);
    node("QuantizeLinear", "x", "s", "z", "q");
    node("DequantizeLinear", "q", "s", "z", "a");
    node("DequantizeLinear", "q", "s", "z", "b");
    node("Cast", "q", "", NULL, "c");
    assert_int_equal(lq_fake_quantize(&onnx), 2);
    assert_true(lq_onnx_maker(&onnx, "q") >= 0 && lq_onnx_maker(&onnx, "c") >= 0);
}

static int clean_up(void **state)
{
    (void)state;
    lq_onnx_free(&onnx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_of_signed_bytes_is_replaced),
        cmocka_unit_test(other_pairs_stay),
        cmocka_unit_test(bytes_that_others_consume_are_still_produced),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
