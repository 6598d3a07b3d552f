// Writes the graph as an onnx.ModelProto with protobuf-c. The messages only point into the graph;
// weights are copied once, into the file's bytes.
#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "config.h"
#include "convert/graph.h"
#include "onnx.pb-c.h"

// Allocates a message in the graph's arena.
#define NEW(graph, type, init_message)                                                            \
    ({                                                                                            \
        type *message_ = lq_graph_take(graph, sizeof(type));                                      \
        if (message_)                                                                             \
            init_message(message_);                                                               \
        message_;                                                                                 \
    })

static char *text_of(const char *text)
{
    return (char *)text; // protobuf-c's structs have no const; nothing writes through it
}

static void *list_of(struct lq_graph *graph, size_t count)
{
    return lq_graph_take(graph, (count + 1) * sizeof(void *));
}

// ---- attributes and nodes

static Onnx__AttributeProto *attr_message(struct lq_graph *graph, const struct lq_attr *attr)
{
    Onnx__AttributeProto *message = NEW(graph, Onnx__AttributeProto, onnx__attribute_proto__init);
    if (!message)
        return NULL;
    message->name = text_of(attr->name);
    message->has_type = true;
    switch (attr->kind) {
    case LQ_ATTR_INT:
        message->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        message->has_i = true;
        message->i = attr->i;
        break;
    case LQ_ATTR_FLOAT:
        message->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        message->has_f = true;
        message->f = attr->f;
        break;
    case LQ_ATTR_INTS:
        message->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        message->n_ints = (size_t)attr->count;
        message->ints = (int64_t *)attr->ints;
        break;
    default:
        message->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
        message->has_s = true;
        message->s = (ProtobufCBinaryData){strlen(attr->text), (uint8_t *)text_of(attr->text)};
        break;
    }
    return message;
}

static Onnx__NodeProto *node_message(struct lq_graph *graph, const struct lq_node *node)
{
    Onnx__NodeProto *message = NEW(graph, Onnx__NodeProto, onnx__node_proto__init);
    size_t attrs = 0;
    while (node->attrs[attrs].kind != LQ_ATTR_END)
        attrs++;
    char **inputs = list_of(graph, (size_t)node->input_count);
    char **outputs = list_of(graph, (size_t)node->output_count);
    Onnx__AttributeProto **list = list_of(graph, attrs);
    if (graph->status != LQ_OK)
        return NULL;
    message->op_type = text_of(node->op);
    // A node is identified by its output.
    message->name = text_of(node->outputs[0]->name);
    for (int i = 0; i < node->input_count; i++)
        inputs[i] = text_of(node->inputs[i]->type == LQ_ONNX_NONE ? "" : node->inputs[i]->name);
    for (int i = 0; i < node->output_count; i++)
        outputs[i] = text_of(node->outputs[i]->name);
    for (size_t i = 0; i < attrs; i++)
        list[i] = attr_message(graph, &node->attrs[i]);
    message->n_input = (size_t)node->input_count;
    message->input = inputs;
    message->n_output = (size_t)node->output_count;
    message->output = outputs;
    message->n_attribute = attrs;
    message->attribute = list;
    return message;
}

// ---- constants, inputs and outputs

static Onnx__TensorProto *constant_message(struct lq_graph *graph, const struct lq_value *value)
{
    Onnx__TensorProto *message = NEW(graph, Onnx__TensorProto, onnx__tensor_proto__init);
    if (!message)
        return NULL;
    message->name = text_of(value->name);
    message->has_data_type = true;
    message->data_type = value->type;
    message->n_dims = (size_t)value->shape.rank;
    message->dims = (int64_t *)value->shape.dims;
    message->has_raw_data = true;
    message->raw_data = (ProtobufCBinaryData){value->bytes, (uint8_t *)text_of(value->data)};
    return message;
}

// Open sizes have names, so that engines know which ones are equal: those of an input are named by
// their role, and the batch has the same name everywhere.
static const char *size_name(const struct lq_value *value, int i, bool input)
{
    static const char *const pictures[2][4] = {{"batch", "height", "width", "channels"},
                                               {"batch", "channels", "height", "width"}};
    if (value->shape.dims[i] == LQ_DIM_BATCH)
        return "batch";
    if (!input || value->shape.rank != 4)
        return NULL;
    bool first = value->shape.dims[1] >= 0 && value->shape.dims[3] < 0;
    return pictures[first][i];
}

