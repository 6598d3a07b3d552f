#include "convert/half.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/f16.h"
#include "onnx.pb-c.h"

// Changed parts are allocated with malloc, like protobuf-c's own messages, so freeing the message
// frees them.
static const float half_max = 65504.0f;

enum { FLOAT = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
      HALF = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 };

static bool is(const char *text, const char *other)
{
    return text && strcmp(text, other) == 0;
}

static Onnx__AttributeProto *attribute_of(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (is(node->attribute[i]->name, name))
            return node->attribute[i];
    return NULL;
}

// ---- what is not supported here

static const Onnx__NodeProto *maker_of(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t k = 0; k < graph->node[i]->n_output; k++)
            if (is(graph->node[i]->output[k], name))
                return graph->node[i];
    return NULL;
}

// Resize's region and scales must stay in single precision, but the values from which they are
// computed would be converted.
static bool has_computed_scales(const Onnx__GraphProto *graph, const Onnx__NodeProto *node)
{
    bool computed = false;
    for (size_t k = 1; k < node->n_input && k < 3 && is(node->op_type, "Resize"); k++) {
        const Onnx__NodeProto *maker =
            *node->input[k] ? maker_of(graph, node->input[k]) : NULL;
        computed |= maker && !is(maker->op_type, "Constant");
    }
    return computed;
}

static const char *refuse_node(const Onnx__GraphProto *graph, const Onnx__NodeProto *node)
{
    static const char *const kinds[] = {"QuantizeLinear", "DequantizeLinear", "NonMaxSuppression",
                                        "Upsample", "RandomNormal", "RandomUniform", "EyeLike"};
    if (has_computed_scales(graph, node))
        return "a Resize by computed scales";
    if (is(node->op_type, "ConstantOfShape") && node->n_attribute == 0)
        return "a ConstantOfShape without a value"; // single precision by its definition
    for (size_t i = 0; i < LQ_COUNT(kinds); i++)
        if (is(node->op_type, kinds[i]))
            return kinds[i];
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->g || node->attribute[i]->n_graphs > 0)
            return "a subgraph";
    return NULL;
}

static const char *refuse(const Onnx__ModelProto *model)
{
    const Onnx__GraphProto *graph = model->graph;
    if (model->n_functions > 0)
        return "functions";
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (graph->initializer[i]->n_external_data > 0)
            return "data in another file";
    for (size_t i = 0; i < graph->n_node; i++) {
        const char *reason = refuse_node(graph, graph->node[i]);
        if (reason)
            return reason;
    }
    return NULL;
}

// ---- constants

// Resize needs its region and scales in single precision, whatever type it resizes.
static bool is_kept(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_node; i++) {
        const Onnx__NodeProto *node = graph->node[i];
        for (size_t k = 1; k < node->n_input && k < 3 && is(node->op_type, "Resize"); k++)
            if (is(node->input[k], name))
                return true;
    }
    return false;
}

static bool halve_tensor(Onnx__TensorProto *tensor)
{
    if (!tensor || tensor->data_type != FLOAT)
        return true;
    bool raw = tensor->has_raw_data && tensor->raw_data.len > 0;
    size_t count = raw ? tensor->raw_data.len / sizeof(float) : tensor->n_float_data;
    float *values = malloc(count * sizeof *values + 1);
    uint8_t *halves = malloc(count * 2 + 1);
    if (!values || !halves) {
        free(values);
        free(halves);
        return false;
    }
    if (count > 0)
        memcpy(values, raw ? (const void *)tensor->raw_data.data : tensor->float_data,
               count * sizeof *values);
    for (size_t i = 0; i < count; i++) // clamps, so an unlimited bound stays so
        values[i] = values[i] > half_max ? half_max : values[i] < -half_max ? -half_max : values[i];
    lq_f16_from_f32(halves, values, count);
    free(values);
    if (tensor->has_raw_data)
        free(tensor->raw_data.data);
    free(tensor->float_data);
    tensor->float_data = NULL;
    tensor->n_float_data = 0;
    tensor->has_raw_data = true;
    tensor->raw_data = (ProtobufCBinaryData){count * 2, halves};
    tensor->data_type = HALF;
    return true;
}

