#include "convert/retype_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx.pb-c.h"

enum { NODES_MAX = 5, NAME_SIZE = LQ_TENSOR_NAME_MAX + 16 };

// The old input becomes an inner value, which the new nodes compute from the new input; so its
// users do not change. This struct holds everything that the new nodes point to.
struct chain {
    int count;
    struct link {
        Onnx__NodeProto node;
        Onnx__AttributeProto attribute, *attributes[1];
        Onnx__TensorProto tensor;
        char name[NAME_SIZE]; // of its output
        char *inputs[2], *outputs[1];
        float numbers[3];
        int64_t dims[3];
    } links[NODES_MAX];
};

static char *text_of(const char *text)
{
    return (char *)text; // protobuf-c's structs have no const; nothing writes through it
}

// Adds a node whose output is named NAME + TAIL.
static struct link *add(struct chain *chain, const char *op, const char *name, const char *tail)
{
    struct link *link = &chain->links[chain->count++];
    onnx__node_proto__init(&link->node);
    onnx__attribute_proto__init(&link->attribute);
    onnx__tensor_proto__init(&link->tensor);
    snprintf(link->name, NAME_SIZE, "%s%s", name, tail);
    link->attributes[0] = &link->attribute;
    link->outputs[0] = link->name;
    link->node.op_type = text_of(op);
    link->node.name = link->name;
    link->node.n_output = 1;
    link->node.output = link->outputs;
    link->node.input = link->inputs;
    link->node.attribute = link->attributes;
    return link;
}

static char *add_cast(struct chain *chain, const char *from, const char *name, const char *tail)
{
    struct link *link = add(chain, "Cast", name, tail);
    link->node.n_input = 1;
    link->inputs[0] = text_of(from);
    link->node.n_attribute = 1;
    link->attribute.name = text_of("to");
    link->attribute.has_type = link->attribute.has_i = true;
    link->attribute.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    link->attribute.i = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    return link->name;
}

// Adds a constant with a number per channel, or one for all.
static char *add_constant(struct chain *chain, const float numbers[3], bool channels_first,
                          const char *name, const char *tail)
{
    bool alike = numbers[0] == numbers[1] && numbers[1] == numbers[2];
    struct link *link = add(chain, "Constant", name, tail);
    link->node.n_attribute = 1;
    link->attribute.name = text_of("value");
    link->attribute.has_type = true;
    link->attribute.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    link->attribute.t = &link->tensor;
    for (int c = 0; c < 3; c++) {
        link->numbers[c] = numbers[c];
        link->dims[c] = c == 0 ? 3 : 1; // [3], or [3, 1, 1]
    }
    link->tensor.n_dims = alike ? 0 : channels_first ? 3 : 1;
    link->tensor.dims = link->dims;
    link->tensor.has_data_type = true;
    link->tensor.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    link->tensor.n_float_data = alike ? 1 : 3;
    link->tensor.float_data = link->numbers;
    return link->name;
}

static char *add_pair(struct chain *chain, const char *op, const char *a, const char *b,
                      const char *name, const char *tail)
{
    struct link *link = add(chain, op, name, tail);
    link->node.n_input = 2;
    link->inputs[0] = text_of(a);
    link->inputs[1] = text_of(b);
    return link->name;
}

// Converts pixels with the same operations as image/resize.c, in the same order.
static void add_bytes(struct chain *chain, const char *from, const char *old,
                      const struct lq_pixel_rule *pixels)
{
    float scale[3], bias[3];
    bool biased = false;
    for (int c = 0; c < 3; c++) {
        float std = pixels->std[c] > 0 ? pixels->std[c] : 1;
        scale[c] = 1.0f / std / 255.0f;
        bias[c] = -pixels->mean[c] / std;
        biased |= pixels->mean[c] != 0;
    }
    bool first = pixels->channels_first;
    const char *value = add_cast(chain, from, from, "/number");
    const char *number = add_constant(chain, scale, first, from, "/scale");
    value = add_pair(chain, "Mul", value, number, biased ? from : old, biased ? "/scaled" : "");
    if (biased)
        add_pair(chain, "Add", value, add_constant(chain, bias, first, from, "/bias"), old, "");
}

