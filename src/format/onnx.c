#include "format/onnx.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

// ---- reading and writing

// protobuf-c leaves missing strings NULL; those that are read later must exist.
static bool is_sound(const Onnx__GraphProto *graph)
{
    for (size_t i = 0; i < graph->n_node; i++)
        if (!graph->node[i]->op_type)
            return false;
    for (size_t i = 0; i < graph->n_input; i++)
        if (!graph->input[i]->name)
            return false;
    for (size_t i = 0; i < graph->n_output; i++)
        if (!graph->output[i]->name)
            return false;
    return true;
}

static int64_t opset_of(const Onnx__ModelProto *model)
{
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const char *domain = model->opset_import[i]->domain;
        if (!domain || !*domain || strcmp(domain, "ai.onnx") == 0)
            return model->opset_import[i]->version;
    }
    return 0;
}

int lq_onnx_read(struct lq_onnx *onnx, const uint8_t *bytes, size_t len, const char *name,
                 struct lq_error *err)
{
    *onnx = (struct lq_onnx){.message = onnx__model_proto__unpack(NULL, len, bytes)};
    if (!onnx->message || !onnx->message->graph)
        return lq_fail(err, LQ_ERR_MODEL, "'%.150s' is no ONNX model, or a damaged one", name);
    onnx->graph = onnx->message->graph;
    onnx->opset = opset_of(onnx->message);
    if (!is_sound(onnx->graph))
        return lq_fail(err, LQ_ERR_MODEL, "'%.150s' is damaged (a node without an operator, or a "
                       "tensor without a name)", name);
    return LQ_OK;
}

void lq_onnx_free(struct lq_onnx *onnx)
{
    if (onnx->message)
        onnx__model_proto__free_unpacked(onnx->message, NULL);
    *onnx = (struct lq_onnx){0};
}

int lq_onnx_write(const struct lq_onnx *onnx, struct lq_buf *out, struct lq_error *err)
{
    size_t size = onnx__model_proto__get_packed_size(onnx->message);
    lq_buf_clear(out);
    if (onnx->failed || size > INT_MAX || lq_buf_resize(out, size) != LQ_OK)
        return lq_fail(err, LQ_ERR_MEMORY, "out of memory for an ONNX model of %zu MB", size >> 20);
    onnx__model_proto__pack(onnx->message, out->data);
    return LQ_OK;
}

int lq_onnx_copy(struct lq_onnx *copy, const struct lq_onnx *from, struct lq_error *err)
{
    struct lq_buf bytes;
    *copy = (struct lq_onnx){0};
    lq_buf_init(&bytes, INT_MAX);
    int status = lq_onnx_write(from, &bytes, err);
    if (status == LQ_OK)
        status = lq_onnx_read(copy, bytes.data, bytes.len, "the model", err);
    lq_buf_release(&bytes);
    return status;
}

// ---- finding

const char *lq_onnx_input(const Onnx__NodeProto *node, size_t index)
{
    return index < node->n_input ? node->input[index] : "";
}

Onnx__TensorProto *lq_onnx_constant(const struct lq_onnx *onnx, const char *name)
{
    for (size_t i = 0; *name && i < onnx->graph->n_initializer; i++) {
        Onnx__TensorProto *tensor = onnx->graph->initializer[i];
        if (tensor->name && strcmp(tensor->name, name) == 0)
            return tensor;
    }
    return NULL;
}

int lq_onnx_maker(const struct lq_onnx *onnx, const char *value)
{
    for (size_t i = 0; *value && i < onnx->graph->n_node; i++)
        for (size_t k = 0; k < onnx->graph->node[i]->n_output; k++)
            if (strcmp(onnx->graph->node[i]->output[k], value) == 0)
                return (int)i;
    return -1;
}

bool lq_onnx_is_output(const struct lq_onnx *onnx, const char *value)
{
    for (size_t i = 0; i < onnx->graph->n_output; i++)
        if (strcmp(onnx->graph->output[i]->name, value) == 0)
            return true;
    return false;
}