// "value_float" and "value_floats" have no half-precision form: they become a tensor.
static bool halve_plain_constant(Onnx__AttributeProto *attribute)
{
    bool one = is(attribute->name, "value_float");
    size_t count = one ? 1 : attribute->n_floats;
    Onnx__TensorProto *tensor = calloc(1, sizeof *tensor);
    float *values = malloc(count * sizeof *values + 1);
    int64_t *dims = malloc(sizeof *dims);
    char *name = strdup("value");
    if (!tensor || !values || !dims || !name) {
        free(tensor);
        free(values);
        free(dims);
        free(name);
        return false;
    }
    onnx__tensor_proto__init(tensor);
    if (count > 0)
        memcpy(values, one ? &attribute->f : attribute->floats, count * sizeof *values);
    dims[0] = (int64_t)count;
    tensor->n_dims = one ? 0 : 1;
    tensor->dims = dims;
    tensor->has_data_type = true;
    tensor->data_type = FLOAT;
    tensor->n_float_data = count;
    tensor->float_data = values;
    free(attribute->name);
    free(attribute->floats);
    attribute->name = name;
    attribute->floats = NULL;
    attribute->n_floats = 0;
    attribute->has_f = false;
    attribute->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    attribute->t = tensor;
    return halve_tensor(tensor);
}

static bool halve_node(const Onnx__GraphProto *graph, Onnx__NodeProto *node)
{
    Onnx__AttributeProto *to = is(node->op_type, "Cast") ? attribute_of(node, "to") : NULL;
    if (node->n_output == 0 || is_kept(graph, node->output[0]))
        return true;
    if (to && to->i == FLOAT)
        to->i = HALF;
    if (!is(node->op_type, "Constant") && !is(node->op_type, "ConstantOfShape"))
        return true;
    for (size_t i = 0; i < node->n_attribute; i++) {
        Onnx__AttributeProto *attribute = node->attribute[i];
        bool plain = is(attribute->name, "value_float") || is(attribute->name, "value_floats");
        if (plain ? !halve_plain_constant(attribute) : !halve_tensor(attribute->t))
            return false;
    }
    return true;
}

// ---- inputs and outputs

static bool rename_text(char **text, const char *name)
{
    char *made = strdup(name);
    if (!made)
        return false;
    if (*text != (char *)protobuf_c_empty_string)
        free(*text);
    *text = made;
    return true;
}

static bool rename_value(const Onnx__GraphProto *graph, const char *from, const char *to)
{
    bool good = true;
    for (size_t i = 0; i < graph->n_node && good; i++) {
        const Onnx__NodeProto *node = graph->node[i];
        for (size_t k = 0; k < node->n_input && good; k++)
            good = !is(node->input[k], from) || rename_text(&node->input[k], to);
        for (size_t k = 0; k < node->n_output && good; k++)
            good = !is(node->output[k], from) || rename_text(&node->output[k], to);
    }
    return good;
}

static Onnx__NodeProto *new_cast(const char *from, const char *to, int type)
{
    Onnx__NodeProto *node = malloc(sizeof *node);
    Onnx__AttributeProto *attribute = malloc(sizeof *attribute), **list = malloc(sizeof *list);
    char **in = malloc(sizeof *in), **out = malloc(sizeof *out);
    if (!node || !attribute || !list || !in || !out) {
        free(node), free(attribute), free(list), free(in), free(out);
        return NULL;
    }
    onnx__node_proto__init(node);
    onnx__attribute_proto__init(attribute);
    *in = strdup(from), *out = strdup(to), *list = attribute;
    node->op_type = strdup("Cast");
    attribute->name = strdup("to");
    node->n_input = node->n_output = node->n_attribute = 1;
    node->input = in, node->output = out, node->attribute = list;
    attribute->has_type = attribute->has_i = true;
    attribute->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    attribute->i = type;
    if (*in && *out && node->op_type && attribute->name)
        return node;
    onnx__node_proto__free_unpacked(node, NULL);
    return NULL;
}

// Makes an input's users, or an output's producer, use NAME/half, with a Cast in between.
static bool add_cast(Onnx__GraphProto *graph, const Onnx__ValueInfoProto *value, bool input)
{
    const Onnx__TypeProto *type = value->type;
    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ||
        type->tensor_type->elem_type != FLOAT)
        return true;
    char inner[512];
    snprintf(inner, sizeof inner, "%.500s/half", value->name);
    Onnx__NodeProto **nodes = realloc(graph->node, (graph->n_node + 1) * sizeof(*nodes));
    if (!nodes)
        return false;
    graph->node = nodes;
    Onnx__NodeProto *cast = input ? new_cast(value->name, inner, HALF)
                                  : new_cast(inner, value->name, FLOAT);
    if (!cast || !rename_value(graph, value->name, inner)) {
        if (cast)
            onnx__node_proto__free_unpacked(cast, NULL);
        return false;
    }
    if (input)
        memmove(nodes + 1, nodes, graph->n_node * sizeof(*nodes));
    nodes[input ? 0 : graph->n_node] = cast;
    graph->n_node++;
    return true;
}

