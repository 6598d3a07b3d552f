#include "convert/onnx_upgrade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPSET_LEAST = 11, OPSET = 13, TYPE_INT64 = ONNX__TENSOR_PROTO__DATA_TYPE__INT64 };

// The integer lists that became an input, and the index of that input.
static const struct moved {
    const char *op, *attribute;
    size_t input;
} moved[] = {{"Squeeze", "axes", 1}, {"Unsqueeze", "axes", 1}, {"ReduceSum", "axes", 1},
             {"Split", "split", 1}};

static void drop_attribute(Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++) {
        Onnx__AttributeProto *attribute = node->attribute[i];
        if (!attribute->name || strcmp(attribute->name, name) != 0)
            continue;
        onnx__attribute_proto__free_unpacked(attribute, NULL);
        memmove(node->attribute + i, node->attribute + i + 1,
                (node->n_attribute - i - 1) * sizeof(void *));
        node->n_attribute--;
        return;
    }
}

static void move_list(struct lq_onnx *onnx, Onnx__NodeProto *node, const struct moved *what)
{
    const Onnx__AttributeProto *attribute = lq_onnx_attr(node, what->attribute);
    if (!attribute || attribute->n_ints == 0 || node->n_input != what->input)
        return;
    char name[300];
    int64_t count = (int64_t)attribute->n_ints;
    snprintf(name, sizeof name, "%.250s#%s", node->n_output ? node->output[0] : "",
             what->attribute);
    const struct lq_onnx_values values = {TYPE_INT64, &count, 1, attribute->ints,
                                          attribute->n_ints * sizeof *attribute->ints};
    lq_onnx_add_constant(onnx, name, &values);
    lq_onnx_set_input(onnx, node, what->input, name);
    drop_attribute(node, what->attribute);
}

// The rank that the file declares for a value; -1: none.
static int declared_rank(const struct lq_onnx *onnx, const char *value)
{
    const Onnx__GraphProto *graph = onnx->graph;
    size_t count = graph->n_value_info + graph->n_output + graph->n_input;
    for (size_t i = 0; i < count; i++) {
        const Onnx__ValueInfoProto *info =
            i < graph->n_value_info ? graph->value_info[i]
            : i < graph->n_value_info + graph->n_output
                ? graph->output[i - graph->n_value_info]
                : graph->input[i - graph->n_value_info - graph->n_output];
        const Onnx__TypeProto *type = info->type;
        if (info->name && strcmp(info->name, value) == 0 && type &&
            type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && type->tensor_type &&
            type->tensor_type->shape)
            return (int)type->tensor_type->shape->n_dim;
    }
    return -1;
}

// … or the rank derived from the nodes before it: there are few between a classifier's last product
// and its Softmax.
static int rank_of(const struct lq_onnx *onnx, const char *value, int depth)
{
    int rank = declared_rank(onnx, value), maker = lq_onnx_maker(onnx, value);
    const Onnx__NodeProto *node = maker >= 0 ? onnx->graph->node[maker] : NULL;
    if (rank >= 0 || !node || depth > 8)
        return rank;
    if (lq_onnx_is(node, "Gemm") || lq_onnx_is(node, "Flatten"))
        return 2;
    const Onnx__TensorProto *second = lq_onnx_constant(onnx, lq_onnx_input(node, 1));
    if (lq_onnx_is(node, "Reshape"))
        return second && second->n_dims == 1 ? (int)lq_onnx_items(second) : -1;
    bool keeps = lq_onnx_is(node, "Add") || lq_onnx_is(node, "MatMul") ||
                 lq_onnx_is(node, "Relu") || lq_onnx_is(node, "Identity");
    if (!keeps || (second && second->n_dims > 2))
        return -1;
    return rank_of(onnx, lq_onnx_input(node, 0), depth + 1);
}

// Up to opset 12 all axes from this one on were treated as one, which makes no difference if it is
// the last.
static bool fix_softmax(struct lq_onnx *onnx, Onnx__NodeProto *node)
{
    int64_t axis = lq_onnx_attr_int(node, "axis", 1);
    int rank = rank_of(onnx, lq_onnx_input(node, 0), 0);
    if (rank < 0 && node->n_output)
        rank = declared_rank(onnx, node->output[0]);
    if (axis != -1 && axis != rank - 1)
        return false;
    drop_attribute(node, "axis"); // the last axis is the default of opset 13
    return true;
}

static bool upgrade_node(struct lq_onnx *onnx, Onnx__NodeProto *node)
{
    static const char *const softmaxes[] = {"Softmax", "LogSoftmax", "Hardmax"};
    for (size_t i = 0; i < LQ_COUNT(moved); i++)
        if (lq_onnx_is(node, moved[i].op))
            move_list(onnx, node, &moved[i]);
    if (lq_onnx_is(node, "Dropout"))
        drop_attribute(node, "ratio"); // not used in inference
    for (size_t i = 0; i < LQ_COUNT(softmaxes); i++)
        if (lq_onnx_is(node, softmaxes[i]))
            return fix_softmax(onnx, node);
    return true;
}

static void set_opset(Onnx__ModelProto *model)
{
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const char *domain = model->opset_import[i]->domain;
        if (!domain || !*domain || strcmp(domain, "ai.onnx") == 0) {
            model->opset_import[i]->has_version = true;
            model->opset_import[i]->version = OPSET;
        }
    }
}

int lq_onnx_upgrade(struct lq_onnx *onnx, const char *name, struct lq_error *err)
{
    if (onnx->opset >= OPSET)
        return LQ_OK;
    if (onnx->opset < OPSET_LEAST || lq_onnx_has_inner(onnx))
        return lq_fail(err, LQ_ERR_MODEL, "'%.150s' is of opset %d, and weights are quantised by "
                       "channel since opset %d: export it again with opset 17", name,
                       (int)onnx->opset, OPSET);
    for (size_t i = 0; i < onnx->graph->n_node; i++) {
        Onnx__NodeProto *node = onnx->graph->node[i];
        if (!upgrade_node(onnx, node))
            return lq_fail(err, LQ_ERR_MODEL, "'%.150s' is of opset %d, and its %s '%.100s' means "
                           "something else in opset %d: export it again with opset 17", name,
                           (int)onnx->opset, node->op_type,
                           node->n_output ? node->output[0] : "", OPSET);
    }
    set_opset(onnx->message);
    onnx->opset = OPSET;
    return LQ_OK;
}