int lq_onnx_users(const struct lq_onnx *onnx, const char *value)
{
    int users = lq_onnx_is_output(onnx, value);
    for (size_t i = 0; i < onnx->graph->n_node; i++)
        for (size_t k = 0; k < onnx->graph->node[i]->n_input; k++)
            users += strcmp(onnx->graph->node[i]->input[k], value) == 0;
    return users;
}

const Onnx__AttributeProto *lq_onnx_attr(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i];
    return NULL;
}

int64_t lq_onnx_attr_int(const Onnx__NodeProto *node, const char *name, int64_t fallback)
{
    const Onnx__AttributeProto *attr = lq_onnx_attr(node, name);
    return attr && attr->has_i ? attr->i : fallback;
}

const char *lq_onnx_attr_text(const Onnx__NodeProto *node, const char *name, char *text,
                              size_t size)
{
    const Onnx__AttributeProto *attr = lq_onnx_attr(node, name);
    size_t len = attr && attr->has_s ? attr->s.len : 0;
    len = len < size ? len : size - 1;
    if (len)
        memcpy(text, attr->s.data, len);
    text[len] = '\0';
    return text;
}

// ---- constants

int64_t lq_onnx_items(const Onnx__TensorProto *tensor)
{
    int64_t items = 1;
    for (size_t i = 0; i < tensor->n_dims; i++)
        if (tensor->dims[i] < 0 || __builtin_mul_overflow(items, tensor->dims[i], &items) ||
            items > INT_MAX)
            return -1;
    return items;
}

void lq_onnx_set_bytes(struct lq_onnx *onnx, Onnx__TensorProto *tensor, const void *bytes,
                       size_t len)
{
    uint8_t *copy = malloc(len + 1);
    onnx->failed |= !copy;
    if (!copy)
        return;
    memcpy(copy, bytes, len);
    free(tensor->raw_data.data);
    tensor->raw_data = (ProtobufCBinaryData){len, copy};
    tensor->has_raw_data = true;
}

// Makes room for one more pointer in a message's list; false if out of memory.
static bool grow(struct lq_onnx *onnx, void *list, size_t count)
{
    void **at = list, *longer = realloc(*at, (count + 1) * sizeof(void *));
    onnx->failed |= !longer;
    if (longer)
        *at = longer;
    return longer != NULL;
}

Onnx__TensorProto *lq_onnx_add_constant(struct lq_onnx *onnx, const char *name,
                                        const struct lq_onnx_values *values)
{
    Onnx__GraphProto *graph = onnx->graph;
    Onnx__TensorProto *tensor = malloc(sizeof *tensor);
    if (!tensor || !grow(onnx, &graph->initializer, graph->n_initializer)) {
        onnx->failed = true;
        free(tensor);
        return NULL;
    }
    onnx__tensor_proto__init(tensor);
    graph->initializer[graph->n_initializer++] = tensor;
    lq_onnx_set_text(onnx, &tensor->name, name);
    tensor->dims = malloc((values->rank + 1) * sizeof *tensor->dims);
    onnx->failed |= !tensor->dims;
    tensor->n_dims = tensor->dims ? values->rank : 0;
    for (size_t i = 0; i < tensor->n_dims; i++)
        tensor->dims[i] = values->dims[i];
    tensor->has_data_type = true;
    tensor->data_type = values->type;
    lq_onnx_set_bytes(onnx, tensor, values->bytes, values->len);
    return tensor;
}

// ---- nodes

void lq_onnx_set_text(struct lq_onnx *onnx, char **text, const char *to)
{
    char *copy = strdup(to);
    onnx->failed |= !copy;
    if (!copy)
        return;
    if (*text && *text != protobuf_c_empty_string)
        free(*text);
    *text = copy;
}