static Onnx__ValueInfoProto *edge_message(struct lq_graph *graph, const struct lq_value *value,
                                          bool input)
{
    Onnx__ValueInfoProto *message = NEW(graph, Onnx__ValueInfoProto, onnx__value_info_proto__init);
    Onnx__TypeProto *type = NEW(graph, Onnx__TypeProto, onnx__type_proto__init);
    Onnx__TypeProto__Tensor *tensor =
        NEW(graph, Onnx__TypeProto__Tensor, onnx__type_proto__tensor__init);
    Onnx__TensorShapeProto *shape =
        NEW(graph, Onnx__TensorShapeProto, onnx__tensor_shape_proto__init);
    Onnx__TensorShapeProto__Dimension **dims = list_of(graph, (size_t)value->shape.rank);
    if (graph->status != LQ_OK)
        return NULL;
    for (int i = 0; i < value->shape.rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim =
            NEW(graph, Onnx__TensorShapeProto__Dimension,
                onnx__tensor_shape_proto__dimension__init);
        const char *name = size_name(value, i, input);
        if (!dim)
            return NULL;
        if (value->shape.dims[i] >= 0) {
            dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            dim->dim_value = value->shape.dims[i];
        } else if (name) {
            dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            dim->dim_param = text_of(name);
        }
        dims[i] = dim;
    }
    shape->n_dim = (size_t)value->shape.rank;
    shape->dim = dims;
    tensor->has_elem_type = true;
    tensor->elem_type = value->type;
    tensor->shape = shape;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    message->name = text_of(value->name);
    message->type = type;
    return message;
}

// ---- the whole

static Onnx__GraphProto *graph_message(struct lq_graph *graph, const char *name)
{
    Onnx__GraphProto *message = NEW(graph, Onnx__GraphProto, onnx__graph_proto__init);
    size_t nodes = (size_t)lq_graph_count(graph, NULL), constants = 0;
    for (const struct lq_value *value = graph->constants; value; value = value->next)
        constants++;
    Onnx__NodeProto **node_list = list_of(graph, nodes);
    Onnx__TensorProto **constant_list = list_of(graph, constants);
    Onnx__ValueInfoProto **inputs = list_of(graph, (size_t)graph->input_count);
    Onnx__ValueInfoProto **outputs = list_of(graph, (size_t)graph->output_count);
    if (graph->status != LQ_OK)
        return NULL;
    size_t i = 0;
    for (const struct lq_node *node = graph->first; node; node = node->next)
        node_list[i++] = node_message(graph, node);
    i = 0;
    for (const struct lq_value *value = graph->constants; value; value = value->next)
        constant_list[i++] = constant_message(graph, value);
    for (int k = 0; k < graph->input_count; k++)
        inputs[k] = edge_message(graph, graph->inputs[k], true);
    for (int k = 0; k < graph->output_count; k++)
        outputs[k] = edge_message(graph, graph->outputs[k], false);
    message->name = text_of(name);
    message->n_node = nodes;
    message->node = node_list;
    message->n_initializer = constants;
    message->initializer = constant_list;
    message->n_input = (size_t)graph->input_count;
    message->input = inputs;
    message->n_output = (size_t)graph->output_count;
    message->output = outputs;
    return message;
}

int lq_graph_write(struct lq_graph *graph, const char *name, struct lq_buf *out)
{
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    opset.domain = text_of("");
    opset.has_version = true;
    opset.version = LQ_ONNX_OPSET;
    model.has_ir_version = true;
    model.ir_version = LQ_ONNX_IR;
    model.producer_name = text_of("lacquer");
    model.producer_version = text_of(LQ_VERSION);
    model.n_opset_import = 1;
    model.opset_import = opsets;
    model.graph = graph_message(graph, name);
    if (graph->status != LQ_OK)
        return graph->status;
    size_t size = onnx__model_proto__get_packed_size(&model);
    lq_buf_clear(out);
    if (size > INT_MAX || lq_buf_resize(out, size) != LQ_OK) {
        lq_graph_fail(graph, LQ_ERR_TOO_LARGE,
                      "the result would be of %zu MB, more than an .onnx file can be%s", size >> 20,
                      "; with --fp16 it is half as large");
        return graph->status;
    }
    onnx__model_proto__pack(&model, out->data);
    return LQ_OK;
}