// ---- the model around it

static Onnx__TypeProto__Tensor *tensor_of(const Onnx__ValueInfoProto *value)
{
    const Onnx__TypeProto *type = value->type;
    return type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? type->tensor_type
                                                                           : NULL;
}

static Onnx__ValueInfoProto *find_input(const Onnx__ModelProto *model, const char *name)
{
    const Onnx__GraphProto *graph = model ? model->graph : NULL;
    for (size_t i = 0; graph && i < graph->n_input; i++)
        if (graph->input[i]->name && strcmp(graph->input[i]->name, name) == 0) {
            const Onnx__TypeProto__Tensor *tensor = tensor_of(graph->input[i]);
            bool single = tensor && tensor->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
            return single ? graph->input[i] : NULL;
        }
    return NULL;
}

static bool begins_so(const char *name, const char *start)
{
    return name && strncmp(name, start, strlen(start)) == 0;
}

static bool is_taken(const Onnx__GraphProto *graph, const char *start)
{
    bool taken = false;
    for (size_t i = 0; i < graph->n_input; i++)
        taken |= begins_so(graph->input[i]->name, start);
    for (size_t i = 0; i < graph->n_initializer; i++)
        taken |= begins_so(graph->initializer[i]->name, start);
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t k = 0; k < graph->node[i]->n_output; k++)
            taken |= begins_so(graph->node[i]->output[k], start);
    return taken;
}

// Writes the message's bytes with the chain before its nodes; the message itself is not changed.
static int pack(Onnx__ModelProto *model, struct chain *chain, struct lq_buf *out)
{
    Onnx__GraphProto *graph = model->graph;
    size_t count = graph->n_node, added = (size_t)chain->count;
    Onnx__NodeProto **nodes = graph->node, **all = calloc(count + added, sizeof(*all));
    if (!all)
        return LQ_ERR_MEMORY;
    for (size_t i = 0; i < added; i++)
        all[i] = &chain->links[i].node;
    if (count > 0)
        memcpy(all + added, nodes, count * sizeof(*all));
    graph->node = all;
    graph->n_node = count + added;
    int status = lq_buf_resize(out, onnx__model_proto__get_packed_size(model));
    if (status == LQ_OK)
        onnx__model_proto__pack(model, out->data);
    graph->node = nodes;
    graph->n_node = count;
    free(all);
    return status;
}

static int retype(Onnx__ModelProto *model, Onnx__ValueInfoProto *value, struct lq_tensor *input,
                  const struct lq_input_format *format, struct lq_buf *out, struct lq_error *err)
{
    bool bytes = format->type == LQ_TENSOR_U8;
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s_%s", input->name, lq_tensor_type_name(format->type));
    if (strlen(name) >= sizeof input->name || is_taken(model->graph, name))
        return lq_fail(err, LQ_ERR_MODEL, "its input cannot be given another type: '%.80s' is too "
                       "long a name, or taken; leave it as it is (--input fp32)", name);
    struct chain chain = {0};
    if (bytes)
        add_bytes(&chain, name, input->name, &format->pixels);
    else
        add_cast(&chain, name, input->name, "");
    char *old = value->name;
    value->name = name;
    tensor_of(value)->elem_type = bytes ? ONNX__TENSOR_PROTO__DATA_TYPE__UINT8
                                        : ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16;
    int status = pack(model, &chain, out);
    value->name = old;
    if (status != LQ_OK)
        return lq_fail(err, status, "out of memory for an ONNX model");
    strcpy(input->name, name);
    input->type = format->type;
    return LQ_OK;
}

int lq_onnx_retype_input(const uint8_t *data, size_t len, struct lq_tensor *input,
                         const struct lq_input_format *format, struct lq_buf *out,
                         struct lq_error *err)
{
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, len, data);
    Onnx__ValueInfoProto *value = find_input(model, input->name);
    int status = value ? retype(model, value, input, format, out, err)
                       : lq_fail(err, LQ_ERR_MODEL,
                                 "that is no ONNX model with an input '%.60s' in single precision",
                                 input->name);
    if (model)
        onnx__model_proto__free_unpacked(model, NULL);
    return status;
}