static void add_text(struct lq_onnx *onnx, char ***list, size_t *count, const char *text)
{
    char *copy = strdup(text);
    if (!copy || !grow(onnx, list, *count)) {
        onnx->failed = true;
        free(copy);
        return;
    }
    (*list)[(*count)++] = copy;
}

Onnx__NodeProto *lq_onnx_new_node(struct lq_onnx *onnx, const char *op, const char *const *inputs,
                                  size_t input_count, const char *output)
{
    Onnx__NodeProto *node = malloc(sizeof *node);
    onnx->failed |= !node;
    if (!node)
        return NULL;
    onnx__node_proto__init(node);
    lq_onnx_set_text(onnx, &node->op_type, op);
    lq_onnx_set_text(onnx, &node->name, output);
    for (size_t i = 0; i < input_count; i++)
        add_text(onnx, &node->input, &node->n_input, inputs[i]);
    add_text(onnx, &node->output, &node->n_output, output);
    if (!node->op_type || node->n_input != input_count || !node->n_output) {
        onnx__node_proto__free_unpacked(node, NULL);
        return NULL;
    }
    return node;
}

void lq_onnx_set_int(struct lq_onnx *onnx, Onnx__NodeProto *node, const char *name, int64_t value)
{
    Onnx__AttributeProto *attr = malloc(sizeof *attr);
    if (!attr || !grow(onnx, &node->attribute, node->n_attribute)) {
        onnx->failed = true;
        free(attr);
        return;
    }
    onnx__attribute_proto__init(attr);
    lq_onnx_set_text(onnx, &attr->name, name);
    attr->has_type = attr->has_i = true;
    attr->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    attr->i = value;
    node->attribute[node->n_attribute++] = attr;
}

void lq_onnx_set_input(struct lq_onnx *onnx, Onnx__NodeProto *node, size_t index,
                       const char *value)
{
    if (index < node->n_input)
        lq_onnx_set_text(onnx, &node->input[index], value);
    else
        add_text(onnx, &node->input, &node->n_input, value);
}

void lq_onnx_insert(struct lq_onnx *onnx, size_t before, Onnx__NodeProto *node)
{
    Onnx__GraphProto *graph = onnx->graph;
    if (!node)
        return;
    if (!grow(onnx, &graph->node, graph->n_node)) {
        onnx__node_proto__free_unpacked(node, NULL);
        return;
    }
    memmove(graph->node + before + 1, graph->node + before,
            (graph->n_node - before) * sizeof(void *));
    graph->node[before] = node;
    graph->n_node++;
}

void lq_onnx_remove(struct lq_onnx *onnx, size_t index)
{
    Onnx__GraphProto *graph = onnx->graph;
    onnx__node_proto__free_unpacked(graph->node[index], NULL);
    memmove(graph->node + index, graph->node + index + 1,
            (graph->n_node - index - 1) * sizeof(void *));
    graph->n_node--;
}

void lq_onnx_redirect(struct lq_onnx *onnx, const char *from, const char *to)
{
    for (size_t i = 0; i < onnx->graph->n_node; i++)
        for (size_t k = 0; k < onnx->graph->node[i]->n_input; k++)
            if (strcmp(onnx->graph->node[i]->input[k], from) == 0)
                lq_onnx_set_text(onnx, &onnx->graph->node[i]->input[k], to);
}

bool lq_onnx_has_inner(const struct lq_onnx *onnx)
{
    const Onnx__GraphProto *graph = onnx->graph;
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t k = 0; k < graph->node[i]->n_attribute; k++)
            if (graph->node[i]->attribute[k]->g || graph->node[i]->attribute[k]->n_graphs)
                return true;
    return false;
}

void lq_onnx_prune(struct lq_onnx *onnx)
{
    Onnx__GraphProto *graph = onnx->graph;
    size_t kept = 0;
    if (lq_onnx_has_inner(onnx))
        return;
    for (size_t i = 0; i < graph->n_initializer; i++) {
        Onnx__TensorProto *tensor = graph->initializer[i];
        if (!tensor->name || lq_onnx_users(onnx, tensor->name) > 0)
            graph->initializer[kept++] = tensor;
        else
            onnx__tensor_proto__free_unpacked(tensor, NULL);
    }
    graph->n_initializer = kept;
}