static bool is_initializer(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (is(graph->initializer[i]->name, name))
            return true;
    return false;
}

// Old files also list constants as inputs; these are not pictures.
static bool halve(Onnx__GraphProto *graph)
{
    bool good = true;
    for (size_t i = 0; i < graph->n_initializer && good; i++)
        good = is_kept(graph, graph->initializer[i]->name) || halve_tensor(graph->initializer[i]);
    for (size_t i = 0; i < graph->n_node && good; i++)
        good = halve_node(graph, graph->node[i]);
    for (size_t i = 0; i < graph->n_value_info; i++) // they describe the old types
        onnx__value_info_proto__free_unpacked(graph->value_info[i], NULL);
    graph->n_value_info = 0;
    for (size_t i = 0; i < graph->n_output && good; i++)
        good = add_cast(graph, graph->output[i], false);
    for (size_t i = 0; i < graph->n_input && good; i++)
        if (!is_initializer(graph, graph->input[i]->name))
            good = add_cast(graph, graph->input[i], true);
    return good;
}

static int write_half(Onnx__ModelProto *model, struct lq_buf *out, struct lq_error *err)
{
    const char *reason = refuse(model);
    if (reason)
        return lq_fail(err, LQ_ERR_MODEL, "cannot convert a model with %s to half precision; "
                       "NVIDIA's ModelOpt AutoCast can", reason);
    if (!halve(model->graph) ||
        lq_buf_resize(out, onnx__model_proto__get_packed_size(model)) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for an ONNX model");
    onnx__model_proto__pack(model, out->data);
    return LQ_OK;
}

int lq_onnx_to_half(const uint8_t *data, size_t len, struct lq_buf *out, struct lq_error *err)
{
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, len, data);
    int status = model && model->graph
                     ? write_half(model, out, err)
                     : lq_fail(err, LQ_ERR_MODEL, "that is no ONNX model");
    if (model)
        onnx__model_proto__free_unpacked(model, NULL);
    return status;
}

// ---- scales

static const Onnx__TensorProto *constant_of(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (is(graph->initializer[i]->name, name))
            return graph->initializer[i];
    for (size_t i = 0; i < graph->n_node; i++) {
        const Onnx__NodeProto *node = graph->node[i];
        const Onnx__AttributeProto *value = attribute_of(node, "value");
        if (node->n_output > 0 && is(node->output[0], name))
            return is(node->op_type, "Constant") && value ? value->t : NULL;
    }
    return NULL;
}

static bool is_zero_byte(const Onnx__TensorProto *zero)
{
    bool all = zero && zero->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT8;
    for (size_t i = 0; all && zero->has_raw_data && i < zero->raw_data.len; i++)
        all = zero->raw_data.data[i] == 0;
    for (size_t i = 0; all && i < zero->n_int32_data; i++)
        all = zero->int32_data[i] == 0;
    return all;
}

int lq_onnx_find_scales(const uint8_t *data, size_t len, enum lq_onnx_scales *scales,
                        struct lq_error *err)
{
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, len, data);
    const Onnx__GraphProto *graph = model ? model->graph : NULL;
    *scales = LQ_ONNX_SCALES_NONE;
    for (size_t i = 0; graph && i < graph->n_node; i++) {
        const Onnx__NodeProto *node = graph->node[i];
        if (!is(node->op_type, "QuantizeLinear") && !is(node->op_type, "DequantizeLinear"))
            continue;
        // Without a zero point the bytes are unsigned.
        bool good = node->n_input > 2 && is_zero_byte(constant_of(graph, node->input[2]));
        if (!good || *scales == LQ_ONNX_SCALES_NONE)
            *scales = good ? LQ_ONNX_SCALES_SYMMETRIC : LQ_ONNX_SCALES_OTHER;
        if (!good)
            break;
    }
    bool found = graph != NULL;
    if (model)
        onnx__model_proto__free_unpacked(model, NULL);
    return found ? LQ_OK : lq_fail(err, LQ_ERR_MODEL, "that is no ONNX model");
}
