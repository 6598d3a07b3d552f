#include "convert/open_dims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx.pb-c.h"

// Names of open dimensions, which live as long as the message that points to them.
enum { NAMES_MAX = 2 * LQ_TENSORS_MAX * LQ_TENSOR_RANK_MAX, NAME_SIZE = 24 };

struct names {
    char text[NAMES_MAX][NAME_SIZE];
    int count;
};

static const struct lq_tensor *find(const struct lq_tensor *tensors, int count, const char *name)
{
    for (int i = 0; name && i < count; i++)
        if (strcmp(tensors[i].name, name) == 0)
            return &tensors[i];
    return NULL;
}

static Onnx__TensorShapeProto *shape_of(const Onnx__ValueInfoProto *value)
{
    const Onnx__TypeProto *type = value->type;
    return type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
               ? type->tensor_type->shape
               : NULL;
}

static void open_one(Onnx__ValueInfoProto *value, const struct lq_tensor *wanted,
                     const char *letter, struct names *names)
{
    const Onnx__TensorShapeProto *shape = shape_of(value);
    if (!shape || (int)shape->n_dim != wanted->rank)
        return;
    for (int d = 0; d < wanted->rank; d++) {
        Onnx__TensorShapeProto__Dimension *dim = shape->dim[d];
        bool fixed = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (wanted->dims[d] >= 0 || !fixed || names->count == NAMES_MAX)
            continue;
        char *text = names->text[names->count++];
        if (d == 0)
            snprintf(text, NAME_SIZE, "batch");
        else
            snprintf(text, NAME_SIZE, "%s_%d", letter, d);
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        dim->dim_param = text;
    }
}

// Open dimensions of inputs get one set of names, those of each output another.
static void open_all(Onnx__GraphProto *graph, const struct lq_tensors *tensors,
                     struct names *names)
{
    for (size_t i = 0; i < graph->n_input; i++) {
        const struct lq_tensor *wanted =
            find(tensors->inputs, tensors->input_count, graph->input[i]->name);
        if (wanted)
            open_one(graph->input[i], wanted, "in", names);
    }
    for (size_t i = 0; i < graph->n_output; i++) {
        const struct lq_tensor *wanted =
            find(tensors->outputs, tensors->output_count, graph->output[i]->name);
        char letter[12];
        snprintf(letter, sizeof letter, "out%u", (unsigned)i % 100);
        if (wanted)
            open_one(graph->output[i], wanted, letter, names);
    }
}

// Writes the message as bytes, without the shapes of inner values.
static int pack(Onnx__ModelProto *message, struct lq_buf *out)
{
    Onnx__GraphProto *graph = message->graph;
    size_t inner = graph->n_value_info;
    graph->n_value_info = 0;
    int status = lq_buf_resize(out, onnx__model_proto__get_packed_size(message));
    if (status == LQ_OK)
        onnx__model_proto__pack(message, out->data);
    graph->n_value_info = inner;
    return status;
}

// Clears the names: the message does not own them and must not free them.
static void forget_names(Onnx__ValueInfoProto *const *values, size_t count,
                         const struct names *names)
{
    for (size_t i = 0; i < count; i++) {
        const Onnx__TensorShapeProto *shape = shape_of(values[i]);
        for (size_t d = 0; shape && d < shape->n_dim; d++)
            for (int n = 0; n < names->count; n++)
                if (shape->dim[d]->dim_param == names->text[n])
                    shape->dim[d]->value_case =
                        ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE__NOT_SET;
    }
}

int lq_onnx_open_dims(const uint8_t *model, size_t len, const struct lq_tensors *tensors,
                      struct lq_buf *out, struct lq_error *err)
{
    Onnx__ModelProto *message = onnx__model_proto__unpack(NULL, len, model);
    struct names *names = calloc(1, sizeof *names);
    int status = LQ_OK;
    if (!message || !message->graph || !names) {
        status = lq_fail(err, LQ_ERR_MODEL, "that is no ONNX model");
        goto done;
    }
    open_all(message->graph, tensors, names);
    status = pack(message, out);
    if (status != LQ_OK)
        lq_fail(err, status, "out of memory for an ONNX model");
    forget_names(message->graph->input, message->graph->n_input, names);
    forget_names(message->graph->output, message->graph->n_output, names);
done:
    if (message)
        onnx__model_proto__free_unpacked(message, NULL);
    free(names);
    return status;
}