void lq_onnx_add_output(struct lq_onnx *onnx, const char *value)
{
    Onnx__GraphProto *graph = onnx->graph;
    if (lq_onnx_is_output(onnx, value))
        return;
    Onnx__ValueInfoProto *info = malloc(sizeof *info);
    Onnx__TypeProto *type = malloc(sizeof *type);
    Onnx__TypeProto__Tensor *tensor = malloc(sizeof *tensor);
    if (!info || !type || !tensor || !grow(onnx, &graph->output, graph->n_output)) {
        onnx->failed = true;
        free(info);
        free(type);
        free(tensor);
        return;
    }
    onnx__value_info_proto__init(info);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    tensor->has_elem_type = true;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    info->type = type;
    lq_onnx_set_text(onnx, &info->name, value);
    graph->output[graph->n_output++] = info;
}

// ---- the picture input

static Onnx__ValueInfoProto *picture_of(const struct lq_onnx *onnx)
{
    for (size_t i = 0; i < onnx->graph->n_input; i++)
        if (!lq_onnx_constant(onnx, onnx->graph->input[i]->name))
            return onnx->graph->input[i];
    return NULL;
}

const char *lq_onnx_picture(const struct lq_onnx *onnx)
{
    const Onnx__ValueInfoProto *input = picture_of(onnx);
    return input ? input->name : "";
}

static bool is_tensor(const Onnx__ValueInfoProto *value)
{
    return value->type && value->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE &&
           value->type->tensor_type;
}

static void drop_shape(const Onnx__ValueInfoProto *value)
{
    Onnx__TensorShapeProto **shape = &value->type->tensor_type->shape;
    if (*shape)
        onnx__tensor_shape_proto__free_unpacked(*shape, NULL);
    *shape = NULL;
}

static Onnx__TensorShapeProto__Dimension *new_dim(struct lq_onnx *onnx, int64_t size)
{
    Onnx__TensorShapeProto__Dimension *dim = malloc(sizeof *dim);
    onnx->failed |= !dim;
    if (!dim)
        return NULL;
    onnx__tensor_shape_proto__dimension__init(dim);
    if (size < 0) {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        lq_onnx_set_text(onnx, &dim->dim_param, "batch");
    } else {
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        dim->dim_value = size;
    }
    return dim;
}

bool lq_onnx_set_shape(struct lq_onnx *onnx, const int64_t *dims, int rank)
{
    Onnx__ValueInfoProto *input = picture_of(onnx);
    if (!input || !is_tensor(input))
        return false;
    Onnx__TensorShapeProto *shape = malloc(sizeof *shape);
    onnx->failed |= !shape;
    if (!shape)
        return true;
    onnx__tensor_shape_proto__init(shape);
    shape->dim = calloc((size_t)rank, sizeof(void *));
    onnx->failed |= !shape->dim;
    for (int i = 0; i < rank && shape->dim; i++) {
        shape->dim[i] = new_dim(onnx, dims[i]);
        shape->n_dim += shape->dim[i] != NULL;
    }
    drop_shape(input);
    input->type->tensor_type->shape = shape;
    return true;
}

void lq_onnx_forget_shapes(struct lq_onnx *onnx)
{
    Onnx__GraphProto *graph = onnx->graph;
    for (size_t i = 0; i < graph->n_output; i++)
        if (is_tensor(graph->output[i])) // sequences and maps stay as they are
            drop_shape(graph->output[i]);
    for (size_t i = 0; i < graph->n_value_info; i++)
        onnx__value_info_proto__free_unpacked(graph->value_info[i], NULL);
    graph->n_value_info = 0;
}
